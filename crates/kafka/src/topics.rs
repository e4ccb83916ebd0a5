//! The topics of a fleet as they are meant to be.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Topic;

use crate::settings::KafkaSettings;

const DAY: Duration = Duration::from_hours(24);

/// One topic as it is meant to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name, prefix included.
    pub name: String,
    /// Number of partitions.
    pub partitions: u16,
    /// Number of replicas of each.
    pub replication: u16,
    /// Topic configuration, by Kafka's names.
    pub config: BTreeMap<&'static str, String>,
}

/// How the topics of a fleet are made. All take the same number of partitions; a dead-letter topic must, so that a
/// dead letter finds the partition it came from.
#[derive(Debug, Clone)]
pub struct TopicPlan {
    /// Put before every name.
    pub prefix: String,
    /// Partitions of each topic: the most processes that can share it, not the most that is done at once.
    pub partitions: u16,
    /// Replicas of each partition: 3 in earnest.
    pub replication: u16,
    /// Largest record, bytes; dead letters may be 64 KiB larger.
    pub max_record_bytes: u32,
    /// How long records are kept.
    pub retention: Duration,
    /// How long dead letters are kept; for ever where none.
    pub dead_letter_retention: Option<Duration>,
}

impl TopicPlan {
    /// For one broker: 6 partitions, one replica, 1 MiB, 7 days, dead letters 30 days.
    pub fn new(prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            partitions: 6,
            replication: 1,
            max_record_bytes: 1 << 20,
            retention: 7 * DAY,
            dead_letter_retention: Some(30 * DAY),
        }
    }

    /// Every topic of the fleet, each followed by that of its dead letters.
    #[must_use]
    pub fn topics(&self) -> Vec<TopicSpec> {
        Topic::all().flat_map(|topic| [self.records(topic), self.dead_letters(topic)]).collect()
    }

    fn records(&self, topic: Topic) -> TopicSpec {
        self.topic(topic.name(&self.prefix), self.max_record_bytes, Some(self.retention))
    }

    fn dead_letters(&self, topic: Topic) -> TopicSpec {
        let largest = self.max_record_bytes + KafkaSettings::DEAD_LETTER_ROOM;
        self.topic(topic.dead_letter_name(&self.prefix), largest, self.dead_letter_retention)
    }

    fn topic(&self, name: String, largest: u32, retention: Option<Duration>) -> TopicSpec {
        // With three replicas one may be down and writing goes on, acknowledged by two.
        let in_sync = if self.replication > 2 { 2 } else { 1 };
        let retention = retention.map_or("-1".to_owned(), |time| time.as_millis().to_string());
        let config = BTreeMap::from([
            // Not compacted: an event that nobody has consumed must not give way to a later one.
            ("cleanup.policy", "delete".to_owned()),
            ("max.message.bytes", largest.to_string()),
            ("min.insync.replicas", in_sync.to_string()),
            ("retention.ms", retention),
            // A replica that lags behind never becomes leader: acknowledged records would be gone.
            ("unclean.leader.election.enable", "false".to_owned()),
        ]);
        TopicSpec { name, partitions: self.partitions, replication: self.replication, config }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_its_dead_letters() {
        let topics = TopicPlan { dead_letter_retention: None, replication: 3, ..TopicPlan::new("a.") }.topics();
        assert_eq!(topics.len(), 22);
        for pair in topics.chunks(2) {
            let (records, dead) = (&pair[0], &pair[1]);
            assert!(records.name.starts_with("a.nft-"));
            assert_eq!(dead.name, format!("{}.dlq", records.name));
            assert_eq!(dead.partitions, records.partitions);
            assert_eq!(records.config["max.message.bytes"], "1048576");
            assert_eq!(dead.config["max.message.bytes"], "1114112");
            assert_eq!(records.config["retention.ms"], "604800000");
            assert_eq!(dead.config["retention.ms"], "-1");
            assert_eq!(dead.config["min.insync.replicas"], "2");
        }
    }
}
