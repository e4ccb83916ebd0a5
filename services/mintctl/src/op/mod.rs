//! `mintctl op`: one operation, seen and dealt with by hand.

mod answer;
mod fail;
mod force;
mod hand;
mod retry;

use anyhow::Result;
use clap::{Args, Subcommand};
use domain::OperationId;
use store::Store;

use crate::exit::Exit;
use crate::status;

const EXAMPLES: &str =
    "Nothing is done that could mint twice: what was signed for an operation has to be decided, and its
NFT absent at finalized as two endpoints say, before it may fail or begin anew; and it goes forward
only to what the chain shows. Who did what, and why, is in the operation's history. The workers
publish what follows from it within a second or two; without them it waits.

Examples:
  mintctl op show 0199a0b0-0000-7000-8000-000000000001
  mintctl op retry 0199a0b0-0000-7000-8000-000000000001 --fee 50000 --reason 'the cluster is busy'
  mintctl op force 0199a0b0-0000-7000-8000-000000000001 BLOCKCHAIN_CONFIRMED --reason 'seen in the explorer'
  mintctl op fail 0199a0b0-0000-7000-8000-000000000001 --reason 'the user left, ticket 4711'";

/// Arguments of `op`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct OpArgs {
    #[command(subcommand)]
    command: OpCommand,
}

#[derive(Debug, Subcommand)]
enum OpCommand {
    /// Show all about it: state, what happens next, milestones, transactions, history
    Show(ShowArgs),
    /// Have it tried again: at once where it is under way, from where it can go on where it has ended
    Retry(retry::RetryArgs),
    /// Move it to another state, as far as the chain bears it out
    Force(force::ForceArgs),
    /// End it without an NFT
    Fail(fail::FailArgs),
}

const SHOW_EXAMPLES: &str = "Exit code 3 where there is no such operation.

Examples:
  mintctl op show 0199a0b0-0000-7000-8000-000000000001
  mintctl op show 0199a0b0-0000-7000-8000-000000000001 --json | jq .next";

#[derive(Debug, Args)]
#[command(after_help = SHOW_EXAMPLES)]
struct ShowArgs {
    /// The operation
    #[arg(value_name = "ID")]
    id: OperationId,
}

/// Does it.
///
/// # Errors
/// Arguments that make no sense, the database's trouble, or endpoints that are not configured. The chain's trouble is a
/// refusal: nothing is done then.
pub async fn run(args: &OpArgs, store: &Store, json: bool) -> Result<Exit> {
    match &args.command {
        OpCommand::Show(ShowArgs { id }) => status::run(*id, store, json).await,
        OpCommand::Retry(args) => Box::pin(retry::run(args, store, json)).await,
        OpCommand::Force(args) => Box::pin(force::run(args, store, json)).await,
        OpCommand::Fail(args) => Box::pin(fail::run(args, store, json)).await,
    }
}
