//! What can happen to a request before an endpoint has answered it.

use std::time::Duration;

/// A request that got no JSON-RPC answer. Holds no part of the endpoint's address, which may carry a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportFault {
    /// HTTP 429, with the pause asked for.
    #[error("rate limited{}", retry_after.map(|pause| format!(", again in {} s", pause.as_secs())).unwrap_or_default())]
    RateLimited {
        /// `Retry-After`, where it was given.
        retry_after: Option<Duration>,
    },
    /// Any other status that is not 2xx.
    #[error("HTTP status {status}")]
    Status {
        /// The status.
        status: u16,
        /// `Retry-After`, where it was given.
        retry_after: Option<Duration>,
    },
    /// Nothing was sent: no address, no connection.
    #[error("not reached: {0}")]
    Refused(String),
    /// Sent, and no answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// Sent, and the connection broke.
    #[error("connection broke: {0}")]
    Broken(String),
    /// Answered with something that is no JSON-RPC.
    #[error("unparsable answer: {0}")]
    Unparsable(String),
}

impl TransportFault {
    /// What a failed request of reqwest was. The address is taken out of it first.
    pub(crate) fn of(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let (connect, timeout) = (error.is_connect(), error.is_timeout());
        let text = with_sources(&error);
        match (connect, timeout) {
            (true, _) => Self::Refused(text),
            (false, true) => Self::TimedOut,
            (false, false) => Self::Broken(text),
        }
    }
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
