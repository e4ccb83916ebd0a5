//! Crashes at chosen moments: before or after the n-th thing that a port does.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_util::sync::CancellationToken;

/// Counts the moments at which a process could die, and lets it die at one of them: whoever passes that moment never
/// comes back, and [`Crash::happened`] tells the test to drop the process and start another.
#[derive(Debug)]
pub struct Crash {
    passed: AtomicUsize,
    at: usize,
    happened: CancellationToken,
}

impl Crash {
    /// Dies at the moment of that number, counted from zero.
    #[must_use]
    pub fn at(moment: usize) -> Self {
        Self { passed: AtomicUsize::new(0), at: moment, happened: CancellationToken::new() }
    }

    /// Never dies.
    #[must_use]
    pub fn never() -> Self {
        Self::at(usize::MAX)
    }

    /// A moment at which the process may die.
    pub async fn moment(&self) {
        if self.happened.is_cancelled() || self.passed.fetch_add(1, Ordering::SeqCst) == self.at {
            self.happened.cancel();
            std::future::pending::<()>().await;
        }
    }

    /// Ready once the process died.
    pub async fn happened(&self) {
        self.happened.cancelled().await;
    }

    /// Moments passed so far.
    pub fn moments(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }
}
