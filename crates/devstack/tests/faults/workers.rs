//! Workers as processes.

use std::time::Duration;

use anyhow::{Result, ensure};
use devstack::Stack;

use crate::rig::{Rig, until};

const WORKER: &str = "verifier";

pub async fn fail(stack: &mut Stack, rig: &Rig) -> Result<()> {
    stack.start_worker(WORKER).await?;
    let livez = format!("{}/livez", rig.env["VERIFIER_OPS_URL"]);
    let answers = async || rig.http.get(&livez).timeout(Duration::from_millis(500)).send().await.is_ok();
    ensure!(answers().await);
    stack.freeze_worker(WORKER)?;
    until("it stands still", async || Ok(!answers().await)).await?;
    stack.thaw_worker(WORKER)?;
    until("it goes on", async || Ok(answers().await)).await?;

    let pid = stack.pid(WORKER);
    ensure!(stack.terminate_worker(WORKER).await? == Some(0));
    ensure!(stack.freeze_worker(WORKER).is_err(), "nobody is there");
    stack.start_worker(WORKER).await?;
    ensure!(stack.pid(WORKER) != pid);
    stack.kill_worker(WORKER)?;
    ensure!(stack.pid(WORKER).is_none());
    Ok(())
}
