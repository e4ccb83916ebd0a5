//! `devstack run`.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Result, bail};
use devstack::{Layout, Stack, control};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Mutex,
};

use super::{What, summary};

pub(super) async fn run(what: &What, background: bool) -> Result<ExitCode> {
    let layout = Layout::new(&what.place.dir)?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stack = tokio::select! {
        stack = Stack::start(what.options()) => stack?,
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    };
    if !background {
        println!("{}", summary::of(stack.env(), layout.root(), what.extent()));
    }
    let chain_ended = stack.chain_ended();
    let stack = Arc::new(Mutex::new(Some(stack)));
    let asked_to_stop = control::serve(Arc::clone(&stack), &layout).await?;
    let ended_by_itself = tokio::select! {
        _ = interrupt.recv() => false,
        _ = terminate.recv() => false,
        () = asked_to_stop.notified() => false,
        () = chain_ended.notified() => true,
    };
    eprintln!("Stopping");
    if let Some(stack) = stack.lock().await.take() {
        stack.stop().await?;
    }
    if ended_by_itself {
        bail!("the chain ended by itself");
    }
    Ok(ExitCode::SUCCESS)
}
