//! What happens in the consumer group, called back by librdkafka while the consumer polls, on the consumer's thread.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::FailureClass;
use engine::{Assignment, Partition};
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::statistics::{self, Statistics};
use rdkafka::types::RDKafkaRespErr;
use resilience::Dependency;

use crate::fatal::Fatal;
use crate::{client, metrics, partitions};

/// Carries the group's decisions over to the assignment, and the assignment's to the client.
pub(crate) struct Group {
    assignment: Arc<Assignment>,
    fatal: Fatal,
    paused: Mutex<HashSet<Partition>>,
    line: Dependency,
}

impl Group {
    pub(crate) fn new(assignment: Arc<Assignment>, fatal: Fatal, line: Dependency) -> Self {
        Self { assignment, fatal, paused: Mutex::default(), line }
    }

    /// Pauses what is not paused yet. What was fetched ahead of it is thrown away; consumption goes on with the record
    /// after the last one received.
    pub(crate) fn pause(&self, client: &BaseConsumer<Self>, partitions: &[Partition]) {
        let mut paused = self.paused();
        let fresh: Vec<_> = partitions.iter().filter(|partition| paused.insert((*partition).clone())).collect();
        if !fresh.is_empty()
            && let Err(error) = client.pause(&partitions::list(fresh))
        {
            tracing::warn!(%error, "partitions were not paused");
        }
    }

    /// Resumes what is paused.
    pub(crate) fn resume(&self, client: &BaseConsumer<Self>, partitions: &[Partition]) {
        let mut paused = self.paused();
        let waiting: Vec<_> = partitions.iter().filter(|partition| paused.remove(partition)).collect();
        if !waiting.is_empty()
            && let Err(error) = client.resume(&partitions::list(waiting))
        {
            tracing::warn!(%error, "partitions were not resumed");
        }
    }

    /// Stores positions: librdkafka commits them, once a second and when their partitions are given up.
    pub(crate) fn store(client: &BaseConsumer<Self>, positions: Vec<(Partition, i64)>) {
        if !positions.is_empty()
            && let Err(error) = client.store_offsets(&partitions::positions(positions))
        {
            // Of a partition that is ours no more: the next owner starts where the last commit was.
            tracing::debug!(%error, "positions were not stored");
        }
    }

    fn paused(&self) -> MutexGuard<'_, HashSet<Partition>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, client: &BaseConsumer<Self>, assigned: &TopicPartitionList) {
        let taken = partitions::read(assigned);
        tracing::info!(partitions = taken.len(), "partitions assigned");
        metrics::rebalanced("assigned");
        self.line.good();
        match client.incremental_assign(assigned) {
            Ok(()) => self.assignment.assigned(taken),
            Err(error) => self.fatal.broken(format!("partitions could not be taken: {error}")),
        }
    }

    /// Never waits. librdkafka commits what is stored before it goes on with the rebalance; of lost partitions it
    /// commits nothing.
    fn give_up(&self, client: &BaseConsumer<Self>, revoked: &TopicPartitionList) {
        let given_up = partitions::read(revoked);
        let lost = client.assignment_lost();
        tracing::info!(partitions = given_up.len(), lost, "partitions revoked");
        metrics::rebalanced(if lost { "lost" } else { "revoked" });
        let positions = self.assignment.revoked(&given_up);
        if !lost {
            Self::store(client, positions);
        }
        // librdkafka remembers a pause beyond the assignment: the partition would come back paused, and stay so.
        self.resume(client, &given_up);
        if let Err(error) = client.incremental_unassign(revoked) {
            self.fatal.broken(format!("partitions could not be given up: {error}"));
        }
    }
}

impl ClientContext for Group {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // Whether it is fatal the consumer finds out, once it has polled.
        tracing::warn!(%error, reason, "kafka");
        if error == KafkaError::Global(RDKafkaErrorCode::AllBrokersDown) {
            self.line.failed(FailureClass::Outage, "kafka-unavailable");
        }
    }

    fn stats(&self, statistics: Statistics) {
        if statistics.brokers.values().any(|broker| broker.state == "UP") {
            self.line.good();
        } else {
            self.line.failed(FailureClass::Outage, "kafka-unavailable");
        }
        for (name, topic) in &statistics.topics {
            let owned = topic.partitions.values().filter(|partition| partition.fetch_state == "active");
            metrics::lag(name, owned.map(unfinished).sum());
        }
    }
}

/// Records behind the finished prefix, as far as the client knows one; else behind the committed offset, else all.
fn unfinished(partition: &statistics::Partition) -> i64 {
    let all = partition.hi_offset - partition.lo_offset.max(0);
    let known = [partition.consumer_lag_stored, partition.consumer_lag, all];
    known.into_iter().find(|lag| *lag >= 0).unwrap_or(0)
}

impl ConsumerContext for Group {
    fn rebalance(&self, client: &BaseConsumer<Self>, kind: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.take(client, list);
        } else {
            self.give_up(client, list);
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        match result {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            // The stored positions stay stored: the next commit carries them.
            Err(error) => tracing::warn!(%error, "positions were not committed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_known_before_anything_was_finished() {
        let fresh = statistics::Partition { hi_offset: 50, lo_offset: 10, ..untouched() };
        assert_eq!(unfinished(&fresh), 40);
        assert_eq!(unfinished(&statistics::Partition { consumer_lag: 30, ..fresh.clone() }), 30);
        assert_eq!(unfinished(&statistics::Partition { consumer_lag: 30, consumer_lag_stored: 20, ..fresh }), 20);
        assert_eq!(unfinished(&untouched()), 0);
    }

    fn untouched() -> statistics::Partition {
        let unknown = -1;
        statistics::Partition {
            hi_offset: -1001,
            lo_offset: -1001,
            consumer_lag: unknown,
            consumer_lag_stored: unknown,
            ..statistics::Partition::default()
        }
    }
}
