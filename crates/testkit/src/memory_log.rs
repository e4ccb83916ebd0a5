//! Topics in memory: one partition each, consumed from committed offsets.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Clock, Failure, OutgoingRecord, Record};
use engine::{Backlog, EventSink, Partition, PublishError};

use crate::crash::Crash;
use crate::test_clock::TestClock;

/// What survives a crash.
#[derive(Debug, Default)]
pub struct Log {
    topics: Mutex<HashMap<String, Vec<Record>>>,
    committed: Mutex<HashMap<(String, String), i64>>,
    clock: TestClock,
}

impl Log {
    /// Appends a record.
    pub fn append(&self, outgoing: OutgoingRecord) {
        let mut topics = lock(&self.topics);
        let records = topics.entry(outgoing.topic.clone()).or_default();
        records.push(Record {
            topic: outgoing.topic,
            partition: 0,
            offset: i64::try_from(records.len()).unwrap_or(i64::MAX),
            timestamp: Some(self.clock.now()),
            key: outgoing.key,
            value: outgoing.value,
            headers: outgoing.headers,
        });
    }

    /// Every record of a topic.
    pub fn records(&self, topic: &str) -> Vec<Record> {
        lock(&self.topics).get(topic).cloned().unwrap_or_default()
    }

    /// The records from an offset on.
    pub fn records_from(&self, topic: &str, offset: i64) -> Vec<Record> {
        self.records(topic).into_iter().filter(|record| record.offset >= offset).collect()
    }

    /// Where a group goes on.
    pub fn committed(&self, group: &str, topic: &str) -> i64 {
        lock(&self.committed).get(&(group.to_owned(), topic.to_owned())).copied().unwrap_or(0)
    }

    /// Commits a group's position.
    pub fn commit(&self, group: &str, topic: &str, offset: i64) {
        lock(&self.committed).insert((group.to_owned(), topic.to_owned()), offset);
    }
}

/// One process's producer: it may crash before and after every record.
#[derive(Debug)]
pub struct MemorySink {
    /// What survives it.
    pub log: Arc<Log>,
    /// When it dies.
    pub crash: Arc<Crash>,
}

impl EventSink for MemorySink {
    async fn publish(&self, record: OutgoingRecord) -> Result<(), PublishError> {
        self.crash.moment().await;
        self.log.append(record);
        self.crash.moment().await;
        Ok(())
    }
}

/// What the log says of a group.
#[derive(Debug)]
pub struct MemoryBacklog {
    /// The log.
    pub log: Arc<Log>,
    /// The group.
    pub group: String,
    /// Partitions of every topic; the log has records in the first alone.
    pub partitions: u32,
}

impl Backlog for MemoryBacklog {
    async fn partitions(&self, _: &str) -> Result<u32, Failure> {
        Ok(self.partitions)
    }

    async fn consumed_to_end(&self, partitions: Vec<Partition>) -> Result<HashSet<Partition>, Failure> {
        let at_end = |partition: &Partition| {
            let committed = self.log.committed(&self.group, &partition.topic);
            self.log.records_from(&partition.topic, committed).is_empty()
        };
        Ok(partitions.into_iter().filter(at_end).collect())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
