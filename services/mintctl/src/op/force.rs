//! `mintctl op force`: an operation is moved to another state, as far as the chain bears it out.

use anyhow::Result;
use clap::Args;
use domain::{Operation, OperationId, RetryTerms, State};
use store::Store;

use super::answer::Answer;
use super::hand::Hand;
use crate::exit::Exit;
use crate::list::states;
use crate::person::{PersonArgs, given};

const EXAMPLES: &str =
    "Backwards (FAILED; then INITIATED, or IPFS_UPLOADED while its content is pinned) only while nothing
signed for it can mint any more and its NFT is absent. Forwards to BLOCKCHAIN_CONFIRMED only where the
chain shows its NFT at finalized, and from DATABASE_UPDATED to VERIFIED only where the NFT is the one
on record: for what a partner sees of it this person stands. All other states are the workers' alone.

Exit code 1 where it is refused, 3 where there is no such operation.

Examples:
  mintctl op force 0199a0b0-0000-7000-8000-000000000001 BLOCKCHAIN_CONFIRMED --reason 'seen in the explorer'
  mintctl op force 0199a0b0-0000-7000-8000-000000000001 INITIATED --reason 'pin it all anew'";

/// Arguments of `op force`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ForceArgs {
    /// The operation
    #[arg(value_name = "ID")]
    id: OperationId,

    /// The state, such as FAILED
    #[arg(value_name = "STATE", value_parser = states(), ignore_case = true)]
    state: State,

    /// Why, for its history
    #[arg(long)]
    reason: String,

    #[command(flatten)]
    person: PersonArgs,
}

/// Forces it.
///
/// # Errors
/// [`crate::exit::Usage`] for an empty reason; the database's trouble, or endpoints that are not configured.
pub async fn run(args: &ForceArgs, store: &Store, json: bool) -> Result<Exit> {
    let hand = Hand::new(store, &args.person, Some(given(&args.reason)?))?;
    hand.on(args.id, json, async |operation| force(&hand, operation, args.state).await).await
}

async fn force(hand: &Hand<'_>, operation: &Operation, to: State) -> Result<Answer> {
    let from = operation.state;
    if from == to {
        return Ok(Answer::no(format!("it is {to} already")));
    }
    if !from.may_become(to) {
        return Ok(Answer::no(no_way(from, to)));
    }
    match to {
        State::Failed => hand.fail(operation).await,
        State::Initiated => hand.revive(operation, Some(to), &RetryTerms::default()).await,
        State::IpfsUploaded if from == State::Failed => hand.revive(operation, Some(to), &RetryTerms::default()).await,
        State::BlockchainConfirmed => hand.confirm(operation).await,
        State::Verified => hand.verify(operation).await,
        State::ImageUploaded | State::IpfsUploaded => {
            Ok(Answer::no("what is pinned only ipfs-uploader can tell: `op retry` has it look at once"))
        }
        State::BlockchainSubmitted => Ok(Answer::no(
            "a signed transaction leads there, or one that finality dropped: the workers tell these, and nobody else",
        )),
        State::DatabaseUpdated => {
            Ok(Answer::no("its record is written from the chain by the verifier: `op retry` has it look at once"))
        }
        State::RolledBack => Ok(Answer::no("ipfs-uploader rolls it back by itself, once its content is unpinned")),
    }
}

fn no_way(from: State, to: State) -> String {
    let ways: Vec<_> = from.successors().iter().map(|state| state.as_str()).collect();
    match ways.as_slice() {
        [] => format!("it is {from}, and that is the end"),
        ways => format!("no operation goes from {from} to {to}; from {from} it goes to {}", ways.join(", ")),
    }
}
