//! A database with some operations in it.
#![expect(clippy::missing_panics_doc, reason = "what has to work panics where it does not: these are tests")]

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{Cid, Failure, Operation, OperationId, State, Transition};
use engine::{Commit, Committed, Inserted, OperationStore, PinLedger, PutOff, StoreError};

use super::world::StoreWorld;
use crate::transitions::{image, metadata, new_operation, pin, taken, way};

/// A world, and the ways round it that cases share.
pub struct Scene<W> {
    /// What is looked into.
    pub world: W,
}

impl<W> Deref for Scene<W> {
    type Target = W;

    fn deref(&self) -> &W {
        &self.world
    }
}

impl<W: StoreWorld> Scene<W> {
    /// An empty one.
    pub async fn new() -> Self {
        Self { world: W::fresh().await }
    }

    /// With the contents that transitions store.
    pub async fn with_contents() -> Self {
        let scene = Self::new().await;
        scene.pin(&[image(), metadata()]).await;
        scene
    }

    /// One process's store.
    pub fn store(&self) -> &W::Store {
        self.world.store()
    }

    /// The store of another process.
    pub async fn another_store(&self) -> Arc<W::Store> {
        self.world.another_store().await
    }

    /// Lets so many seconds pass.
    pub async fn pass(&self, seconds: u64) {
        self.world.pass(Duration::from_secs(seconds)).await;
    }

    /// The database's time.
    pub async fn now(&self) -> DateTime<Utc> {
        self.store().load(&[]).await.unwrap().now
    }

    /// Says that the first provider holds contents.
    pub async fn pin(&self, cids: &[Cid]) {
        let pinned: Vec<_> = cids.iter().map(|cid| taken(pin(cid))).collect();
        self.store().pinned(&pinned).await.unwrap();
    }

    /// The row as it stands.
    pub async fn load(&self, id: OperationId) -> Operation {
        let mut snapshot = self.store().load(&[id]).await.unwrap();
        snapshot.operations.remove(&id).expect("the operation has a row").unwrap()
    }

    /// An operation that was just accepted.
    pub async fn inserted(&self, number: u64) -> Operation {
        match self.store().insert(&[new_operation(number)]).await.unwrap().remove(0) {
            Inserted::Present(operation) => *operation,
            Inserted::Conflict => panic!("operation {number} has other content"),
        }
    }

    /// Commits one transition, decided on that view of the row.
    ///
    /// # Errors
    /// What the store says.
    pub async fn commit(&self, operation: &Operation, transition: Transition) -> Result<Committed, StoreError> {
        Ok(self.store().commit(&[commit(operation, transition)]).await?.remove(0))
    }

    /// Commits what has to work.
    pub async fn advance(&self, operation: &Operation, transition: Transition) -> Operation {
        let committed = self.commit(operation, transition.clone()).await.unwrap();
        let Committed::At(at) = committed else { panic!("{transition:?} of {operation:?}: {committed:?}") };
        operation.after(&transition, at).unwrap()
    }

    /// An operation that came to that state by the flow's own way.
    pub async fn standing(&self, number: u64, state: State) -> Operation {
        let mut operation = self.inserted(number).await;
        for transition in way(number, state) {
            operation = self.advance(&operation, transition).await;
        }
        if state == State::RolledBack {
            self.world.roll_back(operation.id).await;
        }
        self.load(operation.id).await
    }

    /// Puts a try off that counts nothing.
    pub async fn wait(&self, operation: &Operation, seconds: u64) {
        let batch = [put_off(operation, false, Some(Duration::from_secs(seconds)))];
        assert_eq!(self.store().put_off(&batch).await, Ok(vec![true]));
    }

    /// How many operations stand in each of those states.
    pub async fn counts<const N: usize>(&self, numbers: impl Iterator<Item = u64>, states: [State; N]) -> [usize; N] {
        let ids: Vec<_> = numbers.map(crate::samples::operation_id).collect();
        let snapshot = self.store().load(&ids).await.unwrap();
        let stands = |state| move |operation: &&Result<Operation, Failure>| operation.as_ref().unwrap().state == state;
        states.map(|state| snapshot.operations.values().filter(stands(state)).count())
    }
}

/// A transition that was decided on that view of the row.
pub fn commit(operation: &Operation, transition: Transition) -> Commit {
    Commit { operation: operation.clone(), transition }
}

/// A try that failed.
pub fn put_off(operation: &Operation, spends: bool, wait: Option<Duration>) -> PutOff {
    let failure = Failure::transient("provider-away", "connection refused, and a NUL: \0");
    PutOff { operation: operation.clone(), failure, spends, wait }
}

/// How many of a batch were committed.
#[must_use]
pub fn count_committed(answers: &[Committed]) -> usize {
    answers.iter().filter(|answer| matches!(answer, Committed::At(_))).count()
}

/// The SQLSTATE with which a row was refused.
pub fn sqlstate<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Err(StoreError::Row { sqlstate, .. }) => sqlstate,
        other => panic!("no row was refused: {other:?}"),
    }
}
