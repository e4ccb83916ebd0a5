//! Looks after the payers: one round reads what all of them hold in one call, and does what follows from it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, MintAddress, Shortage, WalletAddress};
use solana::{Chain, Commitment, FundingPolicy, MintState, Pubkey, Purse, TopUpOrder, Treasury};
use store::{LandedTopUp, TopUpRecorded, TreasuryBook};
use tokio::time::sleep;

use super::carry::Carrying;
use super::error::FundingError;
use super::ledger::FundingLedger;
use super::payer_funds::{PayerFunds, Standing};
use crate::metrics;

/// How often the payers are looked at while all is well, and while one waits for money.
const EVERY: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_secs(3);
/// Between two rounds of sending a top-up, each of which waits for its status.
const AT_ONCE: Duration = Duration::from_millis(200);
/// Within this a top-up lands, the first or the next: a blockhash lives for about a minute. Where none does, too few
/// endpoints answer, or they refuse it.
const DECIDED_WITHIN: TimeDelta = TimeDelta::minutes(5);

/// Keeps the payers in funds. Every process has one; the ledger sees to it that they bring money once.
pub struct FundingKeeper<C, L, T> {
    pub(super) chain: C,
    pub(super) ledger: Arc<L>,
    clock: T,
    policy: FundingPolicy,
    treasury: Option<Treasury>,
    payers: Vec<Pubkey>,
    funds: Arc<PayerFunds>,
    pub(super) carried: Carrying,
}

impl<C: Chain + Purse, L: FundingLedger, T: Clock> FundingKeeper<C, L, T> {
    /// Looks after `payers`, as the policy has it.
    #[must_use]
    pub fn new(
        chain: C,
        ledger: Arc<L>,
        clock: T,
        policy: FundingPolicy,
        treasury: Option<Treasury>,
        payers: Vec<Pubkey>,
        funds: Arc<PayerFunds>,
    ) -> Self {
        Self { chain, ledger, clock, policy, treasury, payers, funds, carried: Carrying::default() }
    }

    /// Goes on for ever. May be dropped at any await: what is on record is carried on by whoever comes next.
    pub async fn run(self) {
        let mut told = false;
        loop {
            let round = self.round().await;
            if let Err(error) = &round
                && !told
            {
                tracing::warn!(%error, "a round of the payers' keeper was not finished");
            }
            told = round.is_err();
            sleep(match round {
                Ok(true) => AT_ONCE,
                Ok(false) if self.payers.iter().all(|payer| self.funds.of(payer) == Some(Standing::Enough)) => EVERY,
                Ok(false) => SOON,
                Err(_) => EVERY,
            })
            .await;
        }
    }

    /// One look, and what follows from it. True while a top-up is under way: then the next round is due. The payers are
    /// looked at even where nothing is learned of the top-up, for a person may have sent them money.
    ///
    /// # Errors
    /// [`FundingError`]: what was not done is done by the next round.
    pub async fn round(&self) -> Result<bool, FundingError> {
        let mut book = self.ledger.book().await?;
        let decided = match &book.open {
            Some((top_up, _)) => Box::pin(self.carry(top_up)).await,
            None => Ok(false),
        };
        if matches!(decided, Ok(true)) {
            book = self.ledger.book().await?;
        }
        let (balances, treasury) = self.balances(&book).await?;
        for (payer, lamports) in self.payers.iter().zip(balances) {
            let standing = Box::pin(self.standing(payer, lamports, treasury, &mut book)).await?;
            self.note(*payer, lamports, standing).await?;
        }
        decided.map(|_| book.open.is_some())
    }

    /// What the payers and the treasury hold. What was read before the last top-up landed would bring another one.
    async fn balances(&self, book: &TreasuryBook) -> Result<(Vec<u64>, u64), FundingError> {
        let treasury = self.treasury.as_ref().map(Treasury::address);
        let accounts: Vec<_> = self.payers.iter().copied().chain(treasury).collect();
        let mut balances = self.chain.balances(&accounts, book.last.map_or(0, |last| last.slot)).await?;
        let treasury = treasury.and_then(|_| balances.pop()).inspect(|lamports| metrics::treasury(*lamports));
        Ok((balances, treasury.unwrap_or(0)))
    }

    async fn standing(
        &self,
        payer: &Pubkey,
        lamports: u64,
        treasury: u64,
        book: &mut TreasuryBook,
    ) -> Result<Standing, FundingError> {
        if lamports >= self.policy.top_up_below {
            return Ok(Standing::Enough);
        }
        let shortage = self.top_up(payer, treasury, book).await?.err();
        let signs = lamports >= self.policy.pause_below;
        Ok(match shortage {
            None if signs => Standing::Enough,
            Some(shortage) if signs => Standing::Low(shortage),
            None => Standing::Waiting,
            Some(shortage) => Standing::Short(shortage),
        })
    }

    /// Puts a top-up on record, unless one is there; the next round sends what is on record.
    async fn top_up(
        &self,
        payer: &Pubkey,
        treasury_holds: u64,
        book: &mut TreasuryBook,
    ) -> Result<Result<(), Shortage>, FundingError> {
        // It may be another payer's: then it is this one's turn when that is decided.
        if book.open.is_some() {
            return Ok(self.under_way(book));
        }
        let Some(treasury) = &self.treasury else { return Ok(Err(Shortage::NoTreasury)) };
        if book.given.saturating_add(self.policy.top_up) > self.policy.per_day {
            return Ok(Err(Shortage::DayLimitReached));
        }
        if treasury_holds < Treasury::needs(&self.chain, self.policy.top_up).await? {
            return Ok(Err(Shortage::TreasuryEmpty));
        }
        let last_marker = self.last_marker(treasury, book).await?;
        let order = TopUpOrder { payer: *payer, lamports: self.policy.top_up, last_marker };
        let top_up = treasury.sign(&self.chain, order).await?;
        let known = book.last.as_ref().map(|last| &last.marker);
        match self.ledger.record(&top_up, known, self.policy.per_day).await? {
            TopUpRecorded::Recorded => {
                let signature = top_up.attempt.signature;
                tracing::info!(%payer, lamports = order.lamports, %signature, "a payer is topped up");
            }
            // What the payers hold was read after the last one that this round knows of, and of none since.
            TopUpRecorded::OneIsOpen | TopUpRecorded::Overtaken => {}
            TopUpRecorded::DayLimitReached => return Ok(Err(Shortage::DayLimitReached)),
        }
        book.open = self.ledger.book().await?.open;
        Ok(self.under_way(book))
    }

    /// What is under way brings money, unless it should have done so long ago.
    fn under_way(&self, book: &TreasuryBook) -> Result<(), Shortage> {
        let is_late = |(_, since): &(_, DateTime<Utc>)| self.clock.now() - *since > DECIDED_WITHIN;
        if book.open.as_ref().is_some_and(is_late) { Err(Shortage::Undecided) } else { Ok(()) }
    }

    /// The marker of the last top-up, where nobody closed it yet. That of another treasury it alone can close.
    async fn last_marker(&self, treasury: &Treasury, book: &TreasuryBook) -> Result<Option<MintAddress>, FundingError> {
        let own = |last: &LandedTopUp| *last.treasury.as_bytes() == treasury.address().to_bytes();
        let Some(last) = book.last.filter(own) else { return Ok(None) };
        Ok(match self.chain.mint_state(&last.marker, Commitment::Confirmed, last.slot).await? {
            MintState::Absent { .. } => None,
            MintState::Minted | MintState::Foreign => Some(last.marker),
        })
    }

    /// Says how a payer stands, on record where it pauses or goes on: of all processes that find out, one tells.
    async fn note(&self, payer: Pubkey, lamports: u64, standing: Standing) -> Result<(), FundingError> {
        metrics::payer(&payer, lamports, standing);
        let before = self.funds.of(&payer);
        let address = WalletAddress::from_bytes(payer.to_bytes());
        if before != Some(standing) {
            match standing {
                Standing::Short(shortage) => {
                    if self.ledger.pause(&address, shortage, lamports).await? {
                        metrics::paused(shortage);
                        tracing::error!(
                            %payer, lamports, reason = shortage.as_str(), remedy = shortage.remedy(),
                            "CRITICAL: a payer is out of funds and nobody tops it up: nothing is minted with it"
                        );
                    }
                }
                Standing::Enough | Standing::Low(_) => {
                    if self.ledger.resume(&address).await? {
                        tracing::info!(%payer, lamports, "a payer has funds again: minting goes on");
                    }
                }
                Standing::Waiting => {}
            }
            if let Standing::Low(shortage) = standing {
                tracing::warn!(%payer, lamports, reason = shortage.as_str(), remedy = shortage.remedy(), "a payer is low");
            }
        }
        self.funds.note(payer, standing);
        Ok(())
    }
}
