//! The workers, and the command that sets the stack up for them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use crate::{
    layout::Layout,
    process::{MARK, Process, tethered},
};

const PATIENCE: Duration = Duration::from_mins(1);
/// Longer than any grace period of a worker itself.
const GRACE: Duration = Duration::from_secs(30);

/// The workers by name, with the variable that tells others where their ops HTTP answers.
pub const WORKERS: [(&str, &str); 3] = [
    ("ipfs-uploader", "IPFS_UPLOADER_OPS_URL"),
    ("mint-submitter", "MINT_SUBMITTER_OPS_URL"),
    ("verifier", "VERIFIER_OPS_URL"),
];

/// Our own programs, and what they are started with.
pub(crate) struct Programs {
    /// Where they lie.
    pub directory: PathBuf,
    /// The stack's environment.
    pub env: BTreeMap<String, String>,
    /// The stack's directory.
    pub layout: Layout,
}

impl Programs {
    /// `mintctl COMMAND`, to its end.
    pub(crate) async fn mintctl(&self, command: &str) -> Result<()> {
        self.spawn("mintctl", &[command], &[])?.finish(PATIENCE).await
    }

    fn spawn(&self, name: &str, arguments: &[&str], env: &[(&str, &str)]) -> Result<Process> {
        let mut command = tethered(built(&self.directory, name)?);
        command.args(arguments).envs(&self.env).envs(env.iter().copied()).env(MARK, self.layout.root());
        Process::spawn(name, command, &self.layout.log(name))
    }
}

/// One worker, running or not.
#[derive(Debug)]
pub struct Worker {
    name: &'static str,
    listen: String,
    process: Option<Process>,
}

impl Worker {
    /// The worker `name`, whose ops HTTP is to answer on `port`. Not started yet.
    pub(crate) fn new(name: &'static str, port: u16) -> Self {
        Self { name, listen: format!("127.0.0.1:{port}"), process: None }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Where its ops HTTP answers.
    pub(crate) fn ops_url(&self) -> String {
        format!("http://{}", self.listen)
    }

    pub(crate) fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.ended().is_none())
    }

    /// Starts it without waiting for it.
    pub(crate) fn spawn(&mut self, programs: &Programs) -> Result<()> {
        self.process = Some(programs.spawn(self.name, &[], &[("OPS_LISTEN", &self.listen)])?);
        Ok(())
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn wait_until_ready(&mut self, http: &reqwest::Client) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let readyz = format!("{}/readyz", self.ops_url());
        let process = self.process.as_mut().with_context(|| format!("{} is not started", self.name))?;
        loop {
            if http.get(&readyz).send().await.is_ok_and(|reply| reply.status() == reqwest::StatusCode::OK) {
                return Ok(());
            }
            process.still_starting(deadline)?;
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// SIGTERM, on which it drains.
    ///
    /// Answers how it ended; none where it did not run.
    pub(crate) async fn stop(&mut self) -> Option<ExitStatus> {
        self.process.take()?.stop(Signal::SIGTERM, GRACE).await
    }
}

/// One of our programs.
pub(crate) fn built(directory: &Path, name: &str) -> Result<PathBuf> {
    let program = directory.join(name);
    ensure!(program.exists(), "{} does not exist: build it first (cargo build), or see --bin-dir", program.display());
    Ok(program)
}

/// The directory of this very program, where a build puts all of them.
pub(crate) fn own_directory() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let directory = program.parent().map(Path::to_owned).context("this program lies nowhere")?;
    // Tests lie one deeper.
    Ok(if directory.ends_with("deps") {
        directory.parent().map(Path::to_owned).unwrap_or(directory)
    } else {
        directory
    })
}
