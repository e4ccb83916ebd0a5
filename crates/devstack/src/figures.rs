//! Ratios for people: far from the numbers at which a float loses count.

use std::time::Duration;

/// `count` divided by `of`, which counts as one where it is none.
#[expect(clippy::cast_precision_loss, reason = "counts here stay far below 2^52")]
pub(crate) fn per(count: u64, of: usize) -> f64 {
    count as f64 / of.max(1) as f64
}

/// How many a second.
#[expect(clippy::cast_precision_loss, reason = "counts here stay far below 2^52")]
pub(crate) fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(0.001)
}
