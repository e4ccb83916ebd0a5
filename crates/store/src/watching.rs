//! What is known of the database by how it answers: its breaker, its line among the dependencies, and whether there is any
//! use in asking it now.

use std::sync::Arc;
use std::time::Duration;

use domain::{Failure, FailureClass};
use engine::StoreError;
use resilience::{Breaker, BreakerSettings, Dependency, Permit, Position};
use sqlx::Connection;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::errors::{is_conflict, no_answer, store_error};
use crate::pool::Store;

/// How often the breaker is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Once nobody has heard of the database for so long, it is probed as often.
const SILENCE: Duration = Duration::from_secs(2);
/// How long a probe may take.
const PROBE: Duration = Duration::from_secs(5);

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

    /// Leave to send a statement.
    pub(crate) fn admit(&self) -> Result<Permit, StoreError> {
        let out = |open| StoreError::Unavailable(Failure::new(FailureClass::Outage, "database-out", open));
        self.breaker.admit().map_err(out)
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
                self.heard.send_replace(Instant::now());
                self.line.good();
            }
            Some(StoreError::Unavailable(failure)) => {
                permit.failed(failure.class);
                self.line.failed(failure.class, failure.code);
            }
        }
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

    /// Probes the database while nobody hears of it: a good probe ends the breaker's rest early. Goes on for as long as
    /// the store is used; may be dropped at any await.
    pub async fn watch_over(self: Arc<Self>) {
        let look = async {
            let mut looks = ticks(LOOK);
            loop {
                looks.tick().await;
                self.watch.look();
            }
        };
        let probe = async {
            let mut probes = ticks(SILENCE);
            loop {
                probes.tick().await;
                if self.watch.heard.borrow().elapsed() >= SILENCE {
                    self.probe().await;
                }
            }
        };
        tokio::join!(look, probe);
    }

    async fn probe(&self) {
        let asked = async { self.pool.acquire().await?.ping().await };
        let found = match timeout(PROBE, asked).await {
            Ok(answer) => answer.map_err(|error| store_error(&error)),
            Err(_) => Err(no_answer(PROBE)),
        };
        match found {
            Ok(()) => {
                self.watch.breaker.probed_well();
                self.watch.line.good();
            }
            Err(error) => {
                let failure = error.failure();
                self.watch.breaker.probed_badly();
                self.watch.line.failed(failure.class, failure.code);
            }
        }
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
