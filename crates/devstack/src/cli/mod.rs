//! The commands and their options.

mod bench;
mod chaos;
mod demo;
mod down;
mod exec;
mod fault;
mod run;
mod serve;
mod summary;
mod up;

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use devstack::{Extent, Progress, StackOptions};

/// The mintfleet stack on this machine, without containers: PostgreSQL, Kafka, a Solana chain, pin servers and IPFS
/// gateways, and the three workers.
#[derive(Debug, Parser)]
#[command(name = "devstack", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the stack in the background; where it runs, start whatever of it was killed
    Up(What),
    /// Stop the stack in the background and remove its data
    Down(Where),
    /// Run the stack in the foreground until SIGINT or SIGTERM
    Run {
        #[command(flatten)]
        what: What,
        /// Leave the terminal's session (what `up` starts)
        #[arg(long, hide = true)]
        background: bool,
    },
    /// Let parts of the stack in the background fail, list what fails, end it
    #[command(subcommand, after_help = fault::EXAMPLES)]
    Fault(fault::FaultCommand),
    /// Mint on a stack of its own, show what came of it, and judge it; nothing is left running
    Demo(demo::DemoArgs),
    /// Print what the fleet does and costs, beside what the machine could do
    Bench(bench::BenchArgs),
    /// Serve one part of a stack at given addresses until SIGINT or SIGTERM, for containers
    #[command(subcommand, after_help = serve::EXAMPLES)]
    Serve(serve::ServeCommand),
    /// Make the secrets and images of a stack in containers, and give its payer SOL
    Provision(serve::ProvisionArgs),
    /// Fetch the Token Metadata program into the cache, for a `serve chain` where no cargo is
    Fetch(serve::CacheArgs),
    /// Let one thing after the other go wrong while operations keep coming, and judge what came of them
    Chaos(chaos::ChaosArgs),
    /// Run a command inside a stack of its own, which is gone afterwards
    ///
    /// The command finds the addresses in its environment. devstack exits with the command's exit code, or 128 and the
    /// signal's number where a signal ended it.
    Exec {
        #[command(flatten)]
        what: What,
        /// The command and its arguments
        #[arg(required = true, last = true, value_name = "CMD")]
        command: Vec<OsString>,
    },
}

#[derive(Debug, Args)]
struct Where {
    /// Where the stack keeps everything
    #[arg(long, default_value = ".devstack")]
    dir: PathBuf,
}

#[derive(Debug, Args)]
struct What {
    #[command(flatten)]
    place: Where,
    /// PostgreSQL, Kafka, chain, pin servers and gateways only: no schema, no topics, no workers
    #[arg(long, conflicts_with = "no_workers")]
    bare: bool,
    /// Schema and topics, but no workers
    #[arg(long)]
    no_workers: bool,
    #[command(flatten)]
    stack: StackArgs,
}

/// What every command takes that starts a stack.
#[derive(Debug, Args)]
struct StackArgs {
    /// How long a slot of the chain takes, in milliseconds
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(10..=10_000))]
    slot_ms: u64,
    /// How many RPC endpoints stand before the chain
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    rpc_endpoints: u8,
    /// Where mintctl and the workers are [default: beside this program]
    #[arg(long)]
    bin_dir: Option<PathBuf>,
    /// Where downloads are kept [default: ~/.cache/mintfleet]
    #[arg(long, env = "MINTFLEET_CACHE")]
    cache: Option<PathBuf>,
}

impl StackArgs {
    fn options(&self, dir: PathBuf, extent: Extent) -> StackOptions {
        StackOptions {
            dir,
            extent,
            slot: Duration::from_millis(self.slot_ms),
            rpc_endpoints: self.rpc_endpoints,
            settings: BTreeMap::new(),
            bin_dir: self.bin_dir.clone(),
            cache: self.cache.clone(),
            progress: Progress::stderr(),
        }
    }
}

impl What {
    fn extent(&self) -> Extent {
        match (self.bare, self.no_workers) {
            (true, _) => Extent::Bare,
            (false, true) => Extent::SetUp,
            (false, false) => Extent::Workers,
        }
    }

    fn options(&self) -> StackOptions {
        self.stack.options(self.place.dir.clone(), self.extent())
    }
}

impl Cli {
    /// Does what was asked.
    pub(crate) fn run(self) -> Result<ExitCode> {
        if let Command::Run { background: true, .. } = self.command {
            // Before any thread is there. It fails only for a leader of a group, who needs no protection from a terminal.
            nix::unistd::setsid().ok();
        }
        let runtime = tokio::runtime::Runtime::new()?;
        let done = runtime.block_on(async {
            match self.command {
                Command::Up(what) => up::up(&what).await,
                Command::Down(place) => down::down(&place).await,
                Command::Run { what, background } => run::run(&what, background).await,
                Command::Fault(command) => fault::fault(command).await,
                Command::Demo(args) => demo::demo(&args).await,
                Command::Bench(args) => bench::bench(&args).await,
                Command::Serve(command) => serve::serve(command).await,
                Command::Provision(args) => serve::provision(&args).await,
                Command::Fetch(args) => serve::fetch(args).await,
                Command::Chaos(args) => chaos::chaos(&args).await,
                Command::Exec { what, command } => exec::exec(&what, &command).await,
            }
        });
        // An interrupted download is not waited for.
        runtime.shutdown_background();
        done
    }
}
