//! `devstack demo`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use devstack::demo::{self, DemoOptions};
use devstack::{Progress, Stack, StackOptions};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// How many operations to publish
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    operations: u16,
    /// Where the stack lies while it runs; the gallery page stays there
    #[arg(long, default_value = ".devstack-demo")]
    dir: PathBuf,
    /// How long a slot of the chain takes, in milliseconds
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(10..=10_000))]
    slot_ms: u64,
    /// Where mintctl and the workers are [default: beside this program]
    #[arg(long)]
    bin_dir: Option<PathBuf>,
    /// Where downloads are kept [default: ~/.cache/mintfleet]
    #[arg(long, env = "MINTFLEET_CACHE")]
    cache: Option<PathBuf>,
}

pub(super) async fn demo(args: &DemoArgs) -> Result<ExitCode> {
    let options = StackOptions {
        slot: Duration::from_millis(args.slot_ms),
        bin_dir: args.bin_dir.clone(),
        cache: args.cache.clone(),
        progress: Progress::stderr(),
        ..StackOptions::new(args.dir.join("stack"))
    };
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
