//! What goes wrong around consumer and producer; what happens to one record is `engine::PublishError`.

use rdkafka::error::KafkaError;

use crate::properties;

/// A client that could not be made, or a question that was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings are wrong: every problem of them. None shows a value that may be secret.
    #[error("kafka settings: {}", .0.join("; "))]
    Settings(Vec<String>),
    /// The client could not be made.
    #[error("kafka client: {0}")]
    Client(String),
    /// The cluster did not do what was asked, or did not answer.
    #[error("kafka, {doing}: {message}")]
    Request {
        /// What was asked.
        doing: &'static str,
        /// What came of it.
        message: String,
    },
    /// The consumer did not leave its group in time. Its partitions move when its session ends.
    #[error("kafka: the consumer did not leave its group within {} s", .0.as_secs())]
    CloseTimedOut(std::time::Duration),
}

impl Error {
    pub(crate) fn client(error: KafkaError) -> Self {
        match error {
            // Its text repeats the value, which may be a password.
            KafkaError::ClientConfig(_, description, name, _) => {
                Self::Settings(vec![properties::describe_refusal(&name, &description)])
            }
            other => Self::Client(other.to_string()),
        }
    }

    pub(crate) fn request(doing: &'static str) -> impl FnOnce(KafkaError) -> Self {
        move |error| Self::Request { doing, message: error.to_string() }
    }

    /// For blocking work that was handed to another thread.
    pub(crate) fn interrupted(doing: &'static str) -> impl FnOnce(tokio::task::JoinError) -> Self {
        move |error| Self::Request { doing, message: error.to_string() }
    }
}
