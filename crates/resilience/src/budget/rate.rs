//! Rates that make sense.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;

/// How many calls may be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub(super) per_second: f64,
    pub(super) burst: NonZeroU32,
}

/// A rate that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum RateError {
    /// Too few, too many, or no number.
    #[error("{0} calls a second: expected 0.001 to 1000000")]
    PerSecond(f64),
    /// No call would ever be made.
    #[error("a burst of 0 calls")]
    Burst,
}

impl Rate {
    /// That many calls a second, of which `burst` may come at once.
    ///
    /// # Errors
    /// [`RateError`].
    pub fn new(per_second: f64, burst: u32) -> Result<Self, RateError> {
        let burst = NonZeroU32::new(burst).ok_or(RateError::Burst)?;
        if (0.001..=1_000_000.0).contains(&per_second) {
            Ok(Self { per_second, burst })
        } else {
            Err(RateError::PerSecond(per_second))
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a u32")]
    pub(super) fn share(self, share: f64) -> Self {
        let burst = NonZeroU32::new((f64::from(self.burst.get()) * share) as u32).unwrap_or(NonZeroU32::MIN);
        Self { per_second: self.per_second * share, burst }
    }

    pub(super) fn quota(self) -> Quota {
        let period = Duration::from_secs_f64(1.0 / self.per_second);
        Quota::with_period(period).expect("a rate has a period").allow_burst(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_that_make_no_sense_are_refused() {
        assert_eq!(Rate::new(5.0, 0), Err(RateError::Burst));
        for wrong in [0.0, -1.0, 2e6, f64::INFINITY] {
            assert_eq!(Rate::new(wrong, 1), Err(RateError::PerSecond(wrong)));
        }
        assert!(matches!(Rate::new(f64::NAN, 1), Err(RateError::PerSecond(_))));
    }
}
