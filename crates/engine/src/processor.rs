//! What a record becomes: done, a dead letter, or tried again.

use std::future::Future;

use domain::{Failure, OperationId, Record};

/// Handles the records of one consumer group.
pub trait Processor: Send + Sync + 'static {
    /// Name of the step in logs, metrics and dead letters.
    const NAME: &'static str;

    /// Records of one lane run one after the other; none: the record waits for nobody.
    fn lane(&self, record: &Record) -> Option<Vec<u8>>;

    /// One try. `spent` is the number of tries before this one that counted as attempts.
    fn attempt(&self, record: &Record, spent: u32) -> impl Future<Output = Result<Disposition, Trouble>> + Send;
}

/// How a record ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// All of its work is durable and told.
    Done,
    /// It is to be put aside.
    DeadLetter {
        /// Why.
        failure: Failure,
        /// Whom it is about, where that is known.
        operation: Option<OperationId>,
    },
}

/// Why a try did not end a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It is tried again after a pause.
    Again {
        /// What went wrong.
        failure: Failure,
        /// Whether the try counts as an attempt.
        spends: bool,
    },
    /// Nothing more can be done in this process.
    Halt(Halt),
}

/// Why a process leaves a record to the next one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// It was told to stop.
    #[error("stopping")]
    Stopping,
    /// It is broken: it has to end with a non-zero code.
    #[error("{0}")]
    Fatal(String),
}

impl From<Halt> for Trouble {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

impl Trouble {
    /// A failure of a dependency of ours: no attempt is spent.
    #[must_use]
    pub const fn dependency(failure: Failure) -> Self {
        Self::Again { failure, spends: false }
    }
}
