//! Chance, from one seed: each part of the world throws dice of its own, so that a throw more in one part moves no other.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// Dice whose throws are the same for the same seed.
#[derive(Debug)]
pub struct Dice(Mutex<SmallRng>);

impl Dice {
    /// The dice of one part of the world under a seed.
    #[must_use]
    pub fn of(seed: u64, part: &str) -> Self {
        Self(Mutex::new(SmallRng::seed_from_u64(number(seed, part))))
    }

    /// Whether something happens whose probability is `share`.
    #[must_use]
    pub fn chance(&self, share: f64) -> bool {
        share > 0.0 && self.throw().random_bool(share.min(1.0))
    }

    /// A number below `count`, which is not 0.
    #[must_use]
    pub fn below(&self, count: u64) -> u64 {
        self.throw().random_range(0..count)
    }

    /// One of them. There has to be one.
    #[must_use]
    pub fn pick<'a, T>(&self, of: &'a [T]) -> &'a T {
        let index = self.throw().random_range(0..of.len());
        &of[index]
    }

    /// A time between the two, in whole milliseconds.
    #[must_use]
    pub fn between(&self, least: Duration, most: Duration) -> Duration {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (least, most) = (millis(least), millis(most));
        Duration::from_millis(self.throw().random_range(least..=most.max(least)))
    }

    fn throw(&self) -> MutexGuard<'_, SmallRng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number for one part of the world under a seed.
#[must_use]
pub fn number(seed: u64, part: &str) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(part).finalize();
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}
