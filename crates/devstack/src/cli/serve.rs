//! `devstack serve`, `provision` and `fetch`: the stack in pieces, for containers.

use std::{future, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use devstack::{
    Progress,
    serve::{self, ChainServer, PinAccount, PinsServer},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};

/// What a person may try first.
pub(super) const EXAMPLES: &str = "Each prints where it answers, a line for each address, and ends in order at SIGTERM.

Examples:
  devstack serve chain --listen 0.0.0.0:8899,0.0.0.0:8900
  devstack serve pins --dir pins --account 0.0.0.0:8801=pin-keys/first --gateway 0.0.0.0:8080";

#[derive(Debug, Subcommand)]
pub(super) enum ServeCommand {
    /// A Solana chain with the Token Metadata program; it lives in memory and begins anew with every start
    Chain(ChainArgs),
    /// Pin servers that speak Pinata's API, and IPFS gateways over what they hold; what is pinned outlives them
    Pins(PinsArgs),
}

#[derive(Debug, Args)]
pub(super) struct ChainArgs {
    /// ADDRESS:PORT of each RPC endpoint before the chain, separated by commas
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', default_value = "127.0.0.1:8899")]
    listen: Vec<SocketAddr>,
    /// How long a slot takes, in milliseconds
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(10..=10_000))]
    slot_ms: u64,
    #[command(flatten)]
    cache: CacheArgs,
}

#[derive(Debug, Args)]
pub(super) struct PinsArgs {
    /// ADDRESS:PORT=FILE: where an account answers, and the file with the token that its client must show; once for each
    #[arg(long, required = true)]
    account: Vec<PinAccount>,
    /// ADDRESS:PORT of each gateway, separated by commas
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    gateway: Vec<SocketAddr>,
    /// Where what is pinned is kept
    #[arg(long)]
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ProvisionArgs {
    /// Where keys, tokens and images are put, in directories of their own; what is there stays
    #[arg(long)]
    dir: PathBuf,
    /// An RPC endpoint of the chain that gives the payer its SOL
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8899")]
    rpc: String,
}

#[derive(Debug, Args)]
pub(super) struct CacheArgs {
    /// Where downloads are kept [default: ~/.cache/mintfleet]
    #[arg(long, env = "MINTFLEET_CACHE")]
    cache: Option<PathBuf>,
}

pub(super) async fn serve(command: ServeCommand) -> Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let serving = async {
        match command {
            ServeCommand::Chain(args) => chain(args).await,
            ServeCommand::Pins(args) => pins(args).await,
        }
    };
    tokio::select! {
        ended = serving => ended?,
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn provision(args: &ProvisionArgs) -> Result<ExitCode> {
    serve::provision(&args.dir, &args.rpc).await?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn fetch(args: CacheArgs) -> Result<ExitCode> {
    program(args).await?;
    Ok(ExitCode::SUCCESS)
}

async fn chain(args: ChainArgs) -> Result<()> {
    let program = program(args.cache).await?;
    let server = ChainServer::start(&args.listen, Duration::from_millis(args.slot_ms), &program).await?;
    tell(&server.entries());
    server.ended().notified().await;
    bail!("the chain ended by itself")
}

async fn pins(args: PinsArgs) -> Result<()> {
    let server = PinsServer::start(&args.dir, &args.account, &args.gateway).await?;
    tell(&server.urls());
    future::pending().await
}

async fn program(args: CacheArgs) -> Result<Vec<u8>> {
    spawn_blocking(move || serve::fetch_program(args.cache.as_deref(), &Progress::stderr())).await?
}

fn tell(lines: &[String]) {
    for line in lines {
        println!("{line}");
    }
}
