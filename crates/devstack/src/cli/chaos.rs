//! `devstack chaos`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;
use devstack::Extent;
use devstack::chaos::{self, ChaosOptions, ROWS, Row, Tempo};

use super::StackArgs;

#[derive(Debug, Args)]
pub(super) struct ChaosArgs {
    /// A round on a fresh stack for each; they decide the order of things and whom they strike
    #[arg(long, value_delimiter = ',', default_value = "1,2,3,4,5")]
    seeds: Vec<u64>,
    /// Only troubles whose name holds this, such as `RPC, all` or `refused`; --list shows the names
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Let every seed go through all troubles (about 15 minutes each) instead of dealing them among the seeds
    #[arg(long)]
    every_row: bool,
    /// Operations a second
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rate: u32,
    /// Let troubles last this many times shorter
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10))]
    shortened: u32,
    /// Print the troubles and how long each lasts, and do nothing
    #[arg(long)]
    list: bool,
    /// Where the stack lies while it runs
    #[arg(long, default_value = ".devstack-chaos")]
    dir: PathBuf,
    #[command(flatten)]
    stack: StackArgs,
}

pub(super) async fn chaos(args: &ChaosArgs) -> Result<ExitCode> {
    let wanted = |row: &Row| args.only.as_ref().is_none_or(|text| row.name().contains(text));
    let rows: Vec<_> = ROWS.into_iter().filter(wanted).collect();
    ensure!(!rows.is_empty(), "no trouble is called so; --list shows what they are called");
    if args.list {
        for row in rows {
            println!("{:>3} s  {}", row.lasts.as_secs(), row.name());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let tempo = Tempo { rate: args.rate, shortened: args.shortened, after: Duration::from_secs(3) };
    let stack = args.stack.options(args.dir.clone(), Extent::Workers);
    let (seeds, every_row) = (args.seeds.clone(), args.every_row);
    chaos::run(&ChaosOptions { stack, tempo, seeds, rows, every_row }).await?;
    Ok(ExitCode::SUCCESS)
}
