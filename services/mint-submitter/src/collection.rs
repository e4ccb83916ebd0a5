//! Whether the collection that an operation names takes its NFT in. Nothing is claimed and nothing signed before this says so.
//!
//! An NFT that names a collection and is not verified into it is one that any stranger could have made, and what is minted
//! is never changed again: better none.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Failure, Operation};
use engine::StepError;
use solana::{ChainView, CollectionState, Membership, MintStandard, Mints};

use crate::mint::trouble;

/// A collection that is not there so long after its operation came here will not be: it is final within a minute of its
/// creation, and an endpoint that has not seen it by then is behind.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::minutes(10);

/// The place that the NFT takes in its collection; none where none is ordered.
///
/// # Errors
/// A dependency's trouble while the collection is not there yet; permanent, with a code of its own, where it is not ours to
/// put anything into (any more), or is none.
pub(crate) async fn membership<C: ChainView, S: MintStandard>(
    chain: &C,
    operation: &Operation,
    mints: &Mints<S>,
    now: DateTime<Utc>,
) -> Result<Option<Membership>, StepError> {
    let Some(collection) = operation.content.nft.collection else { return Ok(None) };
    match chain.collection(&collection).await.map_err(|error| trouble(&error))? {
        CollectionState::Standing { authority } if mints.puts_into_collections_of(&authority) => {
            Ok(Some(Membership { collection, authority }))
        }
        CollectionState::Standing { authority } if mints.mints_as(&authority) => {
            let ruler = format!("{authority}, a payer of before whose key is not here any more");
            Err(refused("collection-key-gone", format!("{collection} is ruled by {ruler}")))
        }
        CollectionState::Standing { authority } => {
            Err(refused("collection-not-ours", format!("only {authority} puts anything into {collection}")))
        }
        CollectionState::NoCollection => {
            Err(refused("not-a-collection", format!("{collection} is a token that is no collection")))
        }
        CollectionState::Absent if now - operation.updated_at > GIVE_UP_AFTER => {
            let minutes = GIVE_UP_AFTER.num_minutes();
            Err(refused("collection-missing", format!("after {minutes} min still: there is nothing at {collection}")))
        }
        CollectionState::Absent => {
            let message = format!("there is nothing at {collection} yet");
            Err(StepError::Dependency(Failure::transient("collection-not-there", message)))
        }
    }
}

fn refused(code: &'static str, message: impl std::fmt::Display) -> StepError {
    StepError::Permanent(Failure::permanent(code, message))
}
