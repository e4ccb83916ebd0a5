//! What a cluster says of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::{ConfigResourceResult, ResourceSpecifier};
use rdkafka::metadata::{MetadataBroker, MetadataTopic};

use crate::admin::{Admin, WITHIN};
use crate::error::Error;

/// A broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Its number in the cluster.
    pub id: i32,
    /// Where it says it is reached: host and port.
    pub address: String,
}

/// A cluster that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Stays the same for its lifetime.
    pub id: Option<String>,
    /// Who is up.
    pub brokers: Vec<Broker>,
    /// Every topic we may see, by name: its number of partitions.
    pub topics: BTreeMap<String, usize>,
}

/// A topic as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDescription {
    /// Its name.
    pub name: String,
    /// Number of partitions.
    pub partitions: usize,
    /// Replicas of the partition that has fewest.
    pub replication: usize,
    /// Topic configuration in force, by Kafka's names.
    pub config: BTreeMap<String, String>,
}

impl Admin {
    /// Asks who and what is there.
    ///
    /// # Errors
    /// [`Error::Request`] when nobody answers within `timeout`.
    pub async fn cluster(&self, timeout: Duration) -> Result<Cluster, Error> {
        const DOING: &str = "asking for the cluster";
        let client = self.client.clone();
        let ask = move || {
            let metadata = client.inner().fetch_metadata(None, timeout).map_err(Error::request(DOING))?;
            let broker = |b: &MetadataBroker| Broker { id: b.id(), address: format!("{}:{}", b.host(), b.port()) };
            let topics = metadata.topics().iter();
            Ok(Cluster {
                id: client.inner().fetch_cluster_id(timeout),
                brokers: metadata.brokers().iter().map(broker).collect(),
                topics: topics.map(|topic| (topic.name().to_owned(), topic.partitions().len())).collect(),
            })
        };
        tokio::task::spawn_blocking(ask).await.map_err(Error::interrupted(DOING))?
    }

    /// Describes those of the topics that exist.
    ///
    /// # Errors
    /// [`Error::Request`].
    pub async fn describe(&self, names: &[String]) -> Result<Vec<TopicDescription>, Error> {
        let shapes = self.shapes(names).await?;
        let resources: Vec<_> = shapes.iter().map(|shape| ResourceSpecifier::Topic(&shape.0)).collect();
        let failed = |message: String| Error::Request { doing: "describing topics", message };
        let answers = self.client.describe_configs(&resources, &Self::options()).await;
        let answers = answers.map_err(|error| failed(error.to_string()))?;
        let describe = |((name, partitions, replication), answer): (&Shape, ConfigResourceResult)| {
            let resource = answer.map_err(|code| failed(format!("{name}: {code}")))?;
            let entries = resource.entries.into_iter();
            let config = entries.filter_map(|entry| Some((entry.name, entry.value?))).collect();
            Ok(TopicDescription { name: name.clone(), partitions: *partitions, replication: *replication, config })
        };
        shapes.iter().zip(answers).map(describe).collect()
    }

    async fn shapes(&self, names: &[String]) -> Result<Vec<Shape>, Error> {
        const DOING: &str = "asking for topics";
        let (client, names) = (self.client.clone(), names.to_vec());
        let ask = move || {
            let metadata = client.inner().fetch_metadata(None, WITHIN).map_err(Error::request(DOING))?;
            let known = metadata.topics().iter().filter(|topic| names.iter().any(|name| name == topic.name()));
            let shape = |topic: &MetadataTopic| {
                let replicas = topic.partitions().iter().map(|partition| partition.replicas().len());
                (topic.name().to_owned(), topic.partitions().len(), replicas.min().unwrap_or(0))
            };
            Ok(known.map(shape).collect())
        };
        tokio::task::spawn_blocking(ask).await.map_err(Error::interrupted(DOING))?
    }
}

/// Name, partitions, replicas.
type Shape = (String, usize, usize);
