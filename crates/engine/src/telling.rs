//! Tells the world where an operation stands: the request event of the next step, and the status event for the API.

use std::sync::Arc;

use domain::{Header, Operation, StatusChanged, StepRequest, header};
use futures::future::try_join;

use crate::ports::EventSink;
use crate::processor::Halt;
use crate::publisher::Publisher;
use crate::row_ports::Reason;
use crate::work::FROM_ROW;

/// Publishes what an operation's state asks for.
#[derive(Debug)]
pub struct Telling<E> {
    /// Where to.
    pub publisher: Arc<Publisher<E>>,
    /// CloudEvents source, such as `/mintfleet/verifier`.
    pub source: String,
    /// Prefix of every topic name.
    pub topic_prefix: String,
}

impl<E> Clone for Telling<E> {
    fn clone(&self) -> Self {
        Self {
            publisher: Arc::clone(&self.publisher),
            source: self.source.clone(),
            topic_prefix: self.topic_prefix.clone(),
        }
    }
}

impl<E: EventSink> Telling<E> {
    /// Publishes the next request event, where there is one, and the status; ready when both are acknowledged. Telling
    /// twice is harmless, not telling is not: the crash may have been between the commit and this.
    ///
    /// # Errors
    /// [`Halt`] when the process ends first.
    pub async fn tell(&self, operation: &Operation) -> Result<(), Halt> {
        try_join(self.request(operation), self.status(operation)).await?;
        Ok(())
    }

    /// Publishes the status alone.
    ///
    /// # Errors
    /// [`Halt`] when the process ends first.
    pub async fn status(&self, operation: &Operation) -> Result<(), Halt> {
        self.publisher.publish(StatusChanged::record(operation, &self.source, &self.topic_prefix)).await
    }

    /// Publishes the next request event alone, where there is one.
    ///
    /// # Errors
    /// [`Halt`] when the process ends first.
    pub async fn request(&self, operation: &Operation) -> Result<(), Halt> {
        self.request_with(operation, None).await
    }

    /// Publishes the next request event alone, where there is one, from the row and for this reason.
    ///
    /// # Errors
    /// [`Halt`] when the process ends first.
    pub async fn request_from_row(&self, operation: &Operation, reason: Reason) -> Result<(), Halt> {
        self.request_with(operation, Some(header(FROM_ROW, reason.as_str()))).await
    }

    async fn request_with(&self, operation: &Operation, header: Option<Header>) -> Result<(), Halt> {
        match StepRequest::record(operation, &self.source, &self.topic_prefix) {
            Some(mut record) => {
                record.headers.extend(header);
                self.publisher.publish(record).await
            }
            None => Ok(()),
        }
    }
}
