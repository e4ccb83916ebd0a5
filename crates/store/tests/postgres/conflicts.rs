//! Transactions in each other's way, and connections that die in the middle: tried again, and nothing is ever half
//! done.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::{OperationId, State};
use engine::{Commit, Committed, OperationStore, StoreError};
use futures::future::join;
use resilience::BreakerSettings;
use sqlx::{PgPool, Postgres, Transaction};
use store::{PoolSettings, Store};
use tokio_util::sync::CancellationToken;

use crate::support::{Fixture, count_committed, ipfs_uploaded, new_operation, nobody_waits, somebody_waits, submitted};

/// Rewrites every row, and leaves it to the caller to commit.
async fn person(sql: PgPool) -> Transaction<'static, Postgres> {
    let mut person = sql.begin().await.unwrap();
    sqlx::query("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").execute(&mut *person).await.unwrap();
    sqlx::query("UPDATE minting_operations SET wakes = wakes + 1").execute(&mut *person).await.unwrap();
    person
}

#[tokio::test]
async fn a_serialization_failure_is_tried_again_once() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.inserted(1).await;
    let isolation = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation TO ''repeatable \
                     read''', current_database()); END $$";
    fixture.must_execute(isolation).await;
    let store = fixture.another_store().await;
    let commit = || {
        let (store, operation) = (Arc::clone(&store), operation.clone());
        tokio::spawn(async move { store.commit(&[Commit { operation, transition: ipfs_uploaded() }]).await })
    };

    // Two in its way, the second in line before the first is done: the statement sent again finds a newer row as well.
    let first = person(fixture.sql.clone()).await;
    let refused = commit();
    somebody_waits(&fixture.sql, 1).await;
    let second = tokio::spawn(person(fixture.sql.clone()));
    somebody_waits(&fixture.sql, 2).await;
    first.commit().await.unwrap();
    let second = second.await.unwrap();
    somebody_waits(&fixture.sql, 1).await;
    second.commit().await.unwrap();
    let error = refused.await.unwrap().unwrap_err();
    let StoreError::Unavailable(failure) = &error else { panic!("{error:?}") };
    assert!(failure.code == "database-conflict" && failure.message.contains("40001"), "{failure}");
    assert_eq!(fixture.load(operation.id).await.version, operation.version, "nothing of it was done");

    let only = person(fixture.sql.clone()).await;
    let retried = commit();
    somebody_waits(&fixture.sql, 1).await;
    only.commit().await.unwrap();
    assert_eq!(count_committed(&retried.await.unwrap().unwrap()), 1);
    nobody_waits(&fixture.sql).await;
    assert_eq!(fixture.load(operation.id).await.state, State::IpfsUploaded);
}

/// Operations whose row, history and attempts do not tell the same.
const HALF_DONE: &str = "SELECT count(*) FROM minting_operations operation
    WHERE version <> (SELECT count(*) FROM operation_events event
                      WHERE event.operation_id = operation.id AND event.kind = 'transition')
       OR (state = 'BLOCKCHAIN_SUBMITTED') <> EXISTS (SELECT FROM mint_attempts WHERE operation_id = operation.id)";
const KILL: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'victim' AND state = 'active'";
/// So many lost connections are enough.
const KILLED: i64 = 10;

async fn count(sql: &PgPool, question: &'static str) -> i64 {
    sqlx::query_scalar(question).fetch_one(sql).await.unwrap()
}

/// A store that loses its connections and never rests for it.
async fn victim(fixture: &Fixture) -> Store {
    let breaker = BreakerSettings { failures: u32::MAX, ..BreakerSettings::default() };
    let url = fixture.database.url();
    let settings = PoolSettings { min_connections: 0, breaker, application: "victim".into(), ..PoolSettings::new(url) };
    Store::connect(&settings).await.unwrap()
}

/// Brings those operations to BLOCKCHAIN_SUBMITTED, five at a time, whatever happens on the way and whoever else does.
async fn submit_all(store: &Store, numbers: impl Iterator<Item = u64>) {
    let mut open: VecDeque<u64> = numbers.collect();
    while !open.is_empty() {
        let some: Vec<u64> = open.drain(..open.len().min(5)).collect();
        let ids: Vec<OperationId> = some.iter().copied().map(testkit::operation_id).collect();
        let known = store.load(&ids).await.map(|snapshot| snapshot.operations).unwrap_or_default();
        let mut batch = Vec::new();
        for number in some {
            let operation = known.get(&testkit::operation_id(number)).map(|known| known.clone().unwrap());
            let transition = match operation.as_ref().map(|operation| operation.state) {
                Some(State::BlockchainSubmitted) => continue,
                Some(State::Initiated) => Some(ipfs_uploaded()),
                Some(State::IpfsUploaded) => Some(submitted(number, 0, None)),
                other => other.map(|state| panic!("{number} is {state}")),
            };
            batch.extend(operation.zip(transition).map(|(operation, transition)| Commit { operation, transition }));
            open.push_back(number);
        }
        // Whatever came of it, the rows say.
        let committed: Result<Vec<Committed>, StoreError> = store.commit(&batch).await;
        drop(committed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_looks_sees_no_half_transition() {
    const ROUND: u64 = 40;
    let fixture = Fixture::with_contents().await;
    let (ours, theirs) = (victim(&fixture).await, victim(&fixture).await);
    let over = CancellationToken::new();
    let looking = tokio::spawn({
        let (sql, over) = (fixture.sql.clone(), over.clone());
        async move {
            let (mut looks, mut half_done) = (0, 0);
            while !over.is_cancelled() {
                looks += 1;
                half_done += count(&sql, HALF_DONE).await;
            }
            (looks, half_done)
        }
    });
    let killing = tokio::spawn({
        let (sql, over) = (fixture.sql.clone(), over.clone());
        async move {
            let mut killed = 0;
            while killed < KILLED {
                killed += count(&sql, KILL).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            over.cancel();
        }
    });
    let mut operations = 0;
    while !over.is_cancelled() {
        let round = operations..operations + ROUND;
        operations += ROUND;
        let new: Vec<_> = round.clone().map(new_operation).collect();
        fixture.store.insert(&new).await.unwrap();
        // Against each other.
        join(submit_all(&ours, round.clone()), submit_all(&theirs, round.rev())).await;
    }
    killing.await.unwrap();
    let (looks, half_done) = looking.await.unwrap();
    assert!(looks > 0 && half_done == 0, "{half_done} half done in {looks} looks");
    let counts = fixture.store.counts_by_state().await.unwrap();
    assert_eq!(counts[&State::BlockchainSubmitted], operations);
    assert_eq!(count(&fixture.sql, HALF_DONE).await, 0);
    assert_eq!(count(&fixture.sql, "SELECT count(*) FROM mint_attempts").await, i64::try_from(operations).unwrap());
}
