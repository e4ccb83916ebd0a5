//! `devstack demo`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use devstack::demo::{self, DemoOptions};
use devstack::{Extent, Stack};
use tokio::signal::unix::{SignalKind, signal};

use super::StackArgs;

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// How many operations to publish
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    operations: u16,
    /// Where the stack lies while it runs; the gallery page stays there
    #[arg(long, default_value = ".devstack-demo")]
    dir: PathBuf,
    #[command(flatten)]
    stack: StackArgs,
}

pub(super) async fn demo(args: &DemoArgs) -> Result<ExitCode> {
    let options = args.stack.options(args.dir.join("stack"), Extent::Workers);
    let demo = DemoOptions { operations: args.operations.into(), gallery: args.dir.join("gallery.html") };
    // Taken from here on: whatever comes, the stack is taken down.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stack = Stack::start(options).await?;
    let ended = tokio::select! {
        ended = demo::run(&stack, &demo) => ended,
        _ = interrupt.recv() => bailed("interrupted"),
        _ = terminate.recv() => bailed("terminated"),
    };
    stack.stop().await?;
    ended?;
    Ok(ExitCode::SUCCESS)
}

fn bailed(how: &str) -> Result<()> {
    bail!("{how}")
}
