//! `devstack bench`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use devstack::bench::{self, BenchOptions};
use devstack::{Progress, StackOptions};

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Operations of each run, published at once
    #[arg(long, value_delimiter = ',', default_value = "1000,3000")]
    operations: Vec<usize>,
    /// Where the stack lies while it runs
    #[arg(long, default_value = ".devstack-bench")]
    dir: PathBuf,
    /// How long a slot of the chain takes, in milliseconds; finality takes 31 of them
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(10..=10_000))]
    slot_ms: u64,
    /// Where mintctl and the workers are [default: beside this program]
    #[arg(long)]
    bin_dir: Option<PathBuf>,
    /// Where downloads are kept [default: ~/.cache/mintfleet]
    #[arg(long, env = "MINTFLEET_CACHE")]
    cache: Option<PathBuf>,
}

pub(super) async fn bench(args: &BenchArgs) -> Result<ExitCode> {
    let stack = StackOptions {
        slot: Duration::from_millis(args.slot_ms),
        bin_dir: args.bin_dir.clone(),
        cache: args.cache.clone(),
        progress: Progress::stderr(),
        ..StackOptions::new(&args.dir)
    };
    bench::run(BenchOptions { stack, runs: args.operations.clone() }).await?;
    Ok(ExitCode::SUCCESS)
}
