//! The store's port in memory, with the guards that PostgreSQL has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use domain::{Attempt, ContentHash, Failure, NewOperation, Operation, OperationId, Signature, Transition, Verdict};
use engine::{Commit, Committed, Inserted, OperationStore, Snapshot, StoreError};

use crate::crash::Crash;

/// What survives a crash.
#[derive(Debug, Default)]
pub struct Tables {
    operations: Mutex<HashMap<OperationId, (ContentHash, Operation)>>,
    attempts: Mutex<Vec<RecordedAttempt>>,
    flags: Mutex<HashMap<OperationId, String>>,
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
        }
        Committed::At(now)
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
        let result = run(&self.tables, DateTime::UNIX_EPOCH);
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

    async fn flag(&self, id: OperationId, reason: &str) -> Result<(), StoreError> {
        self.statement(|tables, _| {
            lock(&tables.flags).entry(id).or_insert_with(|| reason.to_owned());
        })
        .await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
