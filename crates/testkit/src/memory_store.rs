//! The store's port in memory, with the guards that PostgreSQL has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use domain::{
    Attempt, Clock, ContentHash, Failure, NewOperation, Operation, OperationId, Priority, Signature, Step, Transition,
    Verdict,
};
use engine::{
    Claim, Commit, Committed, ConsumptionReport, Inserted, OperationStore, PutOff, RowStore, Snapshot, StoreError,
    Sweep,
};

use crate::crash::Crash;
use crate::memory_rows::Rows;
use crate::test_clock::TestClock;

/// What survives a crash.
#[derive(Debug, Default)]
pub struct Tables {
    operations: Mutex<HashMap<OperationId, (ContentHash, Operation)>>,
    attempts: Mutex<Vec<RecordedAttempt>>,
    flags: Mutex<HashMap<OperationId, String>>,
    rows: Mutex<Rows>,
    clock: TestClock,
}

/// A row of `mint_attempts`.
#[derive(Debug, Clone)]
pub struct RecordedAttempt {
    /// Whose.
    pub operation: OperationId,
    /// The transaction.
    pub attempt: Attempt,
    /// None while it is open.
    pub verdict: Option<Verdict>,
}

impl Tables {
    /// The row as it stands, open attempt included.
    pub fn operation(&self, id: OperationId) -> Option<Operation> {
        let (_, row) = lock(&self.operations).get(&id)?.clone();
        Some(Operation {
            open_attempt: self.open_attempt(id),
            needs_review: lock(&self.flags).get(&id).cloned(),
            ..row
        })
    }

    /// Whether a row's status is owed.
    pub fn owes_status(&self, id: OperationId) -> bool {
        lock(&self.rows).of(id).status_owed
    }

    /// How often anything was woken.
    pub fn woken(&self) -> usize {
        lock(&self.rows).woken
    }

    /// Changes a row as a person would, with a status that is owed.
    pub fn type_over(&self, id: OperationId, change: impl FnOnce(&mut Operation)) {
        if let Some((_, row)) = lock(&self.operations).get_mut(&id) {
            change(row);
            lock(&self.rows).of(id).status_owed = true;
        }
    }

    /// Every attempt on record.
    pub fn attempts(&self) -> Vec<RecordedAttempt> {
        lock(&self.attempts).clone()
    }

    /// Whether an attempt is on record.
    pub fn has_attempt(&self, signature: &Signature) -> bool {
        lock(&self.attempts).iter().any(|row| row.attempt.signature == *signature)
    }

    fn open_attempt(&self, id: OperationId) -> Option<Attempt> {
        let attempts = lock(&self.attempts);
        let open = attempts.iter().find(|row| row.operation == id && row.verdict.is_none())?;
        Some(open.attempt.clone())
    }

    fn decide(&self, signature: Signature, verdict: Verdict) {
        if let Some(row) = lock(&self.attempts).iter_mut().find(|row| row.attempt.signature == signature) {
            row.verdict = Some(verdict);
        }
    }

    fn insert(&self, new: &NewOperation, now: DateTime<Utc>) -> Inserted {
        let mut operations = lock(&self.operations);
        let fresh = || (new.content_hash, Operation::initiated(new, now));
        let (hash, row) = operations.entry(new.id).or_insert_with(fresh);
        if *hash == new.content_hash { Inserted::Present(Box::new(row.clone())) } else { Inserted::Conflict }
    }

    fn commit(&self, Commit { operation, transition }: &Commit, now: DateTime<Utc>) -> Committed {
        let Some(current) = self.operation(operation.id) else { return Committed::Overtaken };
        if (current.version, current.state) != (operation.version, operation.state) {
            return Committed::Overtaken;
        }
        let Ok(next) = current.after(transition, now) else { return Committed::Overtaken };
        match transition {
            Transition::Submitted { attempt, decided, .. } => {
                if let Some(decided) = decided {
                    self.decide(decided.signature, decided.verdict);
                }
                if self.open_attempt(operation.id).is_some() {
                    return Committed::Overtaken;
                }
                let row = RecordedAttempt { operation: operation.id, attempt: attempt.clone(), verdict: None };
                lock(&self.attempts).push(row);
            }
            Transition::DatabaseUpdated { record } => self.decide(record.signature, Verdict::Finalized),
            Transition::Failed { decided, .. } => {
                if let Some(decided) = decided {
                    self.decide(decided.signature, decided.verdict);
                } else if current.open_attempt.is_some() {
                    return Committed::Overtaken;
                }
            }
            Transition::ImageUploaded { .. }
            | Transition::IpfsUploaded { .. }
            | Transition::Confirmed { .. }
            | Transition::Dropped
            | Transition::Verified => {}
        }
        if let Some(row) = lock(&self.operations).get_mut(&operation.id) {
            row.1 = Operation { open_attempt: None, ..next };
            lock(&self.rows).moved(operation.id);
        }
        Committed::At(now)
    }

    fn put_off(&self, put_off: &PutOff, now: DateTime<Utc>) -> bool {
        let mut operations = lock(&self.operations);
        let Some((_, row)) = operations.get_mut(&put_off.operation.id) else { return false };
        let seen = |operation: &Operation| (operation.version, operation.state, operation.attempts);
        if seen(row) != seen(&put_off.operation) {
            return false;
        }
        lock(&self.rows).put_off(row, put_off, now);
        true
    }

    /// Every row, as [`Self::operation`] gives it.
    fn all(&self) -> Vec<Operation> {
        let ids: Vec<_> = lock(&self.operations).keys().copied().collect();
        ids.into_iter().filter_map(|id| self.operation(id)).collect()
    }

    fn hasten(&self, step: Step, now: DateTime<Utc>) {
        for (_, row) in lock(&self.operations).values_mut() {
            lock(&self.rows).hasten(row, step, now);
        }
    }

    fn settle(&self, claims: &[Claim], now: DateTime<Utc>) {
        let mut operations = lock(&self.operations);
        for claim in claims {
            if let Some((_, row)) = operations.get_mut(&claim.id) {
                lock(&self.rows).settle(row, claim, now);
            }
        }
    }
}

/// One process's view of the tables: it may crash before and after every statement, or be refused.
#[derive(Debug)]
pub struct MemoryStore {
    /// What survives it.
    pub tables: Arc<Tables>,
    /// When it dies.
    pub crash: Arc<Crash>,
    /// While true, every statement fails as if the database were away.
    pub away: std::sync::atomic::AtomicBool,
}

impl MemoryStore {
    /// A process over `tables`.
    #[must_use]
    pub fn new(tables: Arc<Tables>, crash: Arc<Crash>) -> Self {
        Self { tables, crash, away: false.into() }
    }

    async fn statement<T>(&self, run: impl FnOnce(&Tables, DateTime<Utc>) -> T + Send) -> Result<T, StoreError> {
        self.crash.moment().await;
        if self.away.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(StoreError::Unavailable(Failure::transient("database-unavailable", "away")));
        }
        let result = run(&self.tables, self.tables.clock.now());
        self.crash.moment().await;
        Ok(result)
    }
}

impl OperationStore for MemoryStore {
    async fn insert(&self, batch: &[NewOperation]) -> Result<Vec<Inserted>, StoreError> {
        self.statement(|tables, now| batch.iter().map(|new| tables.insert(new, now)).collect()).await
    }

    async fn load(&self, ids: &[OperationId]) -> Result<Snapshot, StoreError> {
        self.statement(|tables, now| Snapshot {
            now,
            operations: ids.iter().filter_map(|id| Some((*id, Ok(tables.operation(*id)?)))).collect(),
        })
        .await
    }

    async fn commit(&self, batch: &[Commit]) -> Result<Vec<Committed>, StoreError> {
        self.statement(|tables, now| batch.iter().map(|commit| tables.commit(commit, now)).collect()).await
    }

    async fn put_off(&self, batch: &[PutOff]) -> Result<Vec<bool>, StoreError> {
        self.statement(|tables, now| batch.iter().map(|put_off| tables.put_off(put_off, now)).collect()).await
    }

    async fn flag(&self, id: OperationId, reason: &str) -> Result<(), StoreError> {
        self.statement(|tables, _| {
            lock(&tables.flags).entry(id).or_insert_with(|| reason.to_owned());
        })
        .await
    }
}

impl RowStore for MemoryStore {
    async fn claim_due(&self, step: Step, shares: &[(Priority, u32)]) -> Result<Vec<Claim>, StoreError> {
        self.statement(|tables, now| {
            let all = tables.all();
            lock(&tables.rows).claim_due(all.iter(), step, shares, now)
        })
        .await
    }

    async fn hasten(&self, step: Step) -> Result<(), StoreError> {
        self.statement(|tables, now| tables.hasten(step, now)).await
    }

    async fn claim_still(&self, sweep: &Sweep) -> Result<Vec<Claim>, StoreError> {
        self.statement(|tables, now| {
            let all = tables.all();
            lock(&tables.rows).claim_still(all.iter(), sweep, now)
        })
        .await
    }

    async fn settle(&self, claims: &[Claim]) -> Result<(), StoreError> {
        self.statement(|tables, now| tables.settle(claims, now)).await
    }

    async fn report(&self, reports: &[ConsumptionReport]) -> Result<Vec<Option<i64>>, StoreError> {
        self.statement(|tables, now| reports.iter().map(|report| lock(&tables.rows).report(report, now)).collect())
            .await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
