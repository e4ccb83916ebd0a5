//! What can be done with the parts of a running stack.

use std::{collections::BTreeMap, ffi::OsString, fmt::Write, fs, process::Child};

use anyhow::{Context, Result};

use super::{Extent, Stack};
use crate::{
    ports::Ports,
    process::{MARK, Process, spawn_from_keeper, tethered},
    rpc_front::RpcFront,
    worker::{WORKERS, Worker},
};

impl Stack {
    /// Starts the workers that do not run, after schema and topics, and waits for all to be ready.
    ///
    /// # Errors
    /// One does not start.
    pub async fn start_workers(&mut self) -> Result<()> {
        self.bring_up(Extent::Workers).await.map(drop)
    }

    /// `kill -9` of a worker.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn kill_worker(&mut self, name: &str) -> Result<()> {
        let index = self.index_of(name)?;
        self.workers[index].kill();
        self.write_pids()
    }

    /// Starts a worker and waits until it is ready.
    ///
    /// # Errors
    /// There is no such worker, or it does not start.
    pub async fn start_worker(&mut self, name: &str) -> Result<()> {
        let index = self.index_of(name)?;
        self.workers[index].spawn(&self.programs)?;
        self.write_pids()?;
        self.workers[index].wait_until_ready(&self.http).await
    }

    /// SIGTERM to a worker, on which it drains and ends. Answers with its exit code, none where a signal ended it.
    ///
    /// # Errors
    /// There is no such worker, or it does not run.
    pub async fn terminate_worker(&mut self, name: &str) -> Result<Option<i32>> {
        let index = self.index_of(name)?;
        let ended = self.workers[index].stop().await;
        self.write_pids()?;
        Ok(ended.with_context(|| format!("{name} does not run"))?.code())
    }

    /// A second process of each worker, ready, beside the first ones. They are killed when they are dropped.
    ///
    /// # Errors
    /// One does not start.
    pub async fn another_of_each_worker(&self) -> Result<Vec<Worker>> {
        let mut ports = Ports::new();
        let mut second = Vec::new();
        for (name, _) in WORKERS {
            let mut worker = Worker::new(name, ports.take()?);
            worker.spawn(&self.programs)?;
            second.push(worker);
        }
        for worker in &mut second {
            worker.wait_until_ready(&self.http).await?;
        }
        Ok(second)
    }

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

    /// JSON-RPC calls so far by method, over both fronts.
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

    /// Requests to the pin server so far by kind.
    #[must_use]
    pub fn pin_counts(&self) -> BTreeMap<&'static str, u64> {
        self.content.pins.counts()
    }

    /// Requests to the pin server so far, of every kind.
    #[must_use]
    pub fn pin_requests(&self) -> u64 {
        // A duplicate is an upload too and counted there.
        self.pin_counts().into_iter().filter(|(kind, _)| *kind != "duplicate").map(|(_, count)| count).sum()
    }

    pub(super) async fn start_missing_workers(&mut self) -> Result<Vec<String>> {
        let mut started = Vec::new();
        for worker in self.workers.iter_mut().filter_map(|worker| (!worker.is_running()).then_some(worker)) {
            self.progress.say(&format!("Starting {}", worker.name()));
            worker.spawn(&self.programs)?;
            started.push(worker.name().to_owned());
        }
        self.write_pids()?;
        for worker in &mut self.workers {
            worker.wait_until_ready(&self.http).await?;
        }
        Ok(started)
    }

    fn index_of(&self, name: &str) -> Result<usize> {
        self.workers.iter().position(|worker| worker.name() == name).with_context(|| format!("no worker `{name}`"))
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
