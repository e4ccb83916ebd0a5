//! What a group has still before it, asked again and again by the same client.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::{Failure, FailureClass};
use engine::{Backlog, Partition};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use tokio::task::spawn_blocking;

use crate::error::Error;
use crate::lag::{self, PartitionLag};
use crate::settings::KafkaSettings;
use crate::{client, partitions};

/// How long one question may take: the next round asks again.
const WITHIN: Duration = Duration::from_secs(5);

/// Asks about one group without being in it.
#[derive(Clone)]
pub struct GroupBacklog {
    client: Arc<BaseConsumer<Asking>>,
}

impl GroupBacklog {
    /// Makes the client; asks nothing yet.
    ///
    /// # Errors
    /// [`Error::Settings`], [`Error::Client`].
    pub fn connect(settings: &KafkaSettings, group: &str) -> Result<Self, Error> {
        let mut config = client::plain(settings)?;
        config.set("group.id", group).set("enable.auto.commit", "false").set("isolation.level", "read_committed");
        Ok(Self { client: Arc::new(config.create_with_context(Asking).map_err(Error::client)?) })
    }

    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&BaseConsumer<Asking>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let client = Arc::clone(&self.client);
        let asking = spawn_blocking(move || {
            // Errors that came meanwhile are taken off its queue.
            drop(client.poll(Duration::ZERO));
            ask(&client)
        });
        let answer = asking.await.map_err(Error::interrupted("asking about a group")).flatten();
        answer.map_err(|error| Failure::new(FailureClass::Transient, "kafka-unavailable", error))
    }
}

impl Backlog for GroupBacklog {
    async fn partitions(&self, topic: &str) -> Result<u32, Failure> {
        let topic = topic.to_owned();
        self.ask(move |client| {
            let metadata =
                client.fetch_metadata(Some(&topic), WITHIN).map_err(Error::request("counting partitions"))?;
            let count = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
            Ok(u32::try_from(count).unwrap_or(u32::MAX))
        })
        .await
    }

    async fn consumed_to_end(&self, partitions: Vec<Partition>) -> Result<HashSet<Partition>, Failure> {
        if partitions.is_empty() {
            return Ok(HashSet::new());
        }
        let places = self.ask(move |client| lag::places(client, &partitions::list(&partitions), WITHIN)).await?;
        Ok(places.into_iter().filter(|place| place.records() == 0).map(|place: PartitionLag| place.partition).collect())
    }
}

/// Errors come back with the answers; what is left is for the log.
struct Asking;

impl ClientContext for Asking {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka");
    }
}

impl ConsumerContext for Asking {}
