//! Growing pauses between tries. The schedule is `backoff`'s; its own jitter is off, because it cannot be
//! seeded, and ours is added.

use std::sync::Arc;
use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

use crate::Jitter;

/// A schedule as data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BackoffPolicy {
    /// The first pause.
    pub first: Duration,
    /// How much longer each pause is than the one before.
    pub factor: f64,
    /// No pause is longer, jitter aside.
    pub cap: Duration,
    /// Share of a pause by which it may be shorter or longer: 0.2 is ±20 %.
    pub jitter: f64,
}

/// The pauses of one retried call.
#[derive(Debug)]
pub struct Backoff {
    schedule: ExponentialBackoff,
    share: f64,
    jitter: Arc<Jitter>,
}

impl Backoff {
    /// Starts a schedule.
    #[must_use]
    pub fn new(policy: BackoffPolicy, jitter: Arc<Jitter>) -> Self {
        let schedule = ExponentialBackoff {
            current_interval: policy.first,
            initial_interval: policy.first,
            randomization_factor: 0.0,
            multiplier: policy.factor,
            max_interval: policy.cap,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        Self { schedule, share: policy.jitter, jitter }
    }

    /// The next pause. There is always one.
    #[must_use]
    pub fn next_pause(&mut self) -> Duration {
        let pause = self.schedule.next_backoff().unwrap_or(self.schedule.max_interval);
        pause.mul_f64(1.0 + self.share * self.jitter.symmetric())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: BackoffPolicy =
        BackoffPolicy { first: Duration::from_secs(1), factor: 2.0, cap: Duration::from_secs(30), jitter: 0.0 };

    #[test]
    fn pauses_double_up_to_the_cap() {
        let mut backoff = Backoff::new(POLICY, Arc::new(Jitter::from_seed(1)));
        let seconds: Vec<_> = (0..7).map(|_| backoff.next_pause().as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
    }

    proptest! {
        #[test]
        fn jitter_stays_within_its_share(seed: u64, share in 0.0..0.5, tries in 1_usize..12) {
            let mut plain = Backoff::new(POLICY, Arc::new(Jitter::from_seed(seed)));
            let policy = BackoffPolicy { jitter: share, ..POLICY };
            let mut jittered = Backoff::new(policy, Arc::new(Jitter::from_seed(seed)));
            for _ in 0..tries {
                let ratio = jittered.next_pause().as_secs_f64() / plain.next_pause().as_secs_f64();
                prop_assert!((1.0 - share - 1e-6..=1.0 + share + 1e-6).contains(&ratio));
            }
        }

        #[test]
        fn the_same_seed_gives_the_same_pauses(seed: u64) {
            let policy = BackoffPolicy { jitter: 0.3, ..POLICY };
            let run = || {
                let mut backoff = Backoff::new(policy, Arc::new(Jitter::from_seed(seed)));
                (0..5).map(|_| backoff.next_pause()).collect::<Vec<_>>()
            };
            prop_assert_eq!(run(), run());
        }
    }
}
