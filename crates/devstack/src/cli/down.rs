//! `devstack down`.

use std::{process::ExitCode, time::Duration};

use anyhow::{Result, bail};
use devstack::{Layout, control::Control};
use tokio::time::{Instant, sleep};

use super::Where;

/// Workers drain, the database writes what it has.
const PATIENCE: Duration = Duration::from_secs(45);

pub(super) async fn down(place: &Where) -> Result<ExitCode> {
    let layout = Layout::new(&place.dir)?;
    if layout.is_taken() {
        let asked = match Control::of(&layout) {
            Some(control) => control.stop().await.is_ok(),
            None => false,
        };
        let deadline = Instant::now() + PATIENCE;
        while asked && layout.is_taken() && Instant::now() < deadline {
            sleep(Duration::from_millis(50)).await;
        }
        layout.kill_holder();
        let deadline = Instant::now() + Duration::from_secs(5);
        while layout.is_taken() {
            if Instant::now() > deadline {
                bail!("the stack in {} does not end", layout.root().display());
            }
            sleep(Duration::from_millis(50)).await;
        }
    } else if !layout.root().exists() {
        eprintln!("No stack in {}", layout.root().display());
        return Ok(ExitCode::SUCCESS);
    }
    layout.clean()?;
    eprintln!("The stack in {} is gone", layout.root().display());
    Ok(ExitCode::SUCCESS)
}
