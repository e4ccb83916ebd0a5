//! Errors after which a client is of no use any more.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;

/// Why a client is of no use any more. The process has to end; what it has not finished comes again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FatalError {
    /// Another process came into the group under the same instance id, and has the partitions now.
    #[error(
        "kafka, fenced: another process has joined the group {group} under the instance id {instance_id} and has this \
         one's place in it; give every process an instance id of its own, or none, before this one is started again"
    )]
    Fenced {
        /// The group.
        group: String,
        /// What both call themselves in it.
        instance_id: String,
    },
    /// Whatever else breaks a client for good, such as a producer that lost its sequence.
    #[error("kafka, fatal: {0}")]
    Broken(String),
}

/// Where the first such error of a consumer is left, and waited for.
#[derive(Debug, Clone)]
pub(crate) struct Fatal(Arc<watch::Sender<Option<FatalError>>>);

impl Default for Fatal {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Fatal {
    pub(crate) fn set(&self, error: FatalError) {
        self.0.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert(error);
            is_first
        });
    }

    pub(crate) fn broken(&self, reason: impl Into<String>) {
        self.set(FatalError::Broken(reason.into()));
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.borrow().is_some()
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
        assert!(!fatal.is_set());
        fatal.broken("out of sequence");
        fatal.set(FatalError::Fenced { group: "mint".into(), instance_id: "submitter-0".into() });
        assert_eq!(waiting.await, FatalError::Broken("out of sequence".into()));
        assert_eq!(fatal.wait().await.to_string(), "kafka, fatal: out of sequence");
    }
}
