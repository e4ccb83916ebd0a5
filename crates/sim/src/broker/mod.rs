//! A simulated Kafka: topics with partitions, consumer groups that rebalance, committed offsets, records that come again.

mod backlog;
mod consumer;
mod group;
mod log;
mod sink;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Clock, OutgoingRecord, Record};
use engine::Partition;
use testkit::TestClock;
use tokio::time::Instant;

pub use self::backlog::SimBacklog;
pub use self::consumer::Consumer;
use self::group::{Groups, Membership};
use self::log::Log;
pub use self::sink::SimSink;
use crate::dice::Dice;
use crate::weather::Sky;

/// What survives every process: the log, and what the groups have committed.
#[derive(Debug)]
pub struct Broker {
    log: Mutex<Log>,
    groups: Mutex<Groups>,
    clock: TestClock,
    dice: Dice,
    sky: Arc<Sky>,
}

impl Broker {
    /// Topics of so many partitions.
    #[must_use]
    pub fn new(seed: u64, partitions: i32, clock: TestClock, sky: Arc<Sky>) -> Arc<Self> {
        Arc::new(Self {
            log: Mutex::new(Log::new(partitions)),
            groups: Mutex::default(),
            clock,
            dice: Dice::of(seed, "broker"),
            sky,
        })
    }

    /// Appends a record.
    pub fn append(&self, record: OutgoingRecord) {
        lock(&self.log).append(record, self.clock.now());
    }

    /// Every record of a topic, partition by partition.
    #[must_use]
    pub fn records(&self, topic: &str) -> Vec<Record> {
        lock(&self.log).of_topic(topic).flatten().cloned().collect()
    }

    /// Whether a group has consumed its topics to their ends.
    #[must_use]
    pub fn is_consumed(&self, group: &str) -> bool {
        let (groups, log) = (lock(&self.groups), lock(&self.log));
        groups.committed(group).all(|(partition, position)| log.end(partition) <= position)
    }

    fn ends_at(&self, partition: &Partition) -> i64 {
        lock(&self.log).end(partition)
    }

    fn fetch(&self, partition: &Partition, from: i64, most: usize) -> Vec<Record> {
        lock(&self.log).from(partition, from).take(most).cloned().collect()
    }

    /// A member says that it is there, and hears what is its own where that changed since.
    fn heartbeat(&self, group: &str, topics: &[String], member: &str, since: u64) -> Option<Membership> {
        let storm = self.sky.strikes(&self.dice, |weather| weather.rebalance);
        let partitions = || lock(&self.log).partitions(topics);
        lock(&self.groups).heartbeat(group, partitions, member, Instant::now(), storm).since(since, member)
    }

    /// Commits positions, as far as they are still the member's.
    fn commit(&self, group: &str, member: &str, positions: &[(Partition, i64)]) {
        lock(&self.groups).commit(group, member, positions);
    }

    fn committed(&self, group: &str, partition: &Partition) -> i64 {
        lock(&self.groups).position(group, partition)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
