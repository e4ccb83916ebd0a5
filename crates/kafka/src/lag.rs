//! How far behind a group is.

use std::time::Duration;

use engine::Partition;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::metadata::MetadataTopic;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};

use crate::admin::{Admin, WITHIN};
use crate::client;
use crate::error::Error;
use crate::patience::patiently;

const DOING: &str = "asking for a group's offsets";

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
        let ends = patiently(within, |left| client.fetch_watermarks(topic, id, left));
        let (start, end) = ends.map_err(Error::request(DOING))?;
        let committed = match element.offset() {
            Offset::Offset(offset) => Some(offset),
            Offset::Beginning | Offset::End | Offset::Stored | Offset::Invalid | Offset::OffsetTail(_) => None,
        };
        Ok(PartitionLag { partition: Partition { topic: topic.into(), id }, start, end, committed })
    };
    committed.elements().iter().map(place).collect()
}
