//! Topics in memory: one partition each, consumed from committed offsets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{OutgoingRecord, Record};
use engine::{EventSink, PublishError};

use crate::crash::Crash;

/// What survives a crash.
#[derive(Debug, Default)]
pub struct Log {
    topics: Mutex<HashMap<String, Vec<Record>>>,
    committed: Mutex<HashMap<(String, String), i64>>,
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
            timestamp: None,
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
