//! The engine's ports.

use domain::{NewOperation, OperationId};
use engine::{Commit, Committed, Inserted, OperationStore, Pin, PinClaim, PinLedger, Snapshot, StoreError};

use crate::pool::Store;
use crate::{commit, flag, insert, load, pins};

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

    async fn flag(&self, id: OperationId, reason: &str) -> Result<(), StoreError> {
        flag::flag(self, id, reason).await
    }
}

impl PinLedger for Store {
    async fn claim(&self, batch: &[Pin]) -> Result<Vec<PinClaim>, StoreError> {
        pins::claim(self, batch).await
    }

    async fn pinned(&self, batch: &[Pin]) -> Result<(), StoreError> {
        pins::pinned(self, batch).await
    }
}
