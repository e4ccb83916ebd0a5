//! The mint step: one NFT per operation, whatever crashes, times out or lies.
//!
//! A transaction is signed and handed back; once that is on record it is sent, and sent again, until its fate is known.
//! Only when it can no longer mint anything, and nothing is minted, is the next one signed.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    Attempt, Clock, DecidedAttempt, Failure, MOST_SIGNED, MintAddress, Operation, OperationKind, State, Step,
    Transition, WalletAddress,
};
use engine::{BurnLedger, StepError, StepHandler};
use solana::{
    Chain, Commitment, Landing, Membership, MintOrder, MintStandard, MintState, Mints, OnChainErrorKind, Opinions,
    Pubkey, RpcError, SLOTS_TO_EXPIRY, SendOutcome, SigningGround, Watch,
};

use crate::burn;
use crate::claim::Claims;
use crate::collection;
use crate::fate::{self, Ended};
use crate::funding::PayerFunds;
use crate::order::order;
use crate::payer_pause::{PayerPauses, out_of_funds};
use crate::rotation::Rotation;
use crate::tried::Tried;

/// How long a failed transaction is watched for its finality, which comes after 13 s, in one go.
const FINALITY_PATIENCE: Duration = Duration::from_mins(1);
/// After so long one endpoint's word is enough that an attempt expired.
const ALONE_AFTER: TimeDelta = TimeDelta::minutes(5);

/// The mint step.
#[derive(Debug)]
pub struct Minter<C, S, T, B> {
    pub(crate) chain: C,
    pub(crate) mints: Mints<S>,
    pub(crate) rotation: Option<Rotation>,
    claims: Claims<B>,
    clock: T,
    pauses: PayerPauses,
    funds: Arc<PayerFunds>,
    tried: Tried,
}

impl<C: Chain, S: MintStandard, T: Clock, B: BurnLedger> StepHandler for Minter<C, S, T, B> {
    const STEP: Step = Step::Mint;
    /// What is signed and not confirmed ages with its blockhash and is sent again and again, so a backlog waits before it is
    /// signed. A cluster that confirms in two seconds takes 250 a second from one process.
    const AT_ONCE: usize = 512;

    async fn run(&self, operation: &Operation) -> Result<Transition, StepError> {
        let transition = match &operation.open_attempt {
            Some(attempt) if operation.state == State::BlockchainSubmitted => self.carry(operation, attempt).await?,
            Some(_) | None => self.begin(operation).await?,
        };
        if !matches!(transition, Transition::Submitted { .. }) {
            self.tried.forget(&operation.id);
        }
        Ok(transition)
    }
}

impl<C: Chain, S: MintStandard, T: Clock, B: BurnLedger> Minter<C, S, T, B> {
    /// Mints on `chain` what `mints` signs, and for a burn only what holds the claim on it in `burns`.
    #[must_use]
    pub fn new(chain: C, mints: Mints<S>, burns: Arc<B>, clock: T) -> Self {
        Self {
            chain,
            mints,
            rotation: None,
            claims: Claims(burns),
            clock,
            pauses: PayerPauses::default(),
            funds: Arc::default(),
            tried: Tried::default(),
        }
    }

    /// Signs nothing for a payer that the keeper of these funds found short.
    #[must_use]
    pub fn funded_by(self, funds: Arc<PayerFunds>) -> Self {
        Self { funds, ..self }
    }

    /// Where the master secret was changed: when that was. Without it nothing new is signed while there are retired secrets.
    #[must_use]
    pub fn rotated(self, rotation: Option<Rotation>) -> Self {
        Self { rotation, ..self }
    }

    /// No attempt is open. What is minted already is found; otherwise a transaction is signed, and not sent. An upgrade
    /// comes to its address by the claim on its burn: another one with the same burn has the same.
    async fn begin(&self, operation: &Operation) -> Result<Transition, StepError> {
        let mint = match (operation.mint_address, operation.content.kind) {
            (Some(mint), _) => mint,
            (None, OperationKind::Unlock | OperationKind::Airdrop) => self.place(operation).await?.mint,
            (None, OperationKind::Upgrade) => self.paid_for(operation).await?,
        };
        let state = self.chain.mint_state(&mint, Commitment::Confirmed, 0).await.map_err(|error| trouble(&error))?;
        match state {
            MintState::Minted => self.found(mint).await,
            MintState::Foreign => Err(foreign(&mint)),
            MintState::Absent { lamports } => {
                let order = self.order(operation, mint).await?;
                let ground = ground(operation, lamports, self.tried.signed_again(&operation.id));
                self.sign(operation, &order, ground, None).await
            }
        }
    }

    /// The address of an upgrade, once its burn was verified and is claimed. What no collection would take in claims nothing.
    async fn paid_for(&self, operation: &Operation) -> Result<MintAddress, StepError> {
        let missing = || Failure::permanent("no-burn", "it is an upgrade and names no burn");
        let burn = operation.content.burn.as_ref().ok_or_else(|| StepError::Permanent(missing()))?;
        self.membership(operation).await?;
        let is_ours = |authority: &Pubkey| self.mints.mints_as(authority);
        burn::verify(&self.chain, operation, burn, is_ours, self.clock.now()).await?;
        let place = self.place(operation).await?;
        self.claims.claim(&self.chain, operation, &place).await?;
        Ok(place.mint)
    }

    /// An attempt is on record. It is sent until it has landed or is over.
    async fn carry(&self, operation: &Operation, attempt: &Attempt) -> Result<Transition, StepError> {
        let mint = operation.mint_address.unwrap_or_else(|| self.mints.address(operation));
        if let Some(endpoint) = &operation.terms.endpoint {
            self.chain.prefer(&attempt.signature, endpoint);
        }
        let mut sends = self.tried.sends(&operation.id, &attempt.signature);
        let mut round = 0;
        loop {
            let outcome = if sends.seen {
                SendOutcome::AlreadyProcessed
            } else {
                self.chain.send(attempt, operation.priority, round, !sends.taken).await
            };
            sends.note(&outcome);
            self.tried.note_sends(operation.id, attempt.signature, &sends);
            let landing = self.chain.landing(attempt.into(), Commitment::Confirmed, fate::patience(&outcome)).await;
            sends.seen = matches!(landing, Landing::Pending { .. });
            match landing {
                Landing::Landed { .. } => return Ok(Transition::Confirmed { mint, signature: attempt.signature }),
                Landing::Failed { .. } => {
                    if let Some(transition) = self.failed_on_chain(operation, attempt, mint).await? {
                        return Ok(transition);
                    }
                }
                Landing::Unknown { tip } if may_be_over(attempt, tip) => {
                    if self.expired(operation, attempt, &mint).await? {
                        return self.conclude(operation, mint, Ended::expired(attempt, sends)).await;
                    }
                }
                Landing::Unknown { .. } | Landing::Pending { .. } => {}
            }
            if let Some(transition) = self.answer(operation, attempt, outcome, mint).await? {
                return Ok(transition);
            }
            round += 1;
        }
    }

    /// What a send alone calls for, while the status tells nothing.
    async fn answer(
        &self,
        operation: &Operation,
        attempt: &Attempt,
        outcome: SendOutcome,
        mint: MintAddress,
    ) -> Result<Option<Transition>, StepError> {
        match outcome {
            SendOutcome::Accepted
            | SendOutcome::AlreadyProcessed
            | SendOutcome::MayHaveLanded(_)
            | SendOutcome::BlockhashNotFound(_) => Ok(None),
            SendOutcome::Behind(error) | SendOutcome::RateLimited(error) | SendOutcome::NotReached(error) => {
                Err(trouble(&error))
            }
            SendOutcome::FailedPreflight { error, .. } => match error.kind {
                OnChainErrorKind::AlreadyThere => self.found_if_minted(mint).await,
                OnChainErrorKind::NoFunds => {
                    let payer = attempt.payer.map_or_else(|| self.mints.payers().of(&operation.id), pubkey);
                    self.pauses.begin(payer);
                    Err(StepError::Dependency(out_of_funds(payer, error)))
                }
                OnChainErrorKind::NoUnits | OnChainErrorKind::Passing | OnChainErrorKind::Hopeless => Ok(None),
            },
        }
    }

    /// It landed with an error. That counts once it is final; until then another block may take its place.
    async fn failed_on_chain(
        &self,
        operation: &Operation,
        attempt: &Attempt,
        mint: MintAddress,
    ) -> Result<Option<Transition>, StepError> {
        match self.chain.landing(Watch::from(attempt), Commitment::Finalized, FINALITY_PATIENCE).await {
            Landing::Landed { .. } => Ok(Some(Transition::Confirmed { mint, signature: attempt.signature })),
            Landing::Failed { slot, error } => {
                self.conclude(operation, mint, Ended::failed(attempt, slot, error)).await.map(Some)
            }
            Landing::Pending { .. } | Landing::Unknown { .. } => Ok(None),
        }
    }

    async fn expired(&self, operation: &Operation, attempt: &Attempt, mint: &MintAddress) -> Result<bool, StepError> {
        let opinions =
            if self.clock.now() - operation.updated_at > ALONE_AFTER { Opinions::One } else { Opinions::Two };
        let expired = self
            .chain
            .expired(attempt.last_valid_block_height, mint, opinions)
            .await
            .map_err(|error| trouble(&error))?;
        if expired && opinions == Opinions::One {
            tracing::warn!(operation.id = %operation.id, signature = %attempt.signature, "expired by one endpoint's word");
        }
        Ok(expired)
    }

    /// The attempt is decided. What is minted all the same is found; otherwise the next one is signed, or it ends here.
    async fn conclude(&self, operation: &Operation, mint: MintAddress, ended: Ended) -> Result<Transition, StepError> {
        let state =
            self.chain.mint_state(&mint, Commitment::Finalized, ended.slot).await.map_err(|error| trouble(&error))?;
        let lamports = match state {
            MintState::Minted => return self.found(mint).await,
            MintState::Foreign => return Err(foreign(&mint)),
            MintState::Absent { lamports } => lamports,
        };
        let decided = Some(ended.decided);
        let error = ended.error.as_ref().map(|error| error.kind);
        if error == Some(OnChainErrorKind::Hopeless) {
            return Ok(Transition::Failed { failure: ended.hopeless(), decided });
        }
        let order = match self.order(operation, mint).await {
            Ok(order) => order,
            // Nothing is minted, nothing is under way, and nothing can be ordered any more.
            Err(StepError::Permanent(failure)) => return Ok(Transition::Failed { failure, decided }),
            Err(error) => return Err(error),
        };
        // Whether there are funds again shows at the next send.
        if error == Some(OnChainErrorKind::NoUnits) {
            self.mints.raise_budget(&operation.id, &order, lamports).await;
        }
        if ended.counts {
            self.tried.count(operation.id, ended.decided.signature);
        }
        let signed_before = self.tried.signed_again(&operation.id);
        let most = operation.terms.signings.unwrap_or(MOST_SIGNED);
        if signed_before >= most {
            return Ok(Transition::Failed { failure: ended.exhausted(most), decided });
        }
        let ground = ground(operation, lamports, signed_before);
        self.sign(operation, &order, ground, decided).await
    }

    async fn sign(
        &self,
        operation: &Operation,
        order: &MintOrder,
        ground: SigningGround,
        decided: Option<DecidedAttempt>,
    ) -> Result<Transition, StepError> {
        let mint = order.mint;
        let key_id = self.mints.key_of(operation, &mint, operation.key_id.as_deref());
        let key_id = key_id.map_err(|error| StepError::of_dependency(error.failure()))?.to_owned();
        let payer = self.mints.payers().of(&operation.id);
        self.pauses.check(payer).and_then(|()| self.funds.check(payer)).map_err(StepError::Dependency)?;
        let signed = self.mints.sign(&self.chain, operation, order, ground).await;
        let attempt = signed.map_err(|error| StepError::of_dependency(error.failure()))?;
        Ok(Transition::Submitted { mint, key_id, attempt, decided })
    }

    /// What is to be minted, once its collection is known to take it in.
    async fn order(&self, operation: &Operation, mint: MintAddress) -> Result<MintOrder, StepError> {
        let collection = self.membership(operation).await?;
        order(operation, mint, collection).map_err(StepError::Permanent)
    }

    async fn membership(&self, operation: &Operation) -> Result<Option<Membership>, StepError> {
        collection::membership(&self.chain, operation, &self.mints, self.clock.now()).await
    }

    async fn found_if_minted(&self, mint: MintAddress) -> Result<Option<Transition>, StepError> {
        match self.chain.mint_state(&mint, Commitment::Confirmed, 0).await.map_err(|error| trouble(&error))? {
            MintState::Minted => self.found(mint).await.map(Some),
            MintState::Absent { .. } | MintState::Foreign => Ok(None),
        }
    }

    /// The NFT exists; which transaction made it is asked of the chain.
    async fn found(&self, mint: MintAddress) -> Result<Transition, StepError> {
        let signature = self.chain.minted_by(&mint).await.map_err(|error| trouble(&error))?;
        let missing =
            || Failure::transient("minting-transaction-not-found", format!("{mint} is minted, nobody says how"));
        let signature = signature.ok_or_else(|| StepError::Dependency(missing()))?;
        Ok(Transition::Confirmed { mint, signature })
    }
}

fn ground(operation: &Operation, lamports: u64, signed_before: u32) -> SigningGround {
    SigningGround { lamports, signed_before, unit_price: operation.terms.unit_price }
}

pub(crate) fn may_be_over(attempt: &Attempt, tip: Option<u64>) -> bool {
    tip.is_some_and(|tip| tip >= attempt.context_slot + SLOTS_TO_EXPIRY)
}

fn pubkey(address: WalletAddress) -> Pubkey {
    Pubkey::from(*address.as_bytes())
}

pub(crate) fn trouble(error: &RpcError) -> StepError {
    StepError::of_dependency(error.failure())
}

pub(crate) fn foreign(mint: &MintAddress) -> StepError {
    StepError::Permanent(Failure::permanent(
        "mint-not-ours",
        format!("{mint} is a mint that its edition does not rule"),
    ))
}
