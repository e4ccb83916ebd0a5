//! `devstack bench`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use devstack::Extent;
use devstack::bench::{self, BenchOptions};

use super::StackArgs;

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Operations of each run, published at once
    #[arg(long, value_delimiter = ',', default_value = "1000,3000")]
    operations: Vec<usize>,
    /// Measure that many operations while a fifth of all RPC replies are lost and blockhashes expire, instead
    #[arg(long, value_name = "OPERATIONS", conflicts_with = "operations")]
    exactly_once: Option<usize>,
    /// Where the stack lies while it runs
    #[arg(long, default_value = ".devstack-bench")]
    dir: PathBuf,
    #[command(flatten)]
    stack: StackArgs,
}

pub(super) async fn bench(args: &BenchArgs) -> Result<ExitCode> {
    let stack = args.stack.options(args.dir.clone(), Extent::Workers);
    if let Some(operations) = args.exactly_once {
        bench::run_exactly_once(stack, operations).await?;
        return Ok(ExitCode::SUCCESS);
    }
    bench::run(BenchOptions { stack, runs: args.operations.clone() }).await?;
    Ok(ExitCode::SUCCESS)
}
