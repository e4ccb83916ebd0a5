//! Errors after which a client is of no use any more.

use std::future::Future;
use std::sync::Arc;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::watch;

/// Why a client is of no use any more. The process has to end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("kafka, fatal: {0}")]
pub struct FatalError(String);

/// Where the first such error is left, and waited for.
#[derive(Debug, Clone)]
pub(crate) struct Fatal(Arc<watch::Sender<Option<FatalError>>>);

impl Default for Fatal {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Fatal {
    pub(crate) fn set(&self, reason: impl Into<String>) {
        let reason = FatalError(reason.into());
        self.0.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert(reason);
            is_first
        });
    }

    /// Takes note of an error of the client's, if it is one of these.
    pub(crate) fn observe(&self, error: &KafkaError, reason: &str) {
        if *error == KafkaError::Global(RDKafkaErrorCode::Fatal) {
            self.set(reason);
        } else {
            tracing::warn!(%error, reason, "kafka");
        }
    }

    pub(crate) fn get(&self) -> Option<FatalError> {
        self.0.borrow().clone()
    }

    /// Ready once there is one; never, otherwise.
    pub(crate) fn wait(&self) -> impl Future<Output = FatalError> + Send + 'static {
        let mut errors = self.0.subscribe();
        async move {
            if let Ok(Some(error)) = errors.wait_for(Option::is_some).await.as_deref() {
                return error.clone();
            }
            std::future::pending().await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_one_stays() {
        let fatal = Fatal::default();
        let waiting = fatal.wait();
        fatal.observe(&KafkaError::Global(RDKafkaErrorCode::AllBrokersDown), "all down");
        assert_eq!(fatal.get(), None);
        fatal.observe(&KafkaError::Global(RDKafkaErrorCode::Fatal), "fenced");
        fatal.set("later");
        assert_eq!(waiting.await, FatalError("fenced".into()));
        assert_eq!(fatal.wait().await.to_string(), "kafka, fatal: fenced");
    }
}
