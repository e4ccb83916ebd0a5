//! The tokens of a budget: `governor`'s bucket, and what it cannot do: pause, shrink and grow.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::RateLimiter;
use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use tokio::time::Instant;

use super::Rate;

/// The pause after a refusal, where it names none or less.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// The longest `Retry-After` that is believed of who limits our rate.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(2);
/// Likewise of who is unavailable: for how long, nobody knows, so it is looked at as often as one that says nothing.
pub(super) const LONGEST_REST: Duration = Duration::from_secs(30);
/// No refusal makes a budget smaller than this share of its rate.
pub(super) const SMALLEST_SHARE: f64 = 1.0 / 16.0;
/// A budget that shrank gets this share of its rate back …
pub(super) const GROWTH: f64 = 1.0 / 8.0;
/// … each time so long passed without a refusal.
pub(super) const GROWTH_EVERY: Duration = Duration::from_secs(5);

type Limiter = RateLimiter<NotKeyed, InMemoryState, Runtime, StateInformationMiddleware>;

/// What goes through now.
#[derive(Debug)]
pub(super) struct Flow {
    full: Rate,
    share: f64,
    limiter: Limiter,
    /// How many calls were left, and when: `governor` only says so with a permit.
    left: (f64, Instant),
    paused_until: Instant,
    grows_at: Instant,
}

/// The runtime's time, as `governor` wants it.
#[derive(Debug, Clone, Copy)]
struct Runtime {
    start: Instant,
}

impl Clock for Runtime {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

impl Flow {
    pub(super) fn new(full: Rate, now: Instant) -> Self {
        Self {
            full,
            share: 1.0,
            limiter: limiter(full, now),
            left: (f64::from(full.burst.get()), now),
            paused_until: now,
            grows_at: now,
        }
    }

    pub(super) fn take(&mut self, now: Instant) -> Result<(), Instant> {
        if let Some(until) = self.paused_until(now) {
            return Err(until);
        }
        match self.limiter.check() {
            Ok(taken) => {
                self.left = (f64::from(taken.remaining_burst_capacity()), now);
                Ok(())
            }
            Err(denied) => Err(self.limiter.clock().start + denied.earliest_possible()),
        }
    }

    pub(super) fn paused_until(&self, now: Instant) -> Option<Instant> {
        Some(self.paused_until).filter(|until| now < *until)
    }

    pub(super) fn headroom(&self, now: Instant) -> f64 {
        if self.paused_until(now).is_some() { 0.0 } else { self.left(now) / f64::from(self.full.burst.get()) }
    }

    pub(super) const fn share(&self) -> f64 {
        self.share
    }

    pub(super) fn pause(&mut self, time: Duration, now: Instant) {
        self.paused_until = self.paused_until.max(now + time.clamp(SHORTEST_PAUSE, LONGEST_PAUSE));
        self.grows_at = self.paused_until + GROWTH_EVERY;
    }

    pub(super) fn shrink(&mut self, now: Instant) {
        self.set_share((self.share / 2.0).max(SMALLEST_SHARE), now);
    }

    /// Grows as time has earned it.
    pub(super) fn grow(&mut self, now: Instant) {
        while self.share < 1.0 && self.grows_at <= now {
            self.set_share((self.share + GROWTH).min(1.0), now);
            self.grows_at += GROWTH_EVERY;
        }
    }

    /// Another rate. A bucket's rate is fixed, so it is a new bucket; it holds what the old one held, as far as it fits.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a burst, which is a u32")]
    fn set_share(&mut self, share: f64, now: Instant) {
        let rate = self.full.share(share);
        let left = (self.left(now) as u32).min(rate.burst.get());
        self.limiter = limiter(rate, now);
        if let Some(gone) = NonZeroU32::new(rate.burst.get() - left) {
            self.limiter.check_n(gone).expect("no more than a burst").expect("a new bucket is full");
        }
        (self.share, self.left) = (share, (f64::from(left), now));
    }

    fn left(&self, now: Instant) -> f64 {
        let (rate, (left, since)) = (self.full.share(self.share), self.left);
        (left + (now - since).as_secs_f64() * rate.per_second).min(f64::from(rate.burst.get()))
    }
}

fn limiter(rate: Rate, now: Instant) -> Limiter {
    RateLimiter::new(rate.quota(), InMemoryState::default(), Runtime { start: now })
}
