//! What a step is to the engine: a pure decision over one operation.

use domain::{Failure, FailureClass, Operation, Step, Transition};

/// One business step. Idempotent: it may run again until its outcome is committed.
pub trait StepHandler: Send + Sync + 'static {
    /// Which step it is.
    const STEP: Step;

    /// Most operations at work at once in one process; the rest waits as records.
    const AT_ONCE: usize;

    /// Does the step's work on an operation whose state is this step's input, and answers with the one transition that
    /// follows. The runner commits it and calls again while the state is still this step's input.
    fn run(&self, operation: &Operation) -> impl Future<Output = Result<Transition, StepError>> + Send;

    /// The store refused a transition because a content id in it is not pinned any more: whoever remembers what is pinned
    /// forgets it here, before `run` is called again.
    fn not_pinned(&self, _transition: &Transition) {}
}

/// Why a step could not answer. None of these is a transition by itself: the runner decides what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Never again the same way: FAILED where an operation may still fail, else flagged for a person and still watched.
    #[error("{0}")]
    Permanent(Failure),
    /// A dependency of ours is in trouble: again, without limit.
    #[error("{0}")]
    Dependency(Failure),
    /// Something foreign is in trouble (an image on somebody's server): again so many times in all, then FAILED.
    #[error("{failure} (at most {attempts} attempts)")]
    Foreign {
        /// What went wrong.
        failure: Failure,
        /// Attempts in all.
        attempts: u32,
    },
}

impl StepError {
    /// A permanent failure stays permanent, every other one is a dependency's.
    #[must_use]
    pub fn of_dependency(failure: Failure) -> Self {
        match failure.class {
            FailureClass::Permanent => Self::Permanent(failure),
            FailureClass::Transient | FailureClass::RateLimited | FailureClass::Degraded | FailureClass::Outage => {
                Self::Dependency(failure)
            }
        }
    }

    /// The failure behind it.
    #[must_use]
    pub const fn failure(&self) -> &Failure {
        match self {
            Self::Permanent(failure) | Self::Dependency(failure) | Self::Foreign { failure, .. } => failure,
        }
    }
}
