//! What stands still, by what the owners of partitions say; 20,000 that wait behind a stopped worker do not.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{Clock, Priority, Record, Step, SystemClock, Topic};
use engine::{
    Assignment, Consumption, ConsumptionReport, Partition, Publisher, Round as _, RowOutbox, RowStore, Sweeper,
    Telling, Window,
};
use resilience::Jitter;
use store::Store;
use testkit::{Crash, Log, MemoryBacklog, MemorySink};
use tokio_util::sync::CancellationToken;

use crate::support::Fixture;

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
    assert_eq!(fixture.still().await.len(), 500);
}
