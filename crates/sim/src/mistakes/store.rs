//! Mistakes of whoever writes a transition, made where the store has refused it.

use domain::{DecidedAttempt, NewOperation, Operation, OperationId, Priority, State, Step, Transition, Verdict};
use engine::{
    Claim, Commit, Committed, ConsumptionReport, Inserted, OperationStore, PutOff, RowStore, Snapshot, StoreError,
    Sweep,
};

use super::Mistake;
use crate::store::SimStore;

/// The store, or one that writes what it should refuse.
#[derive(Debug)]
pub struct MistakenStore {
    inner: SimStore,
    mistake: Option<Mistake>,
}

impl MistakenStore {
    /// The store itself, where there is no mistake.
    #[must_use]
    pub const fn new(inner: SimStore, mistake: Option<Mistake>) -> Self {
        Self { inner, mistake }
    }

    /// What becomes of a transition that was overtaken.
    async fn overtaken(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let now = self.inner.load(&[commit.operation.id]).await?;
        let Some(Ok(current)) = now.operations.get(&commit.operation.id).cloned() else {
            return Ok(Committed::Overtaken);
        };
        match (self.mistake, &commit.transition) {
            (Some(Mistake::NoGuard), _) if current.state.may_become(commit.transition.to()) => {
                let transition = forced(&current, commit.transition.clone());
                let again = self.inner.commit(&[Commit { operation: current, transition }]).await?;
                Ok(again.into_iter().next().unwrap_or(Committed::Overtaken))
            }
            // The row stays as it is, and the worker goes on with an attempt that it takes for recorded.
            (Some(Mistake::InsertsAfterFailed), Transition::Submitted { .. }) if current.state == State::Failed => {
                self.inner.life().note("inserts an attempt of an operation that has failed");
                Ok(Committed::At(now.now))
            }
            _ => Ok(Committed::Overtaken),
        }
    }
}

/// The transition as the row takes it: the attempt that stands in its way is called expired.
fn forced(current: &Operation, transition: Transition) -> Transition {
    let open = current.open_attempt.as_ref();
    let expired = open.map(|open| DecidedAttempt { signature: open.signature, verdict: Verdict::Expired });
    match transition {
        Transition::Submitted { mint, key_id, attempt, .. } => {
            Transition::Submitted { mint, key_id, attempt, decided: expired }
        }
        Transition::Failed { failure, .. } => Transition::Failed { failure, decided: expired },
        Transition::ImageUploaded { .. }
        | Transition::IpfsUploaded { .. }
        | Transition::Confirmed { .. }
        | Transition::Dropped
        | Transition::DatabaseUpdated { .. }
        | Transition::Verified => transition,
    }
}

impl OperationStore for MistakenStore {
    async fn insert(&self, batch: &[NewOperation]) -> Result<Vec<Inserted>, StoreError> {
        self.inner.insert(batch).await
    }

    async fn load(&self, ids: &[OperationId]) -> Result<Snapshot, StoreError> {
        self.inner.load(ids).await
    }

    async fn commit(&self, batch: &[Commit]) -> Result<Vec<Committed>, StoreError> {
        let mut committed = self.inner.commit(batch).await?;
        if matches!(self.mistake, Some(Mistake::NoGuard | Mistake::InsertsAfterFailed)) {
            for (commit, committed) in batch.iter().zip(&mut committed) {
                if *committed == Committed::Overtaken {
                    *committed = self.overtaken(commit).await?;
                }
            }
        }
        Ok(committed)
    }

    async fn put_off(&self, batch: &[PutOff]) -> Result<Vec<bool>, StoreError> {
        self.inner.put_off(batch).await
    }

    async fn flag(&self, id: OperationId, reason: &str) -> Result<(), StoreError> {
        self.inner.flag(id, reason).await
    }
}

impl RowStore for MistakenStore {
    async fn claim_due(&self, step: Step, shares: &[(Priority, u32)]) -> Result<Vec<Claim>, StoreError> {
        self.inner.claim_due(step, shares).await
    }

    async fn hasten(&self, step: Step) -> Result<(), StoreError> {
        self.inner.hasten(step).await
    }

    async fn claim_still(&self, sweep: &Sweep) -> Result<Vec<Claim>, StoreError> {
        self.inner.claim_still(sweep).await
    }

    async fn settle(&self, claims: &[Claim]) -> Result<(), StoreError> {
        self.inner.settle(claims).await
    }

    async fn report(&self, reports: &[ConsumptionReport]) -> Result<Vec<Option<i64>>, StoreError> {
        self.inner.report(reports).await
    }
}
