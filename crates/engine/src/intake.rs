//! Intake: an API event becomes a row, once, and the first request event.

use std::sync::Arc;

use domain::{Clock, Failure, OperationRequested, Priority, Record, Rejected, read_operation_id};

use crate::batches::Batches;
use crate::dead_letter::dead_letter_id;
use crate::ports::{EventSink, Inserted, StoreError};
use crate::processor::{Disposition, Processor, Trouble};
use crate::telling::Telling;
use crate::tries::Tries;

/// Takes `nft-operations`. Nothing slow happens here, so that rejections come early and the API's topic is drained at
/// once. Indifferent to the order of records.
#[derive(Debug)]
pub struct Intake<E, C> {
    batches: Arc<Batches>,
    telling: Telling<E>,
    group: String,
    clock: C,
}

impl<E: EventSink, C: Clock> Intake<E, C> {
    /// Inserts through `batches` and tells through `telling`; `group` is the consumer group.
    pub const fn new(batches: Arc<Batches>, telling: Telling<E>, group: String, clock: C) -> Self {
        Self { batches, telling, group, clock }
    }

    async fn reject(&self, record: &Record, failure: Failure) -> Result<Disposition, Trouble> {
        let operation = read_operation_id(record.value.as_deref());
        if let Some(id) = operation {
            let event = dead_letter_id(&self.group, record);
            let at = record.timestamp.unwrap_or_else(|| self.clock.now());
            let Telling { publisher, source, topic_prefix } = &self.telling;
            publisher.publish(Rejected::record(id, &failure, event, at, source, topic_prefix)).await?;
        }
        Ok(Disposition::DeadLetter { failure, operation, attempts: 1 })
    }
}

impl<E: EventSink, C: Clock> Processor for Intake<E, C> {
    const NAME: &'static str = "intake";
    const AT_ONCE: usize = 512;

    /// All alike: what an event's priority is, is in the event.
    fn priority(&self, _: &Record) -> Priority {
        Priority::Normal
    }

    fn lane(&self, _: &Record) -> Option<Vec<u8>> {
        None
    }

    async fn attempt(&self, record: &Record, tries: &Tries) -> Result<Disposition, Trouble> {
        let operation = match OperationRequested::accept(record, self.clock.now()) {
            Ok(operation) => operation,
            Err(failure) => return self.reject(record, failure).await,
        };
        match self.batches.insert(operation).await {
            Ok(Inserted::Present(operation)) => {
                self.telling.tell(&operation).await?;
                Ok(Disposition::Done)
            }
            Ok(Inserted::Conflict) => {
                let reason = "an operation of this id exists with other content; the first one stands";
                self.reject(record, Failure::permanent("operation-conflict", reason)).await
            }
            Err(error @ StoreError::Row { .. }) => self.reject(record, error.failure()).await,
            Err(StoreError::Unavailable(failure)) => Err(tries.again(failure)),
        }
    }
}
