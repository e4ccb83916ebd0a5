//! What a record becomes: done, put off, a dead letter, or tried again.

use std::future::Future;
use std::time::Duration;

use domain::{Failure, OperationId, Priority, Record};

use crate::tries::Tries;

/// Handles the records of one consumer group.
pub trait Processor: Send + Sync + 'static {
    /// Name of the step in logs, metrics and dead letters.
    const NAME: &'static str;

    /// Most tries at once in one process. More records than that wait, in the order of their priority's weight.
    const AT_ONCE: usize;

    /// Whose turn comes first where many wait.
    fn priority(&self, record: &Record) -> Priority;

    /// Records of one lane run one after the other; none: the record waits for nobody.
    fn lane(&self, record: &Record) -> Option<Vec<u8>>;

    /// One try, after those that failed in this lane.
    fn attempt(&self, record: &Record, tries: &Tries) -> impl Future<Output = Result<Disposition, Trouble>> + Send;
}

/// How a record ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// All of its work is durable and told.
    Done,
    /// Its operation's row owns the next try.
    PutOff {
        /// What it waits for the end of.
        failure: Failure,
        /// How long.
        wait: Duration,
    },
    /// It is to be put aside.
    DeadLetter {
        /// Why.
        failure: Failure,
        /// Whom it is about, where that is known.
        operation: Option<OperationId>,
        /// Tries that counted, this one included.
        attempts: u32,
    },
}

/// Why a try did not end a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It is tried again in its lane.
    Again {
        /// What went wrong.
        failure: Failure,
        /// When.
        pause: Duration,
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
