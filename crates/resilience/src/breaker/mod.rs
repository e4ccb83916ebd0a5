//! Circuit breakers: one per dependency, one per endpoint. An open one makes no call and spends no
//! attempt; after a rest, or when the health monitor's own probe went well, exactly one real call finds out.

mod machine;
mod settings;
mod state;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::FailureClass;
use tokio::sync::watch;
use tokio::time::Instant;

use self::machine::{Machine, Round};
pub use self::settings::{BreakerProblem, BreakerSettings};
pub use self::state::{BreakerState, Override, OverrideKind, Position};

/// A circuit breaker. Cheap to clone; clones are the same breaker.
#[derive(Debug, Clone)]
pub struct Breaker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: Arc<str>,
    slow: Duration,
    machine: Mutex<Machine>,
    state: watch::Sender<BreakerState>,
}

/// Leave for one call. Judge it by what came of the call; dropped unjudged (a call cancelled half-way), it says nothing,
/// and the next call may be the probe in its place.
#[derive(Debug)]
#[must_use = "a permit is for a call, and wants to hear how it went"]
pub struct Permit {
    breaker: Breaker,
    round: Round,
}

/// No call: the breaker is open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the breaker of {name} is open")]
pub struct BreakerOpen {
    /// Whose breaker.
    pub name: Arc<str>,
    /// It may admit a call then, or sooner where the health monitor finds it well; `None` while its probe is under way.
    /// [`Breaker::admitting`] waits for either.
    pub until: Option<Instant>,
}

impl Breaker {
    /// A closed breaker of that dependency or endpoint.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, settings: BreakerSettings) -> Self {
        let machine = Machine::new(settings);
        let (state, _) = watch::channel(machine.state());
        Self(Arc::new(Inner { name: name.into(), slow: settings.slow, machine: Mutex::new(machine), state }))
    }

    /// Whose breaker it is.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// Leave for a call now.
    ///
    /// # Errors
    /// [`BreakerOpen`]: make no call and spend no attempt.
    pub fn admit(&self) -> Result<Permit, BreakerOpen> {
        self.admit_call(false)
    }

    /// As [`Breaker::admit`], for an operation that may use a bypass.
    ///
    /// # Errors
    /// [`BreakerOpen`].
    pub fn admit_critical(&self) -> Result<Permit, BreakerOpen> {
        self.admit_call(true)
    }

    fn admit_call(&self, critical: bool) -> Result<Permit, BreakerOpen> {
        match self.change(|machine, now| machine.admit(now, critical)) {
            Ok(round) => Ok(Permit { breaker: self.clone(), round }),
            Err(until) => Err(BreakerOpen { name: Arc::clone(&self.0.name), until }),
        }
    }

    /// The health monitor reached the dependency: an open breaker need not rest any longer, and the next call is its
    /// probe. It closes nothing: only a real call does.
    pub fn probed_well(&self) {
        self.change(|machine, _| machine.probed_well());
    }

    /// The health monitor did not reach it: one more failure in a row, where no real call may ever find out. It does not
    /// prolong a rest, for the probe itself may be what is broken.
    pub fn probed_badly(&self) {
        self.change(Machine::probed_badly);
    }

    /// Puts a person's word above the verdicts, in place of an earlier one; `None` takes it back.
    pub fn set_override(&self, overridden: Option<Override>) {
        self.change(|machine, _| machine.set_override(overridden));
    }

    /// As it is now.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        *self.0.state.borrow()
    }

    /// Every change, for those who pause work while it is open.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<BreakerState> {
        self.0.state.subscribe()
    }

    /// Waits until a call may go through. Somebody else's may be first, so ask [`Breaker::admit`] then.
    pub async fn admitting(&self, critical: bool) {
        let mut states = self.watch();
        loop {
            let (now, state) = (Instant::now(), *states.borrow_and_update());
            if state.admits(now, critical) {
                return;
            }
            let in_time = async {
                match state.changes_at(now) {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // The sender is ours: it is there as long as we are.
                _ = states.changed() => {}
                () = in_time => {}
            }
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Machine, Instant) -> T) -> T {
        let mut machine = self.0.machine.lock().unwrap_or_else(PoisonError::into_inner);
        let before = machine.state();
        let answer = change(&mut machine, Instant::now());
        let after = machine.state();
        if before != after {
            self.0.state.send_replace(after);
        }
        answer
    }
}

impl Permit {
    /// The call was answered well after `elapsed`. Slower than the limit, it is a failure all the same.
    pub fn succeeded(mut self, elapsed: Duration) {
        let round = self.round.take();
        let slow = elapsed > self.breaker.0.slow;
        self.breaker.change(|machine, now| if slow { machine.failed(round, now) } else { machine.succeeded(round) });
    }

    /// The call failed. Whoever refuses for good answered, and is well; a rate limit is for the budget and says nothing.
    pub fn failed(mut self, class: FailureClass) {
        match class {
            FailureClass::Transient | FailureClass::Degraded | FailureClass::Outage => {
                let round = self.round.take();
                self.breaker.change(|machine, now| machine.failed(round, now));
            }
            FailureClass::Permanent => self.succeeded(Duration::ZERO),
            FailureClass::RateLimited => {}
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(round) = self.round.take() {
            self.breaker.change(|machine, _| machine.given_back(Some(round)));
        }
    }
}

#[cfg(test)]
mod tests;
