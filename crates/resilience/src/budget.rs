//! Rate budgets: no more calls than a plan allows, ahead of time, by `governor`'s token bucket; and what to
//! do when we are told "too many" all the same.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

/// The pause after a refusal, where it names none or less.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// The longest `Retry-After` that is believed.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);
/// No refusal makes a budget smaller than this share of its rate.
const SMALLEST_SHARE: f64 = 1.0 / 16.0;
/// A budget that shrank gets this share of its rate back …
const GROWTH: f64 = 1.0 / 8.0;
/// … each time so long passed without a refusal.
const GROWTH_EVERY: Duration = Duration::from_secs(5);

/// How many calls may be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    per_second: f64,
    burst: NonZeroU32,
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
    fn share(self, share: f64) -> Self {
        let burst = NonZeroU32::new((f64::from(self.burst.get()) * share) as u32).unwrap_or(NonZeroU32::MIN);
        Self { per_second: self.per_second * share, burst }
    }

    fn quota(self) -> Quota {
        let period = Duration::from_secs_f64(1.0 / self.per_second);
        Quota::with_period(period).expect("a rate has a period").allow_burst(self.burst)
    }
}

/// A budget of calls. Whoever waits is served in order.
#[derive(Debug)]
pub struct Budget {
    full: Rate,
    flow: Mutex<Flow>,
    turn: tokio::sync::Mutex<()>,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Runtime, StateInformationMiddleware>;

#[derive(Debug)]
struct Flow {
    limiter: Limiter,
    rate: Rate,
    share: f64,
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

impl Budget {
    /// A full budget.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self { full: rate, flow: Mutex::new(Flow::full(rate, Instant::now())), turn: tokio::sync::Mutex::new(()) }
    }

    /// Takes leave for one call, without waiting and without regard for those who wait.
    ///
    /// # Errors
    /// When to ask again.
    pub fn try_take(&self) -> Result<(), Instant> {
        let now = Instant::now();
        self.flow(now).take(now)
    }

    /// Waits for leave for one call.
    pub async fn take(&self) {
        // Only the first in the queue looks at the clock.
        let _turn = self.turn.lock().await;
        while let Err(again) = self.try_take() {
            tokio::time::sleep_until(again).await;
        }
    }

    /// We were told "too many": nothing goes through for as long as was asked (`Retry-After`, bounded), and then half as
    /// much as before, until it grows back. Refusals of calls that were under way together count once.
    pub fn rate_limited(&self, retry_after: Option<Duration>) {
        let now = Instant::now();
        let mut flow = self.flow(now);
        if flow.paused_until <= now {
            let share = (flow.share / 2.0).max(SMALLEST_SHARE);
            flow.set_share(self.full, share, now);
        }
        flow.pause(retry_after.unwrap_or_default(), now);
    }

    /// We were asked to come back later, for another reason than our rate.
    pub fn pause(&self, time: Duration) {
        let now = Instant::now();
        self.flow(now).pause(time, now);
    }

    /// Until when nothing goes through because we were asked to stay away.
    #[must_use]
    pub fn paused_until(&self) -> Option<Instant> {
        let now = Instant::now();
        Some(self.flow(now).paused_until).filter(|until| now < *until)
    }

    /// The share of the full burst that could go through now: 0 to 1.
    #[must_use]
    pub fn headroom(&self) -> f64 {
        let now = Instant::now();
        let flow = self.flow(now);
        if now < flow.paused_until { 0.0 } else { flow.left_at(now) / f64::from(self.full.burst.get()) }
    }

    /// The share of its full rate that it has at present.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.flow(Instant::now()).share
    }

    fn flow(&self, now: Instant) -> MutexGuard<'_, Flow> {
        let mut flow = self.flow.lock().unwrap_or_else(PoisonError::into_inner);
        while flow.share < 1.0 && flow.grows_at <= now {
            let share = (flow.share + GROWTH).min(1.0);
            flow.set_share(self.full, share, now);
            flow.grows_at += GROWTH_EVERY;
        }
        flow
    }
}

impl Flow {
    fn full(rate: Rate, now: Instant) -> Self {
        Self {
            limiter: limiter(rate, now),
            rate,
            share: 1.0,
            left: (f64::from(rate.burst.get()), now),
            paused_until: now,
            grows_at: now,
        }
    }

    fn take(&mut self, now: Instant) -> Result<(), Instant> {
        if now < self.paused_until {
            return Err(self.paused_until);
        }
        match self.limiter.check() {
            Ok(taken) => {
                self.left = (f64::from(taken.remaining_burst_capacity()), now);
                Ok(())
            }
            Err(denied) => Err(self.limiter.clock().start + denied.earliest_possible()),
        }
    }

    fn pause(&mut self, time: Duration, now: Instant) {
        self.paused_until = self.paused_until.max(now + time.clamp(SHORTEST_PAUSE, LONGEST_PAUSE));
        self.grows_at = self.paused_until + GROWTH_EVERY;
    }

    /// Another rate. A bucket's rate is fixed, so it is a new bucket; it holds what the old one held, as far as it fits.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a burst, which is a u32")]
    fn set_share(&mut self, full: Rate, share: f64, now: Instant) {
        let rate = full.share(share);
        let left = (self.left_at(now) as u32).min(rate.burst.get());
        self.limiter = limiter(rate, now);
        if let Some(gone) = NonZeroU32::new(rate.burst.get() - left) {
            self.limiter.check_n(gone).expect("no more than a burst").expect("a new bucket is full");
        }
        (self.rate, self.share, self.left) = (rate, share, (f64::from(left), now));
    }

    fn left_at(&self, now: Instant) -> f64 {
        let (left, since) = self.left;
        (left + (now - since).as_secs_f64() * self.rate.per_second).min(f64::from(self.rate.burst.get()))
    }
}

fn limiter(rate: Rate, now: Instant) -> Limiter {
    RateLimiter::new(rate.quota(), InMemoryState::default(), Runtime { start: now })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::{advance, sleep};

    use super::*;

    fn budget(per_second: f64, burst: u32) -> Budget {
        Budget::new(Rate::new(per_second, burst).unwrap())
    }

    fn take_all(budget: &Budget) -> usize {
        std::iter::repeat_with(|| budget.try_take()).take_while(Result::is_ok).count()
    }

    #[test]
    fn rates_that_make_no_sense_are_refused() {
        assert_eq!(Rate::new(5.0, 0), Err(RateError::Burst));
        for wrong in [0.0, -1.0, 2e6, f64::INFINITY] {
            assert_eq!(Rate::new(wrong, 1), Err(RateError::PerSecond(wrong)));
        }
        assert!(matches!(Rate::new(f64::NAN, 1), Err(RateError::PerSecond(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_and_then_the_rate() {
        let budget = budget(10.0, 5);
        assert_eq!(take_all(&budget), 5);
        assert_eq!(budget.try_take(), Err(Instant::now() + Duration::from_millis(100)));
        advance(Duration::from_millis(300)).await;
        assert_eq!(take_all(&budget), 3);
        advance(Duration::from_mins(1)).await;
        assert_eq!(take_all(&budget), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_is_served_in_order_at_the_rate() {
        let budget = Arc::new(budget(10.0, 1));
        let served = Arc::new(Mutex::new(Vec::new()));
        let started = Instant::now();
        let waiting = (0..20).map(|n| {
            let (budget, served) = (Arc::clone(&budget), Arc::clone(&served));
            async move {
                budget.take().await;
                served.lock().unwrap().push(n);
            }
        });
        futures::future::join_all(waiting).await;
        assert_eq!(*served.lock().unwrap(), (0..20).collect::<Vec<_>>());
        let took = started.elapsed();
        assert!((Duration::from_millis(1_900)..=Duration::from_millis(1_930)).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn headroom_is_what_is_left() {
        let budget = budget(10.0, 10);
        assert!((budget.headroom() - 1.0).abs() < 1e-9);
        (0..5).for_each(|_| budget.try_take().unwrap());
        assert!((budget.headroom() - 0.5).abs() < 1e-9);
        advance(Duration::from_millis(200)).await;
        assert!((budget.headroom() - 0.7).abs() < 1e-9);
        assert_eq!(take_all(&budget), 7, "headroom says what can be taken");
        budget.pause(Duration::from_secs(5));
        advance(Duration::from_secs(4)).await;
        assert!(budget.headroom().abs() < 1e-9);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_goes_through_until_retry_after() {
        let budget = budget(10.0, 5);
        let told = Instant::now();
        budget.rate_limited(Some(Duration::from_secs(7)));
        assert_eq!(budget.paused_until(), Some(told + Duration::from_secs(7)));
        budget.take().await;
        assert_eq!(told.elapsed(), Duration::from_secs(7));
        budget.rate_limited(Some(Duration::from_hours(24)));
        assert_eq!(budget.try_take(), Err(Instant::now() + LONGEST_PAUSE), "nobody is believed for a day");
        sleep(LONGEST_PAUSE).await;
        budget.rate_limited(Some(Duration::ZERO));
        assert_eq!(budget.try_take(), Err(Instant::now() + SHORTEST_PAUSE));
    }

    #[tokio::test(start_paused = true)]
    async fn shrinks_once_a_storm_and_grows_back() {
        let budget = budget(16.0, 16);
        (0..10).for_each(|_| budget.rate_limited(None));
        assert!((budget.share() - 0.5).abs() < 1e-9);
        advance(SHORTEST_PAUSE).await;
        assert_eq!(take_all(&budget), 8);
        advance(Duration::from_secs(1)).await;
        assert_eq!(take_all(&budget), 8, "8 a second");
        for _ in 0..10 {
            budget.rate_limited(None);
            advance(SHORTEST_PAUSE).await;
        }
        assert!((budget.share() - SMALLEST_SHARE).abs() < 1e-9);
        assert_eq!(take_all(&budget), 1);
        advance(GROWTH_EVERY).await;
        assert!((budget.share() - SMALLEST_SHARE - GROWTH).abs() < 1e-9);
        advance(8 * GROWTH_EVERY).await;
        assert!((budget.share() - 1.0).abs() < 1e-9);
    }

    #[tokio::test(start_paused = true)]
    async fn growing_gives_nothing_away() {
        let budget = budget(0.1, 16);
        assert_eq!(take_all(&budget), 16);
        budget.rate_limited(None);
        advance(SHORTEST_PAUSE + GROWTH_EVERY).await;
        assert!(budget.share() > 0.5);
        assert_eq!(take_all(&budget), 0, "a new bucket came full");
    }
}
