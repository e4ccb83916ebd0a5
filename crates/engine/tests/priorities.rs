//! Who goes first where more is in hand than may be at work: in every worker by itself, whatever partitions it was given.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{Header, Priority, Record, Step, Topic, header};
use engine::{
    Admission, Assignment, Delivery, Disposition, FloodGuard, FloodLimit, Partition, Processor, Publisher, Runner,
    Tries, Trouble, Window,
};
use resilience::Jitter;
use testkit::{Crash, Log, MemorySink, TestClock};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Records of each partition.
const EACH: i64 = 40;

/// Takes a second over each record, and writes down in which order they were begun.
#[derive(Default)]
struct Slow {
    begun: Arc<Mutex<Vec<Record>>>,
}

impl Processor for Slow {
    const NAME: &'static str = "slow";
    const AT_ONCE: usize = 10;

    fn priority(&self, record: &Record) -> Priority {
        Topic::priority_of(&record.topic)
    }

    fn lane(&self, _: &Record) -> Option<Vec<u8>> {
        None
    }

    async fn attempt(&self, record: &Record, _: &Tries) -> Result<Disposition, Trouble> {
        self.begun.lock().unwrap().push(record.clone());
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(Disposition::Done)
    }
}

/// What lies in one partition.
fn backlog(priority: Priority, partition: i32, headers: &[Header]) -> Vec<Record> {
    let record = |offset| Record {
        topic: Topic::Requests(Step::Mint, priority).name(""),
        partition,
        offset,
        timestamp: None,
        key: None,
        value: None,
        headers: headers.to_vec(),
    };
    (0..EACH).map(record).collect()
}

/// Lets a worker work off what it is handed at once. Answers with the records in the order in which they were begun,
/// without the first ones: those found every place free.
async fn worked_off(records: Vec<Record>) -> Vec<Record> {
    let (slow, assignment, jitter) = (Slow::default(), Assignment::new(Window::default()), Jitter::from_seed(7));
    let (begun, jitter, count) = (Arc::clone(&slow.begun), Arc::new(jitter), records.len());
    let (deliver, deliveries) = mpsc::unbounded_channel();
    for record in records {
        let partition = Partition { topic: record.topic.as_str().into(), id: record.partition };
        if !assignment.owns(&partition) {
            assignment.assigned([partition]);
        }
        let ticket = assignment.received(&record).expect("the partition is its own");
        deliver.send(Delivery { record, ticket }).expect("the runner is there");
    }
    drop(deliver);
    let sink = Arc::new(MemorySink { log: Arc::new(Log::default()), crash: Arc::new(Crash::never()) });
    let runner = Runner {
        processor: Arc::new(slow),
        publisher: Arc::new(Publisher::new(sink, Arc::clone(&jitter), CancellationToken::new())),
        assignment,
        admission: Admission::new(Slow::AT_ONCE, 30),
        floods: FloodGuard::new(FloodLimit { records: 500, percent: 50 }),
        group: "slow".into(),
        clock: TestClock::default(),
        jitter,
        stop: CancellationToken::new(),
    };
    runner.run(deliveries, Duration::from_hours(1)).await.expect("the process is not broken");
    let mut begun = begun.lock().unwrap().clone();
    assert_eq!(begun.len(), count, "all of it is worked off");
    begun.split_off(Slow::AT_ONCE)
}

fn of_priority(records: &[Record], priority: Priority) -> usize {
    records.iter().filter(|record| Topic::priority_of(&record.topic) == priority).count()
}

#[tokio::test(start_paused = true)]
async fn critical_goes_first_and_bulk_goes_on_in_a_worker_of_either_share() {
    // The one has the critical partitions but one, the other the bulk ones but one; bulk came first in both.
    let partitions = |bulk: std::ops::Range<i32>, critical: std::ops::Range<i32>| {
        let bulk = bulk.flat_map(|id| backlog(Priority::Bulk, id, &[]));
        bulk.chain(critical.flat_map(|id| backlog(Priority::Critical, id, &[]))).collect()
    };
    let workers = tokio::join!(worked_off(partitions(0..1, 0..5)), worked_off(partitions(1..6, 5..6)));
    for begun in [workers.0, workers.1] {
        let first = &begun[..36];
        let shares = [Priority::Critical, Priority::Bulk].map(|priority| of_priority(first, priority));
        assert_eq!(shares, [32, 4], "8 to 1");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_work_that_came_first_leaves_room_for_fresh_work() {
    let retries = (0..3).flat_map(|id| backlog(Priority::Normal, id, &[header("x-from-row", "due")]));
    let fresh = (3..6).flat_map(|id| backlog(Priority::Normal, id, &[]));
    let begun = worked_off(retries.chain(fresh).collect()).await;
    let is_retry = |record: &Record| record.header("x-from-row").is_some();
    let last_fresh = begun.iter().rposition(|record| !is_retry(record)).expect("fresh records were begun");
    let seconds = begun[..last_fresh].chunks_exact(Slow::AT_ONCE);
    let shares: Vec<_> = seconds.map(|second| second.iter().filter(|record| is_retry(record)).count()).collect();
    assert!(shares.iter().all(|share| *share == 3), "three of ten, no more and no less: {shares:?}");
}
