//! A top-up that is on record is sent, and sent again, until its fate is known, as an attempt to mint is: no other one is
//! signed before.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Clock, Priority, Signature, TopUp, Verdict};
use solana::{Chain, Commitment, Landing, MintState, Opinions, Purse, SendOutcome, Watch};

use super::error::FundingError;
use super::keeper::FundingKeeper;
use super::ledger::FundingLedger;
use crate::fate::Sends;
use crate::metrics;
use crate::mint::may_be_over;

/// How long the status is waited for after a send.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is known of the sends of the open top-up. Only in this process: another one sends for itself.
#[derive(Default)]
pub(super) struct Carried {
    of: Option<Signature>,
    round: u32,
    sends: Sends,
}

impl<C: Chain + Purse, L: FundingLedger, T: Clock> FundingKeeper<C, L, T> {
    /// Sends it where that is needed, and looks what became of it. True once that is decided.
    pub(super) async fn carry(&self, top_up: &TopUp) -> Result<bool, FundingError> {
        let (round, taken, seen) = self.begin_round(top_up.attempt.signature);
        if !seen {
            let outcome = self.chain.send(&top_up.attempt, Priority::Critical, round, !taken).await;
            if let (0, SendOutcome::FailedPreflight { error, .. }) = (round, &outcome) {
                tracing::warn!(signature = %top_up.attempt.signature, %error, "a top-up is refused when it is tried out");
            }
            self.carried().sends.note(&outcome);
        }
        let landing = self.chain.landing(Watch::from(&top_up.attempt), Commitment::Finalized, PATIENCE).await;
        self.carried().sends.seen = matches!(landing, Landing::Pending { .. });
        match landing {
            Landing::Landed { slot } => self.decide(top_up, Verdict::Finalized, Some(slot)).await,
            Landing::Failed { slot, error } => {
                tracing::warn!(signature = %top_up.attempt.signature, %error, "a top-up failed on chain");
                self.decide(top_up, Verdict::FailedOnChain, Some(slot)).await
            }
            Landing::Unknown { tip } if may_be_over(&top_up.attempt, tip) => self.by_its_marker(top_up, tip).await,
            Landing::Unknown { .. } | Landing::Pending { .. } => Ok(false),
        }
    }

    /// No block takes it any more, and nobody knows whether one did: its marker tells. That it is absent two endpoints
    /// have to say wherever there are two, however long that takes: of two mints the chain refuses one, of two transfers
    /// none.
    async fn by_its_marker(&self, top_up: &TopUp, tip: Option<u64>) -> Result<bool, FundingError> {
        if self.chain.expired(top_up.attempt.last_valid_block_height, &top_up.marker, Opinions::Two).await? {
            return self.decide(top_up, Verdict::Expired, None).await;
        }
        match self.chain.mint_state(&top_up.marker, Commitment::Finalized, 0).await? {
            MintState::Minted | MintState::Foreign => self.decide(top_up, Verdict::Finalized, tip).await,
            MintState::Absent { .. } => Ok(false),
        }
    }

    async fn decide(&self, top_up: &TopUp, verdict: Verdict, slot: Option<u64>) -> Result<bool, FundingError> {
        if self.ledger.decide(&top_up.attempt.signature, verdict, slot).await? {
            metrics::topped_up(verdict);
            tracing::info!(
                payer = %top_up.payer, lamports = top_up.lamports, signature = %top_up.attempt.signature,
                verdict = verdict.as_str(), "a top-up is decided"
            );
        }
        Ok(true)
    }

    /// Which round of sending it is, whether an endpoint took it, and whether the cluster has it in a block.
    fn begin_round(&self, signature: Signature) -> (u32, bool, bool) {
        let mut carried = self.carried();
        if carried.of == Some(signature) {
            carried.round += 1;
        } else {
            *carried = Carried { of: Some(signature), ..Carried::default() };
        }
        (carried.round, carried.sends.taken, carried.sends.seen)
    }

    fn carried(&self) -> MutexGuard<'_, Carried> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) type Carrying = Mutex<Carried>;
