//! The processes of the stack.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::{Instant, sleep};

use crate::account::Account;

/// How often a process that starts or ends is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process of the stack. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    log_from: u64,
}

impl Process {
    /// Starts `command` with its output appended to `log`.
    pub(crate) fn spawn(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let log_from = output.metadata()?.len();
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
        let child = spawn_from_keeper(command).with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned(), log_from })
    }

    /// The name it has in `pids`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// What it wrote since it was started.
    pub(crate) fn output(&self) -> String {
        let read = || -> io::Result<String> {
            let mut file = File::open(&self.log)?;
            file.seek(SeekFrom::Start(self.log_from))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        read().unwrap_or_default()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        kill(pid(self.pid()), signal).with_context(|| format!("cannot signal {}", self.name))
    }

    /// Waits until its output contains `sign`.
    pub(crate) async fn wait_for_output(&mut self, sign: &str, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        while !self.output().contains(sign) {
            self.still_starting(deadline)?;
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Refuses to wait longer for a process that has ended or takes too long.
    pub(crate) fn still_starting(&mut self, deadline: Instant) -> Result<()> {
        if let Some(status) = self.ended() {
            return Err(self.failure(&format!("ended with {status} instead of starting")));
        }
        if Instant::now() > deadline {
            return Err(self.failure("is not ready in time"));
        }
        Ok(())
    }

    /// Waits until it ends by itself, which it must with success.
    pub(crate) async fn finish(mut self, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            match self.ended() {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.failure(&format!("failed with {status}"))),
                None if Instant::now() > deadline => return Err(self.failure("does not come to an end")),
                None => sleep(LOOK_EVERY).await,
            }
        }
    }

    /// Asks it to end, and kills it where it has not after `grace`. Answers how it ended.
    pub(crate) async fn stop(&mut self, signal: Signal, grace: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + grace;
        if self.ended().is_none() {
            kill(pid(self.pid()), signal).ok();
        }
        while self.ended().is_none() && Instant::now() < deadline {
            sleep(LOOK_EVERY).await;
        }
        self.kill();
        self.ended()
    }

    /// The same for where nothing can be awaited.
    pub(crate) fn stop_blocking(&mut self, signal: Signal, grace: Duration) {
        let deadline = Instant::now() + grace;
        if self.ended().is_none() {
            kill(pid(self.pid()), signal).ok();
        }
        while self.ended().is_none() && Instant::now() < deadline {
            thread::sleep(LOOK_EVERY);
        }
        self.kill();
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    fn failure(&self, what: &str) -> anyhow::Error {
        let output = self.output();
        let lines: Vec<_> = output.lines().collect();
        let tail = lines[lines.len().saturating_sub(15)..].join("\n  ");
        anyhow!("{} {what}; {} ends with:\n  {tail}", self.name, self.log.display())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A command that the kernel kills when we die, however we die.
pub(crate) fn tethered(program: impl AsRef<OsStr>) -> Command {
    tethered_by("KILL", None, program)
}

/// A command to which the kernel sends `signal` when we die, however we die; run as `account` where one is given.
///
/// Both is done by `setpriv` of util-linux, which then becomes the program (same process id). Elsewhere than on Linux
/// nothing like it exists: there, the next start cleans up after a crash.
pub(crate) fn tethered_by(signal: &str, account: Option<Account>, program: impl AsRef<OsStr>) -> Command {
    if !cfg!(target_os = "linux") {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal]);
    if let Some(Account { user, group }) = account {
        command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups");
    }
    command.arg("--").arg(program);
    command
}

/// Whether `pid` is a process of the stack in `directory`: each carries the directory in its environment, so that no
/// innocent process with a recycled id is ever taken for one.
pub(crate) fn belongs_to(pid: u32, directory: &Path) -> bool {
    let mark = format!("{MARK}={}", directory.display());
    if cfg!(target_os = "linux") {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        return environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes());
    }
    let listing = Command::new("ps").args(["eww", "-o", "command=", "-p", &pid.to_string()]).output();
    listing.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).split(' ').any(|word| word == mark))
}

/// The environment variable that marks the processes of a stack.
pub(crate) const MARK: &str = "DEVSTACK_DIR";

/// `kill -9` of a process that is not our child.
pub(crate) fn kill_by_id(id: u32) {
    kill(pid(id), Signal::SIGKILL).ok();
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).unwrap_or(i32::MAX))
}

/// Spawns from a thread that lives as long as we do: "parent" in the kernel's promise to kill children with their parent
/// means the very thread that started them, and threads of an async runtime come and go.
pub(crate) fn spawn_from_keeper(command: Command) -> Result<Child> {
    type Job = (Command, mpsc::Sender<io::Result<Child>>);
    static KEEPER: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
    let keeper = KEEPER.get_or_init(|| {
        let (jobs, inbox) = mpsc::channel::<Job>();
        thread::spawn(move || {
            for (mut command, reply) in inbox {
                reply.send(command.spawn()).ok();
            }
        });
        jobs
    });
    let (reply, answer) = mpsc::channel();
    keeper.send((command, reply)).map_err(|_| anyhow!("the thread that starts processes is gone"))?;
    match answer.recv()? {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("not found: the program, or setpriv of util-linux ({error})")
        }
        other => Ok(other?),
    }
}
