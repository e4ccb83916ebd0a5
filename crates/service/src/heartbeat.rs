//! A loop that still turns says so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When a loop last went round. Beats may come from any thread and cost one atomic store.
#[derive(Debug)]
pub struct Heartbeat {
    start: Instant,
    last_millis: AtomicU64,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { start: Instant::now(), last_millis: AtomicU64::new(0) }
    }
}

impl Heartbeat {
    /// The loop went round.
    pub fn beat(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_millis.store(millis, Ordering::Relaxed);
    }

    /// How long ago it last did; since the start where it never did.
    #[must_use]
    pub fn age(&self) -> Duration {
        let last = Duration::from_millis(self.last_millis.load(Ordering::Relaxed));
        self.start.elapsed().saturating_sub(last)
    }
}
