//! One process's view of the simulated database: it may die before and after every statement, wait for its answer, or lose
//! it.

use std::sync::Arc;
use std::time::Duration;

use domain::{NewOperation, OperationId, Priority, Step, Transition};
use engine::{
    Claim, Commit, Committed, ConsumptionReport, Inserted, OperationStore, PinLedger, Pinned, PutOff, RowStore,
    Snapshot, StoreError, Sweep,
};
use testkit::{Crash, MemoryStore, Mishap, Tables};

use crate::chain::brief;
use crate::life::Life;

/// What a statement takes there, and back.
const LATENCY: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(8));
/// When a statement is executed that its sender gave up.
const LATE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(20));

/// The store of one process.
#[derive(Debug)]
pub struct SimStore {
    inner: MemoryStore,
    life: Arc<Life>,
}

impl SimStore {
    /// A process over the tables.
    #[must_use]
    pub fn new(tables: &Arc<Tables>, life: &Arc<Life>) -> Self {
        let sender = Arc::clone(life);
        let inner = MemoryStore::new(Arc::clone(tables), Arc::new(Crash::never()));
        Self { inner: inner.meeting(move |_| mishap(&sender)), life: Arc::clone(life) }
    }

    /// The process.
    pub const fn life(&self) -> &Arc<Life> {
        &self.life
    }

    /// Records contents as pinned.
    ///
    /// # Errors
    /// The database's own trouble.
    pub async fn pinned(&self, pins: &[Pinned]) -> Result<(), StoreError> {
        self.trip(self.inner.pinned(pins)).await
    }

    /// A round trip of the process.
    async fn trip<T>(&self, statement: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.life.moment().await;
        let answer = statement.await;
        self.life.moment().await;
        answer
    }

    fn note(&self, commit: &Commit, committed: Option<&Committed>) {
        let Commit { operation, transition } = commit;
        let what = match committed {
            Some(Committed::At(_)) => "commits",
            Some(Committed::Overtaken) => "is overtaken with",
            Some(Committed::NotPinned) => "finds nothing pinned for",
            None => "does not learn what became of",
        };
        let what = format!("{what} {} -> {}, version {}", operation.state, told(transition), operation.version + 1);
        self.life.timeline.note(&self.life.name, Some(operation.id), what);
    }
}

/// A transition in a few words.
fn told(transition: &Transition) -> String {
    let state = transition.to();
    match transition {
        Transition::Submitted { attempt, decided, .. } => {
            let before = decided.map(|decided| format!(", {} {}", brief(&decided.signature), decided.verdict.as_str()));
            format!("{state} with {}{}", brief(&attempt.signature), before.unwrap_or_default())
        }
        Transition::Confirmed { signature, .. } => format!("{state} by {}", brief(signature)),
        Transition::Failed { failure, .. } => format!("{state}: {failure}"),
        Transition::ImageUploaded { .. }
        | Transition::IpfsUploaded { .. }
        | Transition::Dropped
        | Transition::DatabaseUpdated { .. }
        | Transition::Verified => state.to_string(),
    }
}

/// What befalls a statement.
fn mishap(Life { dice, sky, .. }: &Life) -> Mishap {
    if sky.strikes(dice, |weather| weather.statement_fails) {
        let late = Mishap::Late(dice.between(LATE.0, LATE.1));
        return *dice.pick(&[Mishap::Refused, Mishap::ReplyLost, late]);
    }
    Mishap::Slow(dice.between(LATENCY.0, LATENCY.1))
}

impl OperationStore for SimStore {
    async fn insert(&self, batch: &[NewOperation]) -> Result<Vec<Inserted>, StoreError> {
        self.trip(self.inner.insert(batch)).await
    }

    async fn load(&self, ids: &[OperationId]) -> Result<Snapshot, StoreError> {
        self.trip(self.inner.load(ids)).await
    }

    async fn commit(&self, batch: &[Commit]) -> Result<Vec<Committed>, StoreError> {
        let statement = async {
            let answer = self.inner.commit(batch).await;
            for (index, commit) in batch.iter().enumerate() {
                self.note(commit, answer.as_ref().ok().and_then(|committed| committed.get(index)));
            }
            answer
        };
        self.trip(statement).await
    }

    async fn put_off(&self, batch: &[PutOff]) -> Result<Vec<bool>, StoreError> {
        self.trip(self.inner.put_off(batch)).await
    }

    async fn flag(&self, id: OperationId, reason: &str) -> Result<(), StoreError> {
        self.trip(self.inner.flag(id, reason)).await
    }
}

impl RowStore for SimStore {
    async fn claim_due(&self, step: Step, shares: &[(Priority, u32)]) -> Result<Vec<Claim>, StoreError> {
        self.trip(self.inner.claim_due(step, shares)).await
    }

    async fn hasten(&self, step: Step) -> Result<(), StoreError> {
        self.trip(self.inner.hasten(step)).await
    }

    async fn claim_still(&self, sweep: &Sweep) -> Result<Vec<Claim>, StoreError> {
        self.trip(self.inner.claim_still(sweep)).await
    }

    async fn settle(&self, claims: &[Claim]) -> Result<(), StoreError> {
        self.trip(self.inner.settle(claims)).await
    }

    async fn report(&self, reports: &[ConsumptionReport]) -> Result<Vec<Option<i64>>, StoreError> {
        self.trip(self.inner.report(reports)).await
    }
}
