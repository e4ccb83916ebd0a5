//! Topics and their records.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{OutgoingRecord, Record};
use engine::Partition;

/// Every topic, made when somebody names it.
#[derive(Debug)]
pub struct Log {
    partitions: i32,
    topics: BTreeMap<String, Vec<Vec<Record>>>,
}

impl Log {
    /// Topics of so many partitions.
    pub const fn new(partitions: i32) -> Self {
        Self { partitions, topics: BTreeMap::new() }
    }

    /// Appends to the partition that the record or its key names.
    pub fn append(&mut self, outgoing: OutgoingRecord, now: DateTime<Utc>) {
        let key = outgoing.key.as_deref().unwrap_or_default();
        let partition = outgoing.partition.unwrap_or_else(|| partition_of(key, self.partitions));
        let count = usize::try_from(self.partitions).unwrap_or(1);
        let topic = self.topics.entry(outgoing.topic.clone()).or_insert_with(|| vec![Vec::new(); count]);
        let index = usize::try_from(partition).unwrap_or(0) % count;
        let offset = i64::try_from(topic[index].len()).unwrap_or(i64::MAX);
        topic[index].push(Record {
            topic: outgoing.topic,
            partition: i32::try_from(index).unwrap_or(0),
            offset,
            timestamp: Some(now),
            key: outgoing.key,
            value: outgoing.value,
            headers: outgoing.headers,
        });
    }

    /// A topic's records, partition by partition.
    pub fn of_topic(&self, topic: &str) -> impl Iterator<Item = &Vec<Record>> {
        self.topics.get(topic).into_iter().flatten()
    }

    /// A partition's records from an offset on.
    pub fn from(&self, partition: &Partition, offset: i64) -> impl Iterator<Item = &Record> {
        let records = self.records(partition);
        records.iter().skip(usize::try_from(offset).unwrap_or(usize::MAX))
    }

    /// The offset of the next record.
    pub fn end(&self, partition: &Partition) -> i64 {
        i64::try_from(self.records(partition).len()).unwrap_or(i64::MAX)
    }

    /// Every partition of the topics.
    pub fn partitions(&self, topics: &[String]) -> Vec<Partition> {
        let all = topics.iter().flat_map(|topic| (0..self.partitions).map(move |id| (topic, id)));
        all.map(|(topic, id)| Partition { topic: topic.as_str().into(), id }).collect()
    }

    fn records(&self, partition: &Partition) -> &[Record] {
        let topic = self.topics.get(&*partition.topic);
        let records = topic.zip(usize::try_from(partition.id).ok()).and_then(|(topic, id)| topic.get(id));
        records.map_or(&[], Vec::as_slice)
    }
}

/// Keys of one kind lie in one partition; which one is nobody's business.
fn partition_of(key: &[u8], partitions: i32) -> i32 {
    let sum = key.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    i32::try_from(sum % partitions.unsigned_abs().max(1)).unwrap_or(0)
}
