//! What can be done with the workers of a running stack.

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use super::{Extent, Stack};
use crate::{
    ports::Ports,
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

    /// SIGSTOP to a worker: it stands still, and its connections stay open.
    ///
    /// # Errors
    /// There is no such worker, or it does not run.
    pub fn freeze_worker(&mut self, name: &str) -> Result<()> {
        self.signal_worker(name, Signal::SIGSTOP)
    }

    /// SIGCONT to a worker: it goes on as if no time had passed.
    ///
    /// # Errors
    /// There is no such worker, or it does not run.
    pub fn thaw_worker(&mut self, name: &str) -> Result<()> {
        self.signal_worker(name, Signal::SIGCONT)
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

    /// SIGTERM to workers that were started beside the first ones, all at once, and waits for them to end.
    pub async fn dismiss(&self, mut workers: Vec<Worker>) {
        futures::future::join_all(workers.iter_mut().map(Worker::stop)).await;
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

    fn signal_worker(&mut self, name: &str, signal: Signal) -> Result<()> {
        let index = self.index_of(name)?;
        let worker = &mut self.workers[index];
        ensure!(worker.is_running(), "{name} does not run");
        worker.process().with_context(|| format!("{name} was never started"))?.signal(signal)
    }

    fn index_of(&self, name: &str) -> Result<usize> {
        self.workers.iter().position(|worker| worker.name() == name).with_context(|| format!("no worker `{name}`"))
    }
}
