//! `mintctl dlq`: what the fleet put aside, seen and dealt with.

mod decode;
mod discard;
mod edit;
mod filter;
mod fingerprint;
mod groups;
mod letters;
mod ls;
mod replay;
mod show;

use anyhow::Result;
use clap::{Args, Subcommand};
use kafka::KafkaSettings;
use store::Store;

use crate::exit::Exit;

const EXAMPLES: &str = "Examples:
  mintctl dlq ls --group
  mintctl dlq show 0199a0b0-0000-5000-8000-000000000001
  mintctl dlq replay --fingerprint 3f2a9c --rate 20/s --reason 'the gateway is back'
  mintctl dlq discard --code not-json --since 1h --reason 'a test of the API team'";

/// Arguments of `dlq`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DlqArgs {
    #[command(subcommand)]
    command: DlqCommand,
}

#[derive(Debug, Subcommand)]
enum DlqCommand {
    /// List dead letters, newest first, or what puts them aside
    Ls(ls::LsArgs),
    /// Show all about one: record, decoded value, operation, chain
    Show(show::ShowArgs),
    /// Try them once more: one, some or all
    Replay(Box<replay::ReplayArgs>),
    /// Decide that nothing is to be done about them
    Discard(discard::DiscardArgs),
}

/// Does it.
///
/// # Errors
/// Arguments that make no sense together; the cluster's trouble, or the database's.
pub async fn run(args: &DlqArgs, kafka: &KafkaSettings, store: &Store, json: bool) -> Result<Exit> {
    match &args.command {
        DlqCommand::Ls(args) => ls::run(args, kafka, store, json).await,
        DlqCommand::Show(args) => show::run(args, kafka, store, json).await,
        DlqCommand::Replay(args) => replay::run(args, kafka, store, json).await,
        DlqCommand::Discard(args) => discard::run(args, kafka, store, json).await,
    }
}
