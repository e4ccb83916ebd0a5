//! What is known of the database by how it answers: its breaker, its line among the dependencies, and whether there is any
//! use in asking it now.

use std::sync::Arc;
use std::time::Duration;

use domain::{Failure, FailureClass};
use engine::StoreError;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use resilience::{Breaker, BreakerOpen, BreakerSettings, Dependency, Permit, Position};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::errors::{is_conflict, no_answer, store_error};
use crate::pool::Store;

/// How often the breaker is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Once nobody has heard of the database for so long, it is probed.
const SILENCE: Duration = Duration::from_secs(1);
/// Probes begin so far apart, whatever became of the one before: a breaker of five failures opens five seconds after the
/// last answer, though every probe hangs.
const PROBE_EVERY: Duration = Duration::from_millis(500);
/// How long a probe may take.
const PROBE: Duration = Duration::from_secs(2);

/// Takes note of how statements are answered.
#[derive(Debug)]
pub(crate) struct Watch {
    breaker: Breaker,
    line: Dependency,
    open: watch::Sender<bool>,
    heard: watch::Sender<Instant>,
}

impl Watch {
    pub(crate) fn new(breaker: BreakerSettings, line: Dependency) -> Self {
        let (open, heard) = (watch::Sender::new(true), watch::Sender::new(Instant::now()));
        Self { breaker: Breaker::new("database", breaker), line, open, heard }
    }

    /// It was there when we came.
    pub(crate) fn found(&self) {
        self.line.good();
    }

    /// Leave to send a statement. While one statement finds out whether the database is back, the others wait for what
    /// comes of it.
    pub(crate) async fn admit(&self) -> Result<Permit, StoreError> {
        loop {
            match self.breaker.admit() {
                Ok(permit) => return Ok(permit),
                Err(BreakerOpen { until: None, .. }) => {
                    self.until(|position| position != Position::HalfOpen { probing: true }).await;
                }
                Err(BreakerOpen { until: Some(_), .. }) => return Err(self.out()),
            }
        }
    }

    /// Ready once the database is known to be out: who still waits for its answer then, waits in vain.
    pub(crate) async fn goes_out(&self) -> StoreError {
        self.until(is_open).await;
        self.out()
    }

    pub(crate) fn is_out(&self) -> bool {
        is_open(self.breaker.state().position)
    }

    fn out(&self) -> StoreError {
        let message = format_args!("the breaker of {} is open", self.breaker.name());
        StoreError::Unavailable(Failure::new(FailureClass::Outage, "database-out", message))
    }

    async fn until(&self, reached: impl Fn(Position) -> bool) {
        // Its sender is ours: it is there as long as we are.
        self.breaker.watch().wait_for(|state| reached(state.position)).await.ok();
    }

    /// A statement was answered, or was not. Whoever refuses a row, or has another transaction in the way, is well.
    pub(crate) fn heard<T>(&self, permit: Permit, elapsed: Duration, answer: Result<&sqlx::Result<T>, &StoreError>) {
        let error = match answer {
            Ok(Err(error)) if !is_conflict(error) => Some(store_error(error)),
            Ok(Ok(_) | Err(_)) => None,
            Err(error) => Some(error.clone()),
        };
        match error {
            None | Some(StoreError::Row { .. }) => {
                permit.succeeded(elapsed);
                self.is_well();
            }
            Some(StoreError::Unavailable(failure)) => {
                permit.failed(failure.class);
                self.line.failed(failure.class, failure.code);
            }
        }
    }

    fn is_well(&self) {
        self.heard.send_replace(Instant::now());
        self.line.good();
    }

    fn silence(&self) -> Duration {
        self.heard.borrow().elapsed()
    }

    fn look(&self) {
        let now = Instant::now();
        let state = self.breaker.state();
        let open = state.admits(now, false) || matches!(state.position, Position::HalfOpen { .. });
        let changed = self.open.send_if_modified(|was| std::mem::replace(was, open) != open);
        if changed && open {
            tracing::info!("the database may be asked again");
        } else if changed {
            tracing::warn!("the database is out: nothing is asked of it");
        }
    }
}

impl Store {
    /// False while there is no use in asking, as [`Store::watch_over`] sees it.
    #[must_use]
    pub fn open(&self) -> watch::Receiver<bool> {
        self.watch.open.subscribe()
    }

    /// Probes the database while nobody hears of it: bad probes open its breaker, a good one ends the rest early. Goes on
    /// for as long as the store is used; may be dropped at any await.
    pub async fn watch_over(self: Arc<Self>) {
        let (mut looks, mut probes) = (ticks(LOOK), ticks(PROBE_EVERY));
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                _ = looks.tick() => self.watch.look(),
                _ = probes.tick() => {
                    if self.watch.silence() >= SILENCE {
                        under_way.push(self.probe());
                    }
                }
                Some(()) = under_way.next() => {}
            }
        }
    }

    async fn probe(&self) {
        let found = match timeout(PROBE, self.prober.ask()).await {
            Ok(answer) => answer.map_err(|error| store_error(&error)),
            Err(_) => Err(no_answer(PROBE)),
        };
        match found {
            Ok(()) => {
                self.watch.breaker.probed_well();
                self.watch.is_well();
            }
            Err(error) => {
                let failure = error.failure();
                self.watch.breaker.probed_badly();
                self.watch.line.failed(failure.class, failure.code);
            }
        }
    }
}

fn is_open(position: Position) -> bool {
    matches!(position, Position::Open { .. })
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

#[cfg(test)]
mod tests {
    use resilience::HealthBoard;

    use super::*;

    const FAST: Duration = Duration::from_millis(1);

    /// Out, and probed well.
    fn half_open() -> Arc<Watch> {
        let watch = Watch::new(BreakerSettings::default(), HealthBoard::default().dependency("database", 1));
        (0..BreakerSettings::default().failures).for_each(|_| watch.breaker.probed_badly());
        assert!(watch.is_out());
        watch.breaker.probed_well();
        Arc::new(watch)
    }

    #[tokio::test(start_paused = true)]
    async fn while_one_finds_out_the_others_wait_for_what_comes_of_it() {
        for well in [true, false] {
            let watch = half_open();
            let first = watch.admit().await.unwrap();
            let others: Vec<_> = (0..20)
                .map(|_| {
                    let watch = Arc::clone(&watch);
                    tokio::spawn(async move { watch.admit().await.map(|permit| permit.succeeded(FAST)) })
                })
                .collect();
            tokio::task::yield_now().await;
            assert!(others.iter().all(|other| !other.is_finished()));
            if well {
                first.succeeded(FAST);
            } else {
                first.failed(FailureClass::Transient);
            }
            for other in others {
                assert_eq!(other.await.unwrap().is_ok(), well);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_an_answer_is_told_that_there_will_be_none() {
        let watch = half_open();
        let first = watch.admit().await.unwrap();
        let waiting = tokio::spawn({
            let watch = Arc::clone(&watch);
            async move { watch.goes_out().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "it is not known yet");
        first.failed(FailureClass::Outage);
        assert_eq!(waiting.await.unwrap().failure().code, "database-out");
    }
}
