//! One endpoint of a pool: its client, breaker, budgets and signs of life.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::FailureClass;
use tokio::time::Instant;

use super::vitals::Vitals;
use super::{EndpointConfig, Lease, PoolSettings};
use crate::{Breaker, BreakerOpen, BreakerSettings, Budget, Permit, Position};

/// What a call to an endpoint outside our region costs more, in seconds.
const REGION_COST: f64 = 0.05;
/// What one costs more whose budget is used up.
const BUDGET_COST: f64 = 0.1;

/// What a call is for: each has a budget of its own, so that reads never hold up what has to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Traffic {
    /// Asking.
    Read,
    /// Sending a transaction, uploading content.
    Send,
}

/// A call, as far as it decides where it may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Call {
    /// What it is for.
    pub traffic: Traffic,
    /// Whether it may go to an endpoint whose breaker is bypassed for critical operations.
    pub critical: bool,
}

impl Traffic {
    /// A call that may use a bypass.
    #[must_use]
    pub const fn critical(self) -> Call {
        Call { traffic: self, critical: true }
    }
}

impl From<Traffic> for Call {
    fn from(traffic: Traffic) -> Self {
        Self { traffic, critical: false }
    }
}

/// A call that failed, as the pool wants to hear of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its class.
    pub class: FailureClass,
    /// Its code.
    pub code: Cow<'static, str>,
    /// What the endpoint asked for, if it did.
    pub retry_after: Option<Duration>,
}

/// How a call comes to an endpoint that is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Like any other.
    Closed,
    /// As its probe.
    HalfOpen,
    /// Past its breaker.
    Bypassed,
}

/// One endpoint of a pool.
pub struct Endpoint<T> {
    pub(super) label: Arc<str>,
    client: T,
    pub(super) region: Option<Arc<str>>,
    pub(super) emergency: bool,
    elsewhere: bool,
    pub(super) breaker: Breaker,
    pub(super) reads: Budget,
    pub(super) sends: Budget,
    vitals: Mutex<Vitals>,
}

impl<T> Endpoint<T> {
    /// An endpoint outside any pool, for whoever chooses by other rules.
    #[must_use]
    pub fn alone(config: EndpointConfig<T>, breaker: BreakerSettings) -> Arc<Self> {
        Arc::new(Self::new(config, &PoolSettings { breaker, ..PoolSettings::default() }))
    }

    pub(super) fn new(config: EndpointConfig<T>, settings: &PoolSettings) -> Self {
        Self {
            breaker: Breaker::new(Arc::clone(&config.label), settings.breaker),
            elsewhere: settings.region.is_some() && config.region != settings.region,
            label: config.label,
            client: config.client,
            region: config.region,
            emergency: config.emergency,
            reads: Budget::new(config.reads),
            sends: Budget::new(config.sends),
            vitals: Mutex::new(Vitals::new(Instant::now())),
        }
    }

    /// What it is called wherever it is shown.
    #[must_use]
    pub const fn label(&self) -> &Arc<str> {
        &self.label
    }

    /// What it is called through. Calls made otherwise than by a [`Lease`] are not seen: they are for probes.
    #[must_use]
    pub const fn client(&self) -> &T {
        &self.client
    }

    /// Its breaker, for overrides.
    #[must_use]
    pub const fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Its budget for that traffic.
    #[must_use]
    pub const fn budget(&self, traffic: Traffic) -> &Budget {
        match traffic {
            Traffic::Read => &self.reads,
            Traffic::Send => &self.sends,
        }
    }

    /// It was seen to be so many slots (blocks, versions) behind the others.
    pub fn is_behind(&self, lag: u64) {
        self.vitals().is_behind(lag, Instant::now());
    }

    /// Whether it is of use to such a call, and how. If not (its breaker is open, or it asked us to stay away), when that is
    /// worth asking again; without an instant, its probe is under way.
    pub(super) fn in_use(&self, call: Call, now: Instant) -> Result<Standing, Option<Instant>> {
        let state = self.breaker.state();
        if !state.admits(now, call.critical) {
            return Err(state.changes_at(now));
        }
        if let Some(until) = self.budget(call.traffic).paused_until() {
            return Err(Some(until));
        }
        Ok(match state.position {
            Position::Closed => Standing::Closed,
            Position::Open { .. } | Position::HalfOpen { .. } if state.admits(now, false) => Standing::HalfOpen,
            Position::Open { .. } | Position::HalfOpen { .. } => Standing::Bypassed,
        })
    }

    /// Seconds that a call is expected to cost.
    pub(super) fn cost(&self, traffic: Traffic, now: Instant) -> f64 {
        let region = if self.elsewhere { REGION_COST } else { 0.0 };
        let budget = (1.0 - self.budget(traffic).headroom()) * BUDGET_COST;
        self.vitals().cost(now) + region + budget
    }

    /// A call, if breaker and budget allow it now; else when they may.
    pub(super) fn lease(self: &Arc<Self>, call: Call) -> Result<Lease<T>, Option<Instant>> {
        let permit = self.admit(call).map_err(|open| open.until)?;
        self.budget(call.traffic).try_take().map_err(Some)?;
        Ok(Lease::new(Arc::clone(self), call.traffic, permit))
    }

    /// A call for which leave was taken from the budget before.
    ///
    /// # Errors
    /// [`BreakerOpen`]: make no call.
    pub fn begin(self: &Arc<Self>, call: impl Into<Call>) -> Result<Lease<T>, BreakerOpen> {
        let call = call.into();
        Ok(Lease::new(Arc::clone(self), call.traffic, self.admit(call)?))
    }

    fn admit(&self, call: Call) -> Result<Permit, BreakerOpen> {
        if call.critical { self.breaker.admit_critical() } else { self.breaker.admit() }
    }

    /// Waits until it may be of use again.
    pub(super) async fn usable(&self, call: Call) {
        loop {
            self.breaker.admitting(call.critical).await;
            match self.budget(call.traffic).paused_until() {
                Some(until) => tokio::time::sleep_until(until).await,
                None => return,
            }
        }
    }

    /// Takes a failure to heart: signs of life and budget, not the breaker.
    pub(super) fn note(&self, fault: Fault, traffic: Traffic) {
        let now = Instant::now();
        match fault.class {
            FailureClass::Transient | FailureClass::Degraded | FailureClass::Outage => {
                if let Some(pause) = fault.retry_after {
                    self.budget(traffic).pause(pause);
                }
                self.vitals().failed(fault.code, now);
            }
            FailureClass::RateLimited => {
                self.budget(traffic).rate_limited(fault.retry_after);
                self.vitals().refused(fault.code, now);
            }
            FailureClass::Permanent => self.vitals().refused(fault.code, now),
        }
    }

    pub(super) fn vitals(&self) -> MutexGuard<'_, Vitals> {
        self.vitals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Endpoint<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("label", &self.label).finish_non_exhaustive()
    }
}
