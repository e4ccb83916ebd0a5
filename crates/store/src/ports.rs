//! The engine's ports.

use domain::{NewOperation, Operation, OperationId, Priority, Step};
use engine::{
    BurnClaim, BurnHolder, BurnLedger, Claim, Commit, Committed, ConsumptionReport, Inserted, MintPlace,
    OperationStore, OwedPin, Pin, PinClaim, PinLedger, Pinned, PutOff, RowStore, Snapshot, StoreError, Sweep,
};

use crate::pool::Store;
use crate::{burns, claims, commit, consumption, flag, insert, load, pins, put_off};

impl OperationStore for Store {
    async fn insert(&self, batch: &[NewOperation]) -> Result<Vec<Inserted>, StoreError> {
        insert::insert(self, batch).await
    }

    async fn load(&self, ids: &[OperationId]) -> Result<Snapshot, StoreError> {
        load::load(self, ids).await
    }

    async fn commit(&self, batch: &[Commit]) -> Result<Vec<Committed>, StoreError> {
        commit::commit(self, batch).await
    }

    async fn put_off(&self, batch: &[PutOff]) -> Result<Vec<bool>, StoreError> {
        put_off::put_off(self, batch).await
    }

    async fn flag(&self, id: OperationId, reason: &str) -> Result<(), StoreError> {
        flag::flag(self, id, reason).await
    }
}

impl RowStore for Store {
    async fn claim_due(&self, step: Step, shares: &[(Priority, u32)]) -> Result<Vec<Claim>, StoreError> {
        claims::claim_due(self, step, shares).await
    }

    async fn hasten(&self, step: Step) -> Result<(), StoreError> {
        claims::hasten(self, step).await
    }

    async fn claim_still(&self, sweep: &Sweep) -> Result<Vec<Claim>, StoreError> {
        claims::claim_still(self, sweep).await
    }

    async fn settle(&self, claims: &[Claim]) -> Result<(), StoreError> {
        claims::settle(self, claims).await
    }

    async fn report(&self, reports: &[ConsumptionReport]) -> Result<Vec<Option<i64>>, StoreError> {
        consumption::report(self, reports).await
    }
}

impl PinLedger for Store {
    async fn claim(&self, batch: &[Pin]) -> Result<Vec<PinClaim>, StoreError> {
        pins::claim(self, batch).await
    }

    async fn pinned(&self, batch: &[Pinned]) -> Result<(), StoreError> {
        pins::pinned(self, batch).await
    }

    async fn owed(&self, provider: &str, most: u16) -> Result<Vec<OwedPin>, StoreError> {
        pins::owed(self, provider, most).await
    }
}

impl BurnLedger for Store {
    async fn claim_burn(&self, operation: &Operation, place: &MintPlace) -> Result<BurnClaim, StoreError> {
        burns::claim(self, operation, place).await
    }

    async fn hand_over_burn(
        &self,
        holder: &BurnHolder,
        heir: &Operation,
        place: &MintPlace,
    ) -> Result<bool, StoreError> {
        burns::hand_over(self, holder, heir, place).await
    }
}
