//! `mintctl op fail`: an operation ends without an NFT, because a person says so.

use anyhow::Result;
use clap::Args;
use domain::OperationId;
use store::Store;

use super::hand::Hand;
use crate::exit::Exit;
use crate::person::{PersonArgs, given};

const EXAMPLES: &str =
    "A transaction of it that is open is decided first, as mint-submitter would: it failed on chain for good,
or no block can take it any more. Then its NFT has to be absent at finalized. What may still be minted
is refused, and so is everything from BLOCKCHAIN_CONFIRMED on.

Exit code 1 where it is refused, 3 where there is no such operation.

Examples:
  mintctl op fail 0199a0b0-0000-7000-8000-000000000001 --reason 'the user left, ticket 4711'
  mintctl op fail 0199a0b0-0000-7000-8000-000000000001 --reason 'a test' --by anna";

/// Arguments of `op fail`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct FailArgs {
    /// The operation
    #[arg(value_name = "ID")]
    id: OperationId,

    /// Why, for its history and its status
    #[arg(long)]
    reason: String,

    #[command(flatten)]
    person: PersonArgs,
}

/// Fails it.
///
/// # Errors
/// [`crate::exit::Usage`] for an empty reason; the database's trouble, or endpoints that are not configured.
pub async fn run(args: &FailArgs, store: &Store, json: bool) -> Result<Exit> {
    let hand = Hand::new(store, &args.person, Some(given(&args.reason)?))?;
    hand.on(args.id, json, async |operation| hand.fail(operation).await).await
}
