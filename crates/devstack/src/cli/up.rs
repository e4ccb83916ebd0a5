//! `devstack up`.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use devstack::{Layout, control::Control};
use tokio::time::sleep;

use super::{What, summary};

const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) async fn up(what: &What) -> Result<ExitCode> {
    let layout = Layout::new(&what.place.dir)?;
    if layout.is_taken() {
        bring_up_what_is_missing(what, &layout).await?;
    } else {
        start_in_background(what, &layout).await?;
    }
    println!("{}", summary::of(&summary::read_env(&layout.env()), layout.root(), what.extent()));
    Ok(ExitCode::SUCCESS)
}

async fn bring_up_what_is_missing(what: &What, layout: &Layout) -> Result<()> {
    eprintln!("A stack runs in {} already", layout.root().display());
    let control = loop {
        if let Some(control) = Control::of(layout) {
            break control;
        }
        if !layout.is_taken() {
            bail!("it ended while it was starting, see {}", layout.log("devstack").display());
        }
        sleep(LOOK_EVERY).await;
    };
    let started = control.bring_up(what.extent()).await?;
    match started.as_slice() {
        [] => eprintln!("Nothing was missing"),
        names => eprintln!("Started {}", names.join(", ")),
    }
    Ok(())
}

async fn start_in_background(what: &What, layout: &Layout) -> Result<()> {
    let log = layout.log("devstack");
    fs::create_dir_all(log.parent().context("a log lies in a directory")?)?;
    // What a crashed stack left would look like the new one's.
    fs::remove_file(layout.control()).ok();
    let mut background = spawn(what, layout, &log)?;
    let mut shown = Shown::of(&log)?;
    loop {
        let ended = background.try_wait()?;
        let is_ready = Control::of(layout).is_some();
        shown.show_more()?;
        if let Some(status) = ended {
            bail!("the stack did not start ({status}); its logs are in {}", layout.root().join("logs").display());
        }
        if is_ready {
            return Ok(());
        }
        sleep(LOOK_EVERY).await;
    }
}

fn spawn(what: &What, layout: &Layout, log: &Path) -> Result<Child> {
    let output = File::create(log)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["run", "--background", "--dir"]).arg(layout.root());
    command.arg("--slot-ms").arg(what.stack.slot_ms.to_string());
    command.arg("--rpc-endpoints").arg(what.stack.rpc_endpoints.to_string());
    if what.bare {
        command.arg("--bare");
    }
    if what.no_workers {
        command.arg("--no-workers");
    }
    if let Some(directory) = &what.stack.bin_dir {
        command.arg("--bin-dir").arg(directory);
    }
    if let Some(cache) = &what.stack.cache {
        command.arg("--cache").arg(cache);
    }
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .context("cannot start the stack in the background")
}

/// Shows a log on standard error while it grows.
struct Shown {
    log: File,
    from: u64,
}

impl Shown {
    fn of(log: &Path) -> Result<Self> {
        Ok(Self { log: File::open(log)?, from: 0 })
    }

    fn show_more(&mut self) -> Result<()> {
        self.log.seek(SeekFrom::Start(self.from))?;
        let mut bytes = Vec::new();
        self.log.read_to_end(&mut bytes)?;
        let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else { return Ok(()) };
        self.from += end as u64 + 1;
        std::io::stderr().write_all(&bytes[..=end])?;
        Ok(())
    }
}
