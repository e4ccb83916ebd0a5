//! The time of day as the runtime's clock has it, which tests pause.

use chrono::{DateTime, Utc};
use domain::Clock;
use tokio::time::Instant;

/// Begins at the epoch when it is made, and goes on as the runtime's clock does.
#[derive(Debug, Clone, Copy)]
pub struct TestClock(Instant);

impl Default for TestClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + self.0.elapsed()
    }
}
