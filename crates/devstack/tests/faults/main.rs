//! Every fault does what it says, as a plain client sees it. One stack for all of them.

mod commands;
mod content;
mod database;
mod kafka;
mod rig;
mod rpc;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use devstack::control;
use devstack::{Extent, Stack, StackOptions};
use tokio::sync::Mutex;

use rig::Rig;

#[tokio::test(flavor = "multi_thread")]
async fn every_part_fails_as_it_is_told_and_recovers() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut options = StackOptions::new(dir.path().join("stack"));
    options.extent = Extent::SetUp;
    options.slot = Duration::from_millis(50);
    let mut stack = Stack::start(options).await?;
    let rig = Rig::new(&stack);

    rpc::fails(&rig).await?;
    content::fails(&rig).await?;
    kafka::fails(&rig).await?;
    database::fails(&rig).await?;
    workers::fail(&mut stack, &rig).await?;

    let layout = stack.layout().clone();
    let shared = Arc::new(Mutex::new(Some(stack)));
    control::serve(Arc::clone(&shared), &layout).await?;
    commands::work(&rig, layout.root().to_owned()).await?;
    if let Some(stack) = shared.lock().await.take() {
        stack.stop().await?;
    }
    Ok(())
}
