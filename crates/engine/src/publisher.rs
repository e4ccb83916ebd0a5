//! Publishes until it is acknowledged: what is committed must be told, however long Kafka is away.

use std::sync::Arc;
use std::time::Duration;

use domain::OutgoingRecord;
use resilience::{Backoff, BackoffPolicy, Jitter};
use tokio_util::sync::CancellationToken;

use crate::dead_letter::{self, DeadLetter};
use crate::ports::{EventSink, PublishError};
use crate::processor::Halt;

/// Pauses between tries of anything that may come back by itself.
pub const PAUSES: BackoffPolicy =
    BackoffPolicy { first: Duration::from_millis(500), factor: 2.0, cap: Duration::from_secs(30), jitter: 0.2 };

/// An [`EventSink`] that does not give up before it is told to stop.
#[derive(Debug)]
pub struct Publisher<E> {
    sink: Arc<E>,
    jitter: Arc<Jitter>,
    stop: CancellationToken,
}

impl<E: EventSink> Publisher<E> {
    /// Publishes to `sink` until `stop`.
    pub const fn new(sink: Arc<E>, jitter: Arc<Jitter>, stop: CancellationToken) -> Self {
        Self { sink, jitter, stop }
    }

    /// Publishes a record; ready when it is acknowledged.
    ///
    /// # Errors
    /// [`Halt`] when the fleet stops first, or when the producer is broken for good or refuses the record's size, which
    /// no event of ours comes near.
    pub async fn publish(&self, record: OutgoingRecord) -> Result<(), Halt> {
        self.insist(record, |record, error| Err(Halt::Fatal(format!("{error} ({} headers)", record.headers.len()))))
            .await
    }

    /// Publishes a dead letter; one that is too large is cut until it fits.
    ///
    /// # Errors
    /// [`Halt`] when the fleet stops first, or when the producer is broken for good.
    pub async fn publish_dead_letter(&self, letter: &DeadLetter<'_>) -> Result<(), Halt> {
        self.insist(letter.outgoing(), |record, error| {
            if record.value.as_ref().is_none_or(Vec::is_empty) {
                return Err(Halt::Fatal(error.to_string()));
            }
            dead_letter::truncate(record);
            Ok(())
        })
        .await
    }

    async fn insist(
        &self,
        mut record: OutgoingRecord,
        too_large: impl Fn(&mut OutgoingRecord, PublishError) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let mut pauses = Backoff::new(PAUSES, Arc::clone(&self.jitter));
        loop {
            match self.sink.publish(record.clone()).await {
                Ok(()) => return Ok(()),
                Err(error @ PublishError::TooLarge { .. }) => too_large(&mut record, error)?,
                Err(PublishError::Fatal(reason)) => return Err(Halt::Fatal(reason)),
                Err(PublishError::Unavailable(reason)) => {
                    tracing::warn!(topic = record.topic, reason, "not published, trying again");
                    tokio::select! {
                        biased;
                        () = tokio::time::sleep(pauses.next_pause()) => {}
                        () = self.stop.cancelled() => return Err(Halt::Stopping),
                    }
                }
            }
        }
    }
}
