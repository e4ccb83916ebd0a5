//! What can be done with the parts of a running stack.

use std::{collections::BTreeMap, ffi::OsString, fmt::Write, fs, process::Child, sync::Arc};

use anyhow::{Context, Result};

use super::Stack;
use crate::{
    faults::Faults,
    process::{MARK, Process, spawn_from_keeper, tethered},
    rpc_front::RpcFront,
    worker::Worker,
};

impl Stack {
    /// The process id of a part (`postgres`, `kafka` or a worker) that runs.
    #[must_use]
    pub fn pid(&mut self, name: &str) -> Option<u32> {
        self.processes().find(|process| process.name() == name).map(|process| process.pid())
    }

    /// Stops and starts the database; what was committed is there afterwards.
    ///
    /// # Errors
    /// It does not start again.
    pub async fn restart_postgres(&mut self) -> Result<()> {
        self.postgres.stop().await;
        self.postgres.start().await?;
        self.write_pids()
    }

    /// Stops and starts the broker; what was acknowledged is there afterwards.
    ///
    /// # Errors
    /// It does not start again.
    pub async fn restart_kafka(&mut self) -> Result<()> {
        self.kafka.stop().await;
        self.kafka.start().await?;
        self.write_pids()
    }

    /// Starts a command inside the stack: it finds the addresses in its environment, shares our terminal, and dies with us.
    ///
    /// # Errors
    /// There is no such program.
    pub fn spawn_inside(&self, command: &[OsString]) -> Result<Child> {
        let (program, arguments) = command.split_first().context("no command")?;
        let mut command = tethered(program);
        command.args(arguments).envs(self.env()).env(MARK, self.layout.root());
        spawn_from_keeper(command)
    }

    /// The faults of this stack.
    #[must_use]
    pub fn faults(&self) -> &Arc<Faults> {
        &self.faults
    }

    /// How many RPC endpoints stand before the chain: `rpc-1`, `rpc-2` and so on.
    #[must_use]
    pub fn rpc_endpoints(&self) -> usize {
        self.fronts.len()
    }

    /// JSON-RPC calls so far by method, over all endpoints.
    #[must_use]
    pub fn rpc_counts(&self) -> BTreeMap<String, u64> {
        let mut sum = BTreeMap::new();
        for (method, count) in self.fronts.iter().flat_map(RpcFront::counts) {
            *sum.entry(method).or_insert(0) += count;
        }
        sum
    }

    /// Starts counting calls anew.
    pub fn reset_rpc_counts(&self) {
        self.fronts.iter().for_each(RpcFront::reset_counts);
    }

    /// Requests to the pin servers so far by kind.
    #[must_use]
    pub fn pin_counts(&self) -> BTreeMap<&'static str, u64> {
        self.content.counts()
    }

    /// Requests to the pin servers so far, of every kind.
    #[must_use]
    pub fn pin_requests(&self) -> u64 {
        // A duplicate is an upload too and counted there.
        self.pin_counts().into_iter().filter(|(kind, _)| *kind != "duplicate").map(|(_, count)| count).sum()
    }

    fn processes(&mut self) -> impl Iterator<Item = &mut Process> {
        [self.postgres.process(), self.kafka.process()]
            .into_iter()
            .chain(self.workers.iter_mut().filter_map(Worker::process))
            .filter_map(|process| process.ended().is_none().then_some(process))
    }

    /// The fleet's processes; chain, fronts, pin server and gateways are in this one.
    pub(super) fn write_pids(&mut self) -> Result<()> {
        let mut lines = format!("devstack {}\n", std::process::id());
        for process in self.processes() {
            writeln!(lines, "{} {}", process.name(), process.pid())?;
        }
        fs::write(self.layout.pids(), lines).context("cannot write the list of processes")
    }
}
