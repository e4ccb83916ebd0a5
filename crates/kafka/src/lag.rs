//! How far behind a group is.

use std::thread;
use std::time::{Duration, Instant};

use engine::Partition;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::MetadataTopic;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};

use crate::admin::{Admin, WITHIN};
use crate::client;
use crate::error::Error;

const DOING: &str = "asking for a group's offsets";
/// Between two questions after a coordinator that is only just being found.
const PAUSE: Duration = Duration::from_millis(200);

/// Where a group stands in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionLag {
    /// Which one.
    pub partition: Partition,
    /// First offset that is still kept.
    pub start: i64,
    /// Offset of the next record to be written.
    pub end: i64,
    /// Offset that the group committed, if it ever did.
    pub committed: Option<i64>,
}

impl PartitionLag {
    /// Offsets the group still has before it, among which there may be gaps.
    #[must_use]
    pub fn records(&self) -> i64 {
        (self.end - self.committed.unwrap_or(self.start).max(self.start)).max(0)
    }
}

impl Admin {
    /// Asks where a group stands in the topics. The group need not run.
    ///
    /// # Errors
    /// [`Error::Request`], also when a topic does not exist.
    pub async fn lag(&self, group: &str, topics: &[String]) -> Result<Vec<PartitionLag>, Error> {
        let mut config = client::plain(&self.settings)?;
        config.set("group.id", group).set("enable.auto.commit", "false");
        let topics = topics.to_vec();
        let ask = move || {
            let client: BaseConsumer = config.create().map_err(Error::client)?;
            let mut asked = TopicPartitionList::new();
            for topic in &topics {
                let metadata = client.fetch_metadata(Some(topic), WITHIN).map_err(Error::request(DOING))?;
                let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
                for partition in partitions {
                    asked.add_partition(topic, partition.id());
                }
            }
            places(&client, &asked, WITHIN)
        };
        tokio::task::spawn_blocking(ask).await.map_err(Error::interrupted(DOING))?
    }
}

/// Where the client's group stands in those partitions. Each question waits `within` at most.
pub(crate) fn places<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    asked: &TopicPartitionList,
    within: Duration,
) -> Result<Vec<PartitionLag>, Error> {
    let committed = patiently(within, |left| client.committed_offsets(asked.clone(), left));
    let committed = committed.map_err(Error::request(DOING))?;
    let place = |element: &TopicPartitionListElem<'_>| {
        let (topic, id) = (element.topic(), element.partition());
        element.error().map_err(Error::request(DOING))?;
        let (start, end) = client.fetch_watermarks(topic, id, within).map_err(Error::request(DOING))?;
        let committed = match element.offset() {
            Offset::Offset(offset) => Some(offset),
            Offset::Beginning | Offset::End | Offset::Stored | Offset::Invalid | Offset::OffsetTail(_) => None,
        };
        Ok(PartitionLag { partition: Partition { topic: topic.into(), id }, start, end, committed })
    };
    committed.elements().iter().map(place).collect()
}

/// Asks again while the group's coordinator is only just being found: on a broker that is starting, after it has moved.
/// librdkafka asks by itself while it knows none, and gives up where the one it knows says that it is none.
fn patiently<T>(within: Duration, ask: impl Fn(Duration) -> KafkaResult<T>) -> KafkaResult<T> {
    let until = Instant::now() + within;
    loop {
        let answer = ask(until.saturating_duration_since(Instant::now()));
        let passes = answer.as_ref().is_err_and(is_without_coordinator);
        if !passes || Instant::now() + PAUSE >= until {
            return answer;
        }
        thread::sleep(PAUSE);
    }
}

fn is_without_coordinator(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{CoordinatorLoadInProgress, CoordinatorNotAvailable, NotCoordinator};
    let code = error.rdkafka_error_code();
    code.is_some_and(|code| [CoordinatorLoadInProgress, CoordinatorNotAvailable, NotCoordinator].contains(&code))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Asks of a broker that answers with these errors first; says how often it was asked.
    fn asked(errors: &[RDKafkaErrorCode], within: Duration) -> (KafkaResult<()>, usize) {
        let times = Cell::new(0);
        let answer = patiently(within, |_| {
            let error = errors.get(times.replace(times.get() + 1));
            error.map_or(Ok(()), |code| Err(KafkaError::MetadataFetch(*code)))
        });
        (answer, times.get())
    }

    #[test]
    fn a_coordinator_that_is_only_being_found_is_waited_for() {
        use RDKafkaErrorCode::{CoordinatorLoadInProgress, GroupAuthorizationFailed, NotCoordinator};
        let starting = [NotCoordinator, CoordinatorLoadInProgress];
        assert_eq!(asked(&starting, WITHIN), (Ok(()), 3));
        let refused = KafkaError::MetadataFetch(GroupAuthorizationFailed);
        assert_eq!(asked(&[NotCoordinator, GroupAuthorizationFailed], WITHIN), (Err(refused), 2));
        let gone = KafkaError::MetadataFetch(NotCoordinator);
        assert_eq!(asked(&[NotCoordinator; 3], PAUSE), (Err(gone), 1), "no longer than it may take");
    }
}
