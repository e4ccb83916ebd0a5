//! The randomness of pauses and choices, from a seed where a run is to be replayed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// A shared source of random numbers.
#[derive(Debug)]
pub struct Jitter(Mutex<SmallRng>);

impl Jitter {
    /// The same seed gives the same numbers.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(Mutex::new(SmallRng::seed_from_u64(seed)))
    }

    /// Seeded by the operating system.
    #[must_use]
    pub fn from_os() -> Self {
        Self(Mutex::new(SmallRng::from_os_rng()))
    }

    /// A number in `-1.0..1.0`.
    #[must_use]
    pub fn symmetric(&self) -> f64 {
        self.random().random_range(-1.0..1.0)
    }

    /// A number below `count`, which is not 0.
    pub(crate) fn index(&self, count: usize) -> usize {
        self.random().random_range(0..count)
    }

    fn random(&self) -> MutexGuard<'_, SmallRng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
