//! Rate budgets: no more calls than a plan allows, ahead of time, by `governor`'s token bucket; and what to
//! do when we are told "too many" all the same.

mod flow;
mod rate;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use self::flow::{Flow, LONGEST_REST};
pub use self::rate::{Rate, RateError};

/// A budget of calls. Whoever waits is served in order.
#[derive(Debug)]
pub struct Budget {
    flow: Mutex<Flow>,
    turn: tokio::sync::Mutex<()>,
}

impl Budget {
    /// A full budget.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self { flow: Mutex::new(Flow::new(rate, Instant::now())), turn: tokio::sync::Mutex::new(()) }
    }

    /// Takes leave for one call, without waiting and without regard for those who wait.
    ///
    /// # Errors
    /// When to ask again.
    pub fn try_take(&self) -> Result<(), Instant> {
        self.flow(Flow::take)
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
        self.flow(|flow, now| {
            if flow.paused_until(now).is_none() {
                flow.shrink(now);
            }
            flow.pause(retry_after.unwrap_or_default(), now);
        });
    }

    /// We were asked to come back later, for another reason than our rate: nothing goes through until then, 30 s at most.
    pub fn pause(&self, time: Duration) {
        self.flow(|flow, now| flow.pause(time.min(LONGEST_REST), now));
    }

    /// Until when nothing goes through because we were asked to stay away.
    #[must_use]
    pub fn paused_until(&self) -> Option<Instant> {
        self.flow(|flow, now| flow.paused_until(now))
    }

    /// The share of the full burst that could go through now: 0 to 1.
    #[must_use]
    pub fn headroom(&self) -> f64 {
        self.flow(|flow, now| flow.headroom(now))
    }

    /// The share of its full rate that it has at present.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.flow(|flow, _| flow.share())
    }

    fn flow<T>(&self, act: impl FnOnce(&mut Flow, Instant) -> T) -> T {
        let mut flow = self.flow.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        flow.grow(now);
        act(&mut flow, now)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::{advance, sleep};

    use super::flow::{GROWTH, GROWTH_EVERY, LONGEST_PAUSE, SHORTEST_PAUSE, SMALLEST_SHARE};
    use super::*;

    fn budget(per_second: f64, burst: u32) -> Budget {
        Budget::new(Rate::new(per_second, burst).unwrap())
    }

    fn take_all(budget: &Budget) -> usize {
        std::iter::repeat_with(|| budget.try_take()).take_while(Result::is_ok).count()
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
        budget.pause(Duration::from_hours(24));
        assert_eq!(budget.try_take(), Err(Instant::now() + LONGEST_REST));
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
