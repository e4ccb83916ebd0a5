//! `devstack exec`.

use std::{
    ffi::OsString,
    fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{ExitCode, ExitStatus},
    time::Duration,
};

use anyhow::{Result, anyhow};
use devstack::{Layout, Stack};
use nix::{
    sys::signal::{self, kill},
    unistd::Pid,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal as on},
    time::sleep,
};

use super::What;

/// Begins the name of an ephemeral stack's directory.
const PREFIX: &str = "exec-";

pub(super) async fn exec(what: &What, command: &[OsString]) -> Result<ExitCode> {
    remove_crashed(&what.place.dir)?;
    let mut options = what.options();
    options.dir = what.place.dir.join(format!("{PREFIX}{}", std::process::id()));
    let layout = Layout::new(&options.dir)?;

    // From here on these are ours to handle: whatever comes, the stack is taken down.
    let mut interrupt = on(SignalKind::interrupt())?;
    let mut terminate = on(SignalKind::terminate())?;
    let started = tokio::select! {
        stack = Stack::start(options) => stack,
        _ = interrupt.recv() => Err(anyhow!("interrupted")),
        _ = terminate.recv() => Err(anyhow!("terminated")),
    };
    let ended = match started {
        Ok(stack) => {
            let ended = run_inside(&stack, command, &mut terminate).await;
            stack.stop().await?;
            ended
        }
        Err(error) => {
            // The message carries the end of the log that matters.
            layout.clean()?;
            Err(error)
        }
    };
    // Gone too, where nothing else is in it.
    fs::remove_dir(&what.place.dir).ok();
    Ok(code(ended?))
}

/// A terminal's interrupt reaches the command by itself, so it is only waited for; a termination is passed on.
async fn run_inside(stack: &Stack, command: &[OsString], terminate: &mut Signal) -> Result<ExitStatus> {
    let mut child = stack.spawn_inside(command)?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        tokio::select! {
            () = sleep(Duration::from_millis(20)) => {}
            _ = terminate.recv() => {
                let pid = Pid::from_raw(i32::try_from(child.id())?);
                kill(pid, signal::Signal::SIGTERM).ok();
            }
        }
    }
}

/// Removes what earlier runs have left that were killed.
fn remove_crashed(dir: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        if pid.is_some_and(|pid| kill(Pid::from_raw(pid), None).is_err()) {
            Layout::new(&entry.path())?.clean()?;
        }
    }
    Ok(())
}

fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
