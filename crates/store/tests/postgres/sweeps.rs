//! What stands still, by what the owners of partitions say; 20,000 that wait behind a stopped worker do not.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, OperationId, Priority, Record, Step, SystemClock, Topic};
use engine::{
    Assignment, Claim, Consumption, ConsumptionReport, OperationStore, Partition, Publisher, Reason, Round as _,
    RowOutbox, RowStore, Sweep, Sweeper, Telling, Window,
};
use resilience::Jitter;
use store::Store;
use testkit::{Crash, Log, MemoryBacklog, MemorySink};
use tokio_util::sync::CancellationToken;

use crate::support::{Fixture, ipfs_uploaded};

const MINT_REQUESTS: Topic = Topic::Requests(Step::Mint, Priority::Normal);

fn partition(id: i32) -> Partition {
    Partition { topic: MINT_REQUESTS.name("").into(), id }
}

fn report(id: i32, epoch: Option<i64>, age: TimeDelta) -> ConsumptionReport {
    ConsumptionReport { partition: partition(id), epoch, through: SystemClock.now() - age }
}

async fn reported(store: &Store, reports: &[ConsumptionReport]) -> Vec<Option<i64>> {
    store.report(reports).await.unwrap()
}

async fn still(store: &Store) -> Vec<Claim> {
    let sweep = Sweep {
        step: Step::Mint,
        priority: Priority::Normal,
        topic: MINT_REQUESTS.name(""),
        partitions: 2,
        limit: 500,
    };
    store.claim_still(&sweep).await.unwrap()
}

/// An operation that waits for its mint since so long.
async fn minting(fixture: &Fixture, number: u64, age: &str) -> OperationId {
    let id = fixture.inserted(number).await.id;
    let operation = fixture.load(id).await;
    fixture.advance(&operation, ipfs_uploaded()).await;
    let sql = format!("UPDATE minting_operations SET updated_at = now() - interval '{age}' WHERE id = '{id}'");
    fixture.must_execute(sql).await;
    id
}

#[tokio::test]
async fn nothing_stands_still_before_every_partition_was_consumed_so_far() {
    let fixture = Fixture::with_contents().await;
    let id = minting(&fixture, 1, "10 minutes").await;
    minting(&fixture, 2, "20 seconds").await;
    let now = TimeDelta::zero();
    assert_eq!(still(&fixture.store).await, [], "nobody has reported");
    reported(&fixture.store, &[report(0, None, now)]).await;
    assert_eq!(still(&fixture.store).await, [], "one partition is silent");
    reported(&fixture.store, &[report(1, None, TimeDelta::minutes(11))]).await;
    assert_eq!(still(&fixture.store).await, [], "one partition is behind");
    reported(&fixture.store, &[report(1, None, now)]).await;
    fixture
        .must_execute("UPDATE consumed_through SET reported_at = now() - interval '16 seconds' WHERE partition = 0")
        .await;
    assert_eq!(still(&fixture.store).await, [], "one report is old");
    reported(&fixture.store, &[report(0, None, now)]).await;
    let claims = still(&fixture.store).await;
    assert_eq!(claims.len(), 1, "20 s are not long");
    assert_eq!((claims[0].id, claims[0].reason), (id, Reason::Still { wakes: 0 }));
    assert_eq!(still(&fixture.store).await, [], "the lease holds");
}

#[tokio::test]
async fn a_wake_counts_once_settled_and_holds_off_the_next_until_it_was_consumed() {
    let fixture = Fixture::with_contents().await;
    let id = minting(&fixture, 1, "10 minutes").await;
    let consumed = async |age| reported(&fixture.store, &[report(0, None, age), report(1, None, age)]).await;
    consumed(TimeDelta::zero()).await;
    for wakes in 0..3 {
        let claims = still(&fixture.store).await;
        assert_eq!(claims[0].reason, Reason::Still { wakes });
        // Who dies here has woken nobody.
        let dead = "UPDATE minting_operations SET claimed_until = now() - interval '1 second'";
        fixture.must_execute(dead).await;
        let claims = still(&fixture.store).await;
        assert_eq!(claims[0].reason, Reason::Still { wakes });
        fixture.store.settle(&claims).await.unwrap();
        assert_eq!(still(&fixture.store).await, [], "its wake is younger than what was consumed, less 30 s");
        fixture.must_execute("UPDATE minting_operations SET requested_at = now() - interval '1 minute'").await;
    }
    assert_eq!(still(&fixture.store).await[0].reason, Reason::Still { wakes: 3 });
    fixture.store.flag(id, "it stands still").await.unwrap();
    fixture.must_execute("UPDATE minting_operations SET claimed_until = NULL").await;
    assert_eq!(still(&fixture.store).await, [], "it is a person's now");
    let report = fixture.store.operation(id).await.unwrap().unwrap();
    assert_eq!(report.history.iter().filter(|entry| entry.kind == "woken").count(), 3);
}

#[tokio::test]
async fn what_waits_in_its_row_does_not_stand_still() {
    let fixture = Fixture::with_contents().await;
    minting(&fixture, 1, "10 minutes").await;
    reported(&fixture.store, &[0, 1].map(|id| report(id, None, TimeDelta::zero()))).await;
    fixture.must_execute("UPDATE minting_operations SET next_attempt_at = now() - interval '1 second'").await;
    assert_eq!(still(&fixture.store).await, []);
}

#[tokio::test]
async fn an_older_owner_never_overwrites_a_newer_one() {
    let fixture = Fixture::new().await;
    let other = fixture.another_store().await;
    let age = TimeDelta::minutes;
    let old = reported(&fixture.store, &[report(0, None, age(5))]).await[0];
    let new = reported(&other, &[report(0, None, age(3))]).await[0];
    assert!(new > old && old.is_some());
    // The old owner, frozen until now; and a neighbour that is its own.
    assert_eq!(reported(&fixture.store, &[report(0, old, age(1)), report(1, old, age(1))]).await, [None, old]);
    let through: DateTime<Utc> = sqlx::query_scalar("SELECT through FROM consumed_through WHERE partition = 0")
        .fetch_one(&fixture.sql)
        .await
        .unwrap();
    assert!(SystemClock.now() - through > age(2));
    assert_eq!(reported(&other, &[report(0, new, age(0))]).await, [new]);
}

/// A worker that sweeps the mint requests, without the worker.
struct Worker {
    assignment: Arc<Assignment>,
    log: Arc<Log>,
    consumption: Consumption<Store, MemoryBacklog, SystemClock>,
    sweeper: Sweeper<Store, MemorySink, MemoryBacklog, fn() -> bool>,
}

impl Worker {
    fn new(fixture: &Fixture) -> Self {
        let (log, assignment) = (Arc::<Log>::default(), Assignment::new(Window::default()));
        let sink = Arc::new(MemorySink { log: Arc::clone(&log), crash: Arc::new(Crash::never()) });
        let publisher = Arc::new(Publisher::new(sink, Arc::new(Jitter::from_seed(1)), CancellationToken::new()));
        let telling = Telling { publisher, source: "/test".into(), topic_prefix: String::new() };
        let outbox = RowOutbox { store: Arc::clone(&fixture.store), telling, step: "mint" };
        let backlog = Arc::new(MemoryBacklog { log: Arc::clone(&log), group: "mint".into(), partitions: 2 });
        let (store, sweeping) = (Arc::clone(&fixture.store), Arc::clone(&assignment));
        Self {
            consumption: Consumption::new(store, Arc::clone(&backlog), Arc::clone(&assignment), SystemClock),
            sweeper: Sweeper { step: Step::Mint, outbox, backlog, assignment: sweeping, may_sweep: || true },
            assignment,
            log,
        }
    }

    async fn round(&mut self) {
        self.consumption.round().await.unwrap();
        self.sweeper.round().await.unwrap();
    }
}

#[tokio::test]
async fn twenty_thousand_behind_a_stopped_submitter_are_neither_woken_nor_flagged() {
    const WAITING: i64 = 20_000;
    let fixture = Fixture::new().await;
    fixture
        .must_execute(format!(
            "INSERT INTO minting_operations (id, kind, user_id, wallet, content, content_hash, priority, event_at)
             SELECT gen_random_uuid(), 'unlock', 'u', 'w', '{{}}', decode(repeat('00', 32), 'hex'), 'normal', now()
             FROM generate_series(1, {WAITING})"
        ))
        .await;
    fixture
        .must_execute(
            "UPDATE minting_operations SET state = 'IPFS_UPLOADED', version = 2, updated_at = now() - interval '1 hour'",
        )
        .await;
    let untouched = async || {
        let rows: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM minting_operations
             WHERE wakes = 0 AND needs_review IS NULL AND claimed_until IS NULL AND requested_at IS NULL",
        )
        .fetch_one(&fixture.sql)
        .await
        .unwrap();
        rows
    };

    // The submitter is stopped. Its last reports were good, an hour ago and for a moment.
    reported(&fixture.store, &[0, 1].map(|id| report(id, None, TimeDelta::zero()))).await;
    fixture.must_execute("UPDATE consumed_through SET reported_at = reported_at - interval '1 hour'").await;
    let mut worker = Worker::new(&fixture);
    worker.round().await;
    assert_eq!(untouched().await, WAITING);

    // It is back, and an hour behind: the oldest record is in hand.
    worker.assignment.assigned([partition(0), partition(1)]);
    let record = |id| Record {
        topic: MINT_REQUESTS.name(""),
        partition: id,
        offset: 0,
        timestamp: Some(SystemClock.now() - TimeDelta::hours(1)),
        key: None,
        value: None,
        headers: vec![],
    };
    let tickets = [0, 1].map(|id| worker.assignment.received(&record(id)).unwrap());
    worker.round().await;
    assert_eq!(untouched().await, WAITING);

    // One partition is done with, the other one is not.
    worker.assignment.finished(&tickets[0]);
    worker.round().await;
    assert_eq!(untouched().await, WAITING);
    assert!(worker.log.records(&MINT_REQUESTS.name("")).is_empty());

    // All is consumed, and they stand there all the same: now they do stand still.
    worker.assignment.finished(&tickets[1]);
    worker.consumption.round().await.unwrap();
    assert_eq!(still(&fixture.store).await.len(), 500);
}
