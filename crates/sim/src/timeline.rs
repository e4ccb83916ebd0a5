//! What happened in a run, in order, for whoever has to understand a failed one.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::OperationId;
use tokio::time::Instant;

/// What happened, from the run's first moment on. Clones are the same timeline.
#[derive(Debug, Clone)]
pub struct Timeline {
    began: Instant,
    entries: Arc<Mutex<Vec<Entry>>>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Virtual time since the run began.
    pub at: Duration,
    /// Where: a process, or a part of the world.
    pub place: Arc<str>,
    /// To which operation; none where it concerns all.
    pub operation: Option<OperationId>,
    /// What.
    pub what: String,
}

impl Timeline {
    /// Begins now.
    #[must_use]
    pub fn begin() -> Self {
        Self { began: Instant::now(), entries: Arc::default() }
    }

    /// Notes what happens at `place` now.
    pub fn note(&self, place: &Arc<str>, operation: Option<OperationId>, what: impl Into<String>) {
        let entry = Entry { at: self.began.elapsed(), place: Arc::clone(place), operation, what: what.into() };
        self.lock().push(entry);
    }

    /// Everything so far.
    #[must_use]
    pub fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, place, operation, what } = self;
        write!(f, "{:>10.3} {place:<14} ", at.as_secs_f64())?;
        match operation {
            Some(id) => write!(f, "#{:<5} {what}", short(*id)),
            None => write!(f, "       {what}"),
        }
    }
}

/// The number that sets operations of one run apart, for readers.
#[must_use]
pub fn short(id: OperationId) -> u64 {
    u64::try_from(id.as_uuid().as_u128() & u128::from(u32::MAX)).unwrap_or_default()
}
