//! Why a fault is not set.

use super::Part;
use crate::chain::ForkError;

/// An order that makes no sense, or that could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No fault is written so.
    #[error("{text:?} is no fault: {why}")]
    NoFault {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// Neither a percentage nor a fraction.
    #[error("{0:?} is no share: write 30% or 0.3, more than 0 and at most 100%")]
    NoShare(String),
    /// The stack has no such part.
    #[error("nothing here is called {name:?}; there is: {known}")]
    NoTarget {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// It happens to other parts.
    #[error("{kind} cannot happen to {part}; these can: {possible}", part = part.name())]
    NotThere {
        /// The fault.
        kind: String,
        /// The part.
        part: Part,
        /// What can.
        possible: String,
    },
    /// Its requests are not told apart by this name.
    #[error("{part} has no requests called {method:?}: name a JSON-RPC method of rpc, or of pins {known}", part = part.name())]
    NoMethod {
        /// The part.
        part: Part,
        /// What was asked for.
        method: String,
        /// What a pin server is asked for.
        known: String,
    },
    /// It strikes at once or not at all.
    #[error("{kind} at {part} takes no {option}", part = part.name())]
    NoOption {
        /// The fault.
        kind: String,
        /// The part.
        part: Part,
        /// `method`, `share` or `duration`.
        option: &'static str,
    },
    /// PostgreSQL did not do as it was told.
    #[error("the database: {0}")]
    Database(String),
    /// The chain did not.
    #[error("the chain: {0}")]
    Chain(String),
}

impl From<ForkError> for FaultError {
    fn from(error: ForkError) -> Self {
        Self::Chain(error.to_string())
    }
}

impl From<sqlx::Error> for FaultError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.to_string())
    }
}
