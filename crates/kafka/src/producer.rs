//! The producer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::OutgoingRecord;
use engine::{EventSink, PublishError};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use tokio::sync::{Semaphore, oneshot, watch};

use crate::error::Error;
use crate::fatal::FatalError;
use crate::settings::KafkaSettings;
use crate::{client, metrics, record, refusal};

/// Publishes records, each acknowledged by all replicas in sync, and in the order in which they were given for one
/// partition. Clones share one client.
#[derive(Clone)]
pub struct Producer {
    client: Arc<ThreadedProducer<Acknowledgements>>,
    /// Changes with every error that is not one record's.
    told: Arc<watch::Sender<()>>,
    // First come, first served: with librdkafka's own limit, those who find it full would have to try their luck.
    room: Arc<Semaphore>,
}

impl Producer {
    /// Starts the client with its threads.
    ///
    /// # Errors
    /// [`Error::Settings`], [`Error::Client`]. A cluster that cannot be reached is none: it may come back.
    pub fn start(settings: &KafkaSettings) -> Result<Self, Error> {
        let told = Arc::new(watch::Sender::new(()));
        let context = Acknowledgements { told: told.clone() };
        let client = client::producer(settings)?.create_with_context(context).map_err(Error::client)?;
        let room = Arc::new(Semaphore::new(client::IN_FLIGHT_BYTES as usize));
        Ok(Self { client: Arc::new(client), told, room })
    }

    /// Sends what waits and returns once everything is acknowledged or has failed.
    ///
    /// # Errors
    /// [`PublishError::Unavailable`] when something is still on its way after `timeout`.
    pub async fn flush(&self, timeout: Duration) -> Result<(), PublishError> {
        let client = self.client.clone();
        let flushed = tokio::task::spawn_blocking(move || client.flush(timeout)).await;
        match flushed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(PublishError::Unavailable(error.to_string())),
            Err(error) => Err(PublishError::Unavailable(error.to_string())),
        }
    }

    /// Ready when the producer is broken for good: the process has to end. Never ready otherwise.
    pub fn fatal(&self) -> impl Future<Output = FatalError> + Send + 'static {
        let (producer, mut told) = (self.clone(), self.told.subscribe());
        async move {
            loop {
                if let Some(error) = producer.broken() {
                    return error;
                }
                // Its sender is there as long as the producer is.
                told.changed().await.ok();
            }
        }
    }

    /// librdkafka itself knows best: the errors that it tells of do not say whether they are fatal.
    fn broken(&self) -> Option<FatalError> {
        self.client.client().fatal_error().map(|(_, reason)| FatalError::Broken(reason))
    }

    async fn send(&self, record: &OutgoingRecord) -> KafkaResult<()> {
        const NO_SUCH_PARTITION: KafkaError = KafkaError::MessageProduction(RDKafkaErrorCode::UnknownPartition);
        match self.send_to(record, record.partition).await {
            Err(NO_SUCH_PARTITION) if record.partition.is_some() => self.send_to(record, None).await,
            sent => sent,
        }
    }

    async fn send_to(&self, record: &OutgoingRecord, partition: Option<i32>) -> KafkaResult<()> {
        let (acknowledge, acknowledged) = oneshot::channel();
        let outgoing = BaseRecord {
            topic: &record.topic,
            partition,
            payload: record.value.as_deref(),
            key: record.key.as_deref(),
            timestamp: None,
            headers: record::write_headers(&record.headers),
            delivery_opaque: Box::new(acknowledge),
        };
        self.client.send(outgoing).map_err(|(error, _)| error)?;
        acknowledged.await.unwrap_or(Err(KafkaError::Canceled))
    }
}

impl EventSink for Producer {
    /// Waits its turn where too much is on its way already, then 30 s at most for the acknowledgement. A partition that
    /// the topic does not have gives way to the key. Dropped before it is ready, the record may be written all the same.
    async fn publish(&self, record: OutgoingRecord) -> Result<(), PublishError> {
        let bytes = u32::try_from(record::footprint(&record)).unwrap_or(u32::MAX);
        // Never closed, so that an error cannot be: one who got no turn is told to come again.
        let turn = self.room.acquire_many(bytes.min(client::IN_FLIGHT_BYTES)).await;
        let _turn = turn.map_err(|closed| PublishError::Unavailable(closed.to_string()))?;
        match self.send(&record).await {
            Ok(()) => {
                metrics::published(&record.topic);
                Ok(())
            }
            Err(error) => {
                let error = refusal::classify(&record.topic, &error, self.broken());
                metrics::publish_failed(&record.topic, refusal::kind(&error));
                Err(error)
            }
        }
    }
}

/// Carries acknowledgements to those who wait for them, and the news that something went wrong.
struct Acknowledgements {
    told: Arc<watch::Sender<()>>,
}

impl ClientContext for Acknowledgements {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "kafka");
        self.told.send_replace(());
    }
}

impl ProducerContext for Acknowledgements {
    type DeliveryOpaque = Box<oneshot::Sender<KafkaResult<()>>>;

    fn delivery(&self, result: &DeliveryResult<'_>, acknowledge: Self::DeliveryOpaque) {
        let result = result.as_ref().map(drop).map_err(|(error, _)| error.clone());
        // Whoever asked may have gone.
        acknowledge.send(result).ok();
    }
}
