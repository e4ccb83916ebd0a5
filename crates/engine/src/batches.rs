//! Loads, inserts, commits and put-offs of concurrent operations share round trips; a batch that fails for a row's own fault is
//! split until only that row fails.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{Failure, NewOperation, Operation, OperationId};
use futures::future::BoxFuture;
use resilience::Gather;

use crate::ports::{Commit, Committed, Inserted, OperationStore, PutOff, StoreError};

/// Most rows of one statement.
const ROWS: usize = 500;
/// Most bytes of one statement, about.
const BYTES: usize = 4 << 20;

/// One row as it was read, and the database's time at that moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The database's time.
    pub now: DateTime<Utc>,
    /// The row; none where there is no such id; a permanent failure where it cannot be read as an operation.
    pub operation: Option<Result<Operation, Failure>>,
}

/// An [`OperationStore`] for one caller at a time, gathered behind the scenes.
#[derive(Debug)]
pub struct Batches {
    loads: Gather<OperationId, Result<Loaded, StoreError>>,
    inserts: Gather<NewOperation, Result<Inserted, StoreError>>,
    commits: Gather<Commit, Result<Committed, StoreError>>,
    put_offs: Gather<PutOff, Result<bool, StoreError>>,
}

impl Batches {
    /// Gathers over `store`.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new<S: OperationStore>(store: &Arc<S>) -> Self {
        let (loading, inserting, committing, putting_off) =
            (Arc::clone(store), Arc::clone(store), Arc::clone(store), Arc::clone(store));
        Self {
            loads: Gather::new(ROWS, move |ids| load(Arc::clone(&loading), ids)),
            inserts: Gather::weighing(ROWS, BYTES, new_operation_size, move |batch| {
                let store = Arc::clone(&inserting);
                async move { split(&batch, &|part: &[NewOperation]| insert_part(&*store, part)).await }
            }),
            commits: Gather::weighing(ROWS, BYTES, commit_size, move |batch| {
                let store = Arc::clone(&committing);
                async move { split(&batch, &|part: &[Commit]| commit_part(&*store, part)).await }
            }),
            put_offs: Gather::new(ROWS, move |batch: Vec<PutOff>| {
                let store = Arc::clone(&putting_off);
                async move { split(&batch, &|part: &[PutOff]| put_off_part(&*store, part)).await }
            }),
        }
    }

    /// Reads one operation.
    ///
    /// # Errors
    /// The database's own trouble.
    pub async fn load(&self, id: OperationId) -> Result<Loaded, StoreError> {
        self.loads.call(id).await
    }

    /// Inserts one operation.
    ///
    /// # Errors
    /// The row's fault, or the database's trouble.
    pub async fn insert(&self, operation: NewOperation) -> Result<Inserted, StoreError> {
        self.inserts.call(operation).await
    }

    /// Commits one transition.
    ///
    /// # Errors
    /// The row's fault, or the database's trouble.
    pub async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.commits.call(commit).await
    }

    /// Records one try that failed; false where the row is not as the step saw it any more.
    ///
    /// # Errors
    /// The row's fault, or the database's trouble.
    pub async fn put_off(&self, put_off: PutOff) -> Result<bool, StoreError> {
        self.put_offs.call(put_off).await
    }
}

async fn load<S: OperationStore>(store: Arc<S>, ids: Vec<OperationId>) -> Vec<Result<Loaded, StoreError>> {
    match store.load(&ids).await {
        Ok(snapshot) => ids
            .iter()
            .map(|id| Ok(Loaded { now: snapshot.now, operation: snapshot.operations.get(id).cloned() }))
            .collect(),
        Err(error) => ids.iter().map(|_| Err(error.clone())).collect(),
    }
}

fn insert_part<'a, S: OperationStore>(store: &'a S, part: &'a [NewOperation]) -> Part<'a, Inserted> {
    Box::pin(store.insert(part))
}

fn commit_part<'a, S: OperationStore>(store: &'a S, part: &'a [Commit]) -> Part<'a, Committed> {
    Box::pin(store.commit(part))
}

fn put_off_part<'a, S: OperationStore>(store: &'a S, part: &'a [PutOff]) -> Part<'a, bool> {
    Box::pin(store.put_off(part))
}

type Part<'a, R> = BoxFuture<'a, Result<Vec<R>, StoreError>>;

/// Sends a batch, in halves and halves of halves where a row is at fault. Answers every item, in order.
fn split<'a, T: Sync, R: Send + 'a>(
    batch: &'a [T],
    send: &'a (dyn Fn(&'a [T]) -> Part<'a, R> + Sync),
) -> BoxFuture<'a, Vec<Result<R, StoreError>>> {
    Box::pin(async move {
        match send(batch).await {
            Ok(results) => results.into_iter().map(Ok).collect(),
            Err(StoreError::Row { .. }) if batch.len() > 1 => {
                let (left, right) = batch.split_at(batch.len() / 2);
                let mut results = split(left, send).await;
                results.extend(split(right, send).await);
                results
            }
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        }
    })
}

fn new_operation_size(operation: &NewOperation) -> usize {
    let nft = &operation.content.nft;
    let attributes: usize = nft.attributes.iter().map(|a| a.trait_type.len() + a.value.len()).sum();
    200 + nft.name.len() + nft.description.len() + nft.image.len() + attributes + operation.user_id.len()
}

fn commit_size(commit: &Commit) -> usize {
    match &commit.transition {
        domain::Transition::Submitted { attempt, .. } => 500 + attempt.wire.len(),
        domain::Transition::Failed { failure, .. } => 300 + failure.message.len(),
        domain::Transition::ImageUploaded { .. }
        | domain::Transition::IpfsUploaded { .. }
        | domain::Transition::Confirmed { .. }
        | domain::Transition::Dropped
        | domain::Transition::DatabaseUpdated { .. }
        | domain::Transition::Verified => 500,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn refuse() -> StoreError {
        StoreError::Row { sqlstate: "22021".into(), message: "invalid byte sequence".into() }
    }

    #[tokio::test]
    async fn a_bad_row_among_a_hundred_fails_alone() {
        let calls = Mutex::new(0);
        let batch: Vec<u32> = (0..100).collect();
        let send = |part: &[u32]| -> Part<'_, u32> {
            *calls.lock().unwrap() += 1;
            let answer = if part.contains(&42) { Err(refuse()) } else { Ok(part.to_vec()) };
            Box::pin(async { answer })
        };
        let results = split(&batch, &send).await;
        for (number, result) in batch.iter().zip(&results) {
            assert_eq!(result.is_err(), *number == 42);
        }
        assert!(*calls.lock().unwrap() <= 15, "halving, not one by one");
    }

    #[tokio::test]
    async fn trouble_of_the_database_is_everybodys() {
        let send = |_: &[u32]| -> Part<'_, u32> {
            Box::pin(async { Err(StoreError::Unavailable(Failure::transient("database-unavailable", "gone"))) })
        };
        assert!(split(&[1, 2, 3], &send).await.iter().all(Result::is_err));
    }
}
