//! Between librdkafka's lists of partitions and ours.

use engine::Partition;
use rdkafka::{Offset, TopicPartitionList};

pub(crate) fn read(list: &TopicPartitionList) -> Vec<Partition> {
    let elements = list.elements();
    elements.iter().map(|element| Partition { topic: element.topic().into(), id: element.partition() }).collect()
}

pub(crate) fn list<'a>(partitions: impl IntoIterator<Item = &'a Partition>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(&partition.topic, partition.id);
    }
    list
}

pub(crate) fn positions(positions: Vec<(Partition, i64)>) -> TopicPartitionList {
    positions.into_iter().map(|(at, next)| (at.topic.to_string(), at.id, Offset::Offset(next))).collect()
}
