//! Where top-ups and pauses are on record.

use std::future::Future;

use domain::{MintAddress, Shortage, Signature, TopUp, Verdict, WalletAddress};
use engine::StoreError;
use store::{Store, TopUpRecorded, TreasuryBook};

/// The ledger, which all processes share. [`Store`] is the real one.
pub trait FundingLedger: Send + Sync + 'static {
    /// How the treasury stands.
    fn book(&self) -> impl Future<Output = Result<TreasuryBook, StoreError>> + Send;

    /// Puts a top-up on record, before it is sent: unless one is undecided, or another one than `last` was the last to
    /// land, or it is more than `per_day` allows.
    fn record(
        &self,
        top_up: &TopUp,
        last: Option<&MintAddress>,
        per_day: u64,
    ) -> impl Future<Output = Result<TopUpRecorded, StoreError>> + Send;

    /// Writes down how one ended; false where that was known.
    fn decide(
        &self,
        signature: &Signature,
        verdict: Verdict,
        slot: Option<u64>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Writes down that a payer pauses; false where that was known, whoever found out.
    fn pause(
        &self,
        payer: &WalletAddress,
        reason: Shortage,
        lamports: u64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Writes down that a payer has funds again; false where it did not pause.
    fn resume(&self, payer: &WalletAddress) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

impl FundingLedger for Store {
    async fn book(&self) -> Result<TreasuryBook, StoreError> {
        self.treasury_book().await
    }

    async fn record(
        &self,
        top_up: &TopUp,
        last: Option<&MintAddress>,
        per_day: u64,
    ) -> Result<TopUpRecorded, StoreError> {
        self.record_top_up(top_up, last, per_day).await
    }

    async fn decide(&self, signature: &Signature, verdict: Verdict, slot: Option<u64>) -> Result<bool, StoreError> {
        self.decide_top_up(signature, verdict, slot).await
    }

    async fn pause(&self, payer: &WalletAddress, reason: Shortage, lamports: u64) -> Result<bool, StoreError> {
        self.payer_pauses(payer, reason, lamports).await
    }

    async fn resume(&self, payer: &WalletAddress) -> Result<bool, StoreError> {
        self.payer_resumes(payer).await
    }
}
