//! The claim on a burn: one burn pays for one mint, whoever asks for it and how often.

use std::sync::Arc;

use domain::{Failure, Operation};
use engine::{BurnClaim, BurnHolder, BurnLedger, MintPlace, StepError, StoreError};
use solana::{ChainView, Commitment, MintState, SLOTS_TO_EXPIRY};

use crate::mint::{foreign, trouble};

/// Who holds which burn.
#[derive(Debug)]
pub(crate) struct Claims<B>(pub Arc<B>);

impl<B: BurnLedger> Claims<B> {
    /// Claims the burn that `operation` names, which was verified, and puts `place` on record with the claim. Where an
    /// operation holds it that ended without an NFT, that one hands it over.
    ///
    /// # Errors
    /// Permanent where the burn was used before.
    pub async fn claim<C: ChainView>(
        &self,
        chain: &C,
        operation: &Operation,
        place: &MintPlace,
    ) -> Result<(), StepError> {
        match self.0.claim_burn(operation, place).await.map_err(|error| of_store(&error))? {
            BurnClaim::Held => Ok(()),
            BurnClaim::HeldBy(holder) => self.inherit(chain, operation, &holder, place).await,
            BurnClaim::Overtaken => Err(overtaken()),
        }
    }

    /// An operation fails only when each of its transactions is decided and its mint absent; that it is absent still is
    /// looked at once more, as of a slot at which whatever it signed was over.
    async fn inherit<C: ChainView>(
        &self,
        chain: &C,
        operation: &Operation,
        holder: &BurnHolder,
        place: &MintPlace,
    ) -> Result<(), StepError> {
        if !holder.state.ended_without_nft() || holder.wallet != operation.content.wallet_address {
            return Err(used(holder));
        }
        if let Some(mint) = holder.mint {
            let over = holder.newest_slot.map_or(0, |slot| slot + SLOTS_TO_EXPIRY);
            match chain.mint_state(&mint, Commitment::Finalized, over).await.map_err(|error| trouble(&error))? {
                MintState::Absent { .. } => {}
                MintState::Minted => return Err(used(holder)),
                MintState::Foreign => return Err(foreign(&mint)),
            }
        }
        if self.0.hand_over_burn(holder, operation, place).await.map_err(|error| of_store(&error))? {
            tracing::info!(operation.id = %operation.id, holder.id = %holder.id, "took over the claim on a burn");
            Ok(())
        } else {
            Err(overtaken())
        }
    }
}

fn used(holder: &BurnHolder) -> StepError {
    let message = format!("the burn is used already: operation {} holds it, in {}", holder.id, holder.state);
    StepError::Permanent(Failure::permanent("burn-already-used", message))
}

fn overtaken() -> StepError {
    StepError::Dependency(Failure::transient("burn-claim-overtaken", "somebody else moved the claim or the operation"))
}

fn of_store(error: &StoreError) -> StepError {
    StepError::of_dependency(error.failure())
}
