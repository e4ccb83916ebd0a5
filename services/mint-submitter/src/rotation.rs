//! A change of the master secret. An operation that has no address on record may have an NFT all the same, at the address
//! that a secret of before gives it: where a backup was restored, rows were lost. The chain refuses no second mint at another
//! address, so it is looked for before anything is signed.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, Failure, MintAddress, Operation};
use engine::{BurnLedger, MintPlace, StepError};
use solana::{Chain, Commitment, MasterSecrets, MintStandard, MintState, Opinions};
use store::{MintKeyRecord, Store};

use crate::mint::{Minter, foreign, trouble};

/// How far the clocks of those who publish events may be ahead of ours, and how long a process with the secret of before
/// may go on beside one with the new secret.
const OVERLAP: TimeDelta = TimeDelta::hours(1);

/// How far the endpoint that is asked for a blockhash may be behind the one that the process with the secret of before asked.
const BLOCKS_BEHIND: u64 = 150;

/// Since when new addresses are derived from the master secret in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// When it took the place of the one before.
    pub at: DateTime<Utc>,
    /// A block height at which nothing can land any more that was signed for an address of the one before until then.
    pub settled_height: u64,
}

impl Rotation {
    /// How many endpoints have to say that an address of before is empty. An event that may have been minted before has
    /// two, always: here no second opinion is made up for by waiting. A younger one was minted before only where it was
    /// published again after its row was lost; one finalized answer tells.
    fn opinions(&self, event_at: DateTime<Utc>) -> Opinions {
        if event_at < self.at + OVERLAP { Opinions::Two } else { Opinions::One }
    }
}

impl<C: Chain, S: MintStandard, T: Clock, B: BurnLedger> Minter<C, S, T, B> {
    /// Where an operation without an address has its NFT: where a secret of before has put it already, or, once nothing
    /// is at any such address and nothing can get there any more, where the secret in use puts it.
    pub(crate) async fn place(&self, operation: &Operation) -> Result<MintPlace, StepError> {
        for (key_id, mint) in self.mints.retired_addresses(operation) {
            let rotation = self.rotation.ok_or_else(|| undecided(key_id, &mint))?;
            let opinions = rotation.opinions(operation.event_at);
            let absent = self.chain.expired(rotation.settled_height, &mint, opinions).await;
            if absent.map_err(|error| trouble(&error))? {
                continue;
            }
            let state = self.chain.mint_state(&mint, Commitment::Finalized, 0).await;
            match state.map_err(|error| trouble(&error))? {
                MintState::Minted => {
                    tracing::warn!(operation.id = %operation.id, mint.address = %mint, key.id = key_id, "minted before");
                    return Ok(MintPlace { mint, key_id: key_id.to_owned() });
                }
                MintState::Foreign => return Err(foreign(&mint)),
                MintState::Absent { .. } => return Err(undecided(key_id, &mint)),
            }
        }
        Ok(MintPlace { mint: self.mints.address(operation), key_id: self.mints.key_id().to_owned() })
    }
}

/// Notes that new addresses are derived from the active secret from now on, unless that is on record already, and answers
/// since when; none where there was never another one.
///
/// # Errors
/// The database's trouble; no endpoint that answers when the chain is asked for the first time after a change.
pub(crate) async fn recorded_rotation(
    store: &Store,
    masters: &MasterSecrets,
    chain: &impl Chain,
) -> anyhow::Result<Option<Rotation>> {
    let key_id = masters.active().key_id();
    store.activate_mint_key(key_id).await?;
    if masters.retired().next().is_none() {
        return Ok(None);
    }
    let mut active = activated(store, key_id).await?;
    if active.settled_height.is_none() {
        let blockhash =
            chain.blockhash().await.context("the chain has to be asked once after a change of the master secret")?;
        store.settle_mint_key(&active, blockhash.last_valid_block_height.saturating_add(BLOCKS_BEHIND)).await?;
        active = activated(store, key_id).await?;
    }
    let rotation = active.activated_at.zip(active.settled_height);
    let (at, settled_height) = rotation.context("another process activated another master secret at this moment")?;
    tracing::info!(key.id = key_id, rotated.at = %at, settled.height = settled_height, "retired addresses come first");
    Ok(Some(Rotation { at, settled_height }))
}

async fn activated(store: &Store, key_id: &str) -> anyhow::Result<MintKeyRecord> {
    let mut keys = store.mint_keys().await?.into_iter();
    keys.find(|key| key.key_id == key_id)
        .with_context(|| format!("the master secret {key_id} is not on record any more"))
}

fn undecided(key_id: &str, mint: &MintAddress) -> StepError {
    let message = format!("it may have been minted at {mint} under the master secret {key_id}: not told yet for sure");
    StepError::Dependency(Failure::transient("rotation-not-settled", message))
}
