//! Why a content is not pinned.

use std::time::Duration;

use domain::{Cid, Failure, FailureClass};

use crate::transport::TransportFault;

/// What went wrong at a pin provider. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// No answer in time.
    #[error("the pin provider did not answer in time")]
    TimedOut,
    /// Refused, or not found by name.
    #[error("the pin provider cannot be reached: {0}")]
    Unreachable(String),
    /// The connection broke, or the answer cannot be understood.
    #[error("the pin provider's answer is broken: {0}")]
    Broken(String),
    /// 429.
    #[error("the pin provider takes no more requests for now")]
    RateLimited {
        /// How long it wants to be left alone, where it says so.
        retry_after: Option<Duration>,
    },
    /// 408 or 5xx.
    #[error("the pin provider is in trouble: {status} {message}")]
    Server {
        /// HTTP status.
        status: u16,
        /// The beginning of its answer.
        message: String,
        /// When it wants to be asked again, where it says so.
        retry_after: Option<Duration>,
    },
    /// 401, 402 or 403: the key, or what is paid for. No fault of the content, so that it waits for a person to mend it.
    #[error("the pin provider refuses our key: {status} {message}")]
    KeyRefused {
        /// HTTP status.
        status: u16,
        /// The beginning of its answer.
        message: String,
    },
    /// Any other status that no pin provider gives: the address is probably wrong.
    #[error("this is no pin provider's answer: {status} {message}")]
    Misplaced {
        /// HTTP status.
        status: u16,
        /// The beginning of its answer.
        message: String,
    },
    /// 400, 413, 415 or 422: it will not take this content.
    #[error("the pin provider refuses the content: {status} {message}")]
    Rejected {
        /// HTTP status.
        status: u16,
        /// The beginning of its answer.
        message: String,
    },
    /// It holds something else than what was sent.
    #[error("the pin provider answered {answered:?} where the content is {expected}")]
    OtherCid {
        /// What we computed.
        expected: Cid,
        /// What it answered.
        answered: String,
    },
}

impl PinError {
    /// How it is answered.
    #[must_use]
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::TimedOut | Self::Broken(_) | Self::Server { .. } => FailureClass::Transient,
            Self::RateLimited { .. } => FailureClass::RateLimited,
            Self::Unreachable(_) | Self::KeyRefused { .. } | Self::Misplaced { .. } | Self::OtherCid { .. } => {
                FailureClass::Outage
            }
            Self::Rejected { .. } => FailureClass::Permanent,
        }
    }

    /// Its name for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TimedOut => "pin-timeout",
            Self::Unreachable(_) => "pin-provider-unreachable",
            Self::Broken(_) => "pin-answer-broken",
            Self::RateLimited { .. } => "pin-rate-limited",
            Self::Server { .. } => "pin-provider-trouble",
            Self::KeyRefused { .. } => "pin-key-refused",
            Self::Misplaced { .. } => "pin-provider-misplaced",
            Self::Rejected { .. } => "pin-rejected",
            Self::OtherCid { .. } => "pin-other-cid",
        }
    }

    /// The failure it is.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::new(self.class(), self.code(), self)
    }

    /// How long it asked to be left alone.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Server { retry_after, .. } => *retry_after,
            Self::TimedOut
            | Self::Unreachable(_)
            | Self::Broken(_)
            | Self::KeyRefused { .. }
            | Self::Misplaced { .. }
            | Self::Rejected { .. }
            | Self::OtherCid { .. } => None,
        }
    }

    pub(crate) fn of_status(status: u16, message: String, retry_after: Option<Duration>) -> Self {
        match status {
            429 => Self::RateLimited { retry_after },
            408 | 500..=599 => Self::Server { status, message, retry_after },
            401..=403 => Self::KeyRefused { status, message },
            400 | 413 | 415 | 422 => Self::Rejected { status, message },
            _ => Self::Misplaced { status, message },
        }
    }
}

impl From<TransportFault> for PinError {
    fn from(fault: TransportFault) -> Self {
        match fault {
            TransportFault::TimedOut => Self::TimedOut,
            TransportFault::Unreachable(reason) => Self::Unreachable(reason),
            TransportFault::Broken(reason) => Self::Broken(reason),
        }
    }
}
