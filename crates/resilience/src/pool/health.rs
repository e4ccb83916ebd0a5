//! How an endpoint is: what is shown of it, and what background probes find.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use domain::FailureClass;
use tokio::time::Instant;

use super::{Endpoint, Fault, PoolSettings, Traffic};
use crate::{BreakerState, OverrideKind, Position};

/// An endpoint as `/readyz`, metrics and `status` show it.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointHealth {
    /// What it is called.
    pub label: Arc<str>,
    /// Where it is.
    pub region: Option<Arc<str>>,
    /// Used only when all others are out.
    pub emergency: bool,
    /// Its breaker.
    pub breaker: BreakerState,
    /// How long it takes to answer, on average of late.
    pub latency: Option<Duration>,
    /// Share of its last calls that went well: 0 to 1.
    pub success: f64,
    /// How far it was behind when that was last seen.
    pub lag: u64,
    /// Share of its budget for reads that is left.
    pub read_headroom: f64,
    /// Share of its budget for sends that is left.
    pub send_headroom: f64,
    /// Calls under way.
    pub in_flight: u32,
    /// When it last answered, or failed to.
    pub heard_at: Option<Instant>,
    /// Code of its last failure, however long ago.
    pub last_error: Option<Cow<'static, str>>,
}

impl<T> Endpoint<T> {
    /// How it is now.
    #[must_use]
    pub fn health(&self) -> EndpointHealth {
        let vitals = self.vitals();
        EndpointHealth {
            label: Arc::clone(&self.label),
            region: self.region.clone(),
            emergency: self.emergency,
            breaker: self.breaker.state(),
            latency: vitals.latency(),
            success: vitals.success(),
            lag: vitals.lag(),
            read_headroom: self.reads.headroom(),
            send_headroom: self.sends.headroom(),
            in_flight: vitals.in_flight(),
            heard_at: vitals.heard_at(),
            last_error: vitals.last_error().cloned(),
        }
    }

    /// What a background probe found: how long it took, or what went wrong. To the breaker a bad probe is a failure like
    /// any; a good one ends a rest early, but only a real call closes it.
    pub fn probed(&self, found: Result<Duration, Fault>) {
        match found {
            Ok(elapsed) => {
                self.vitals().succeeded(elapsed, Instant::now());
                self.breaker.probed_well();
            }
            Err(fault) => {
                match fault.class {
                    FailureClass::Transient | FailureClass::Degraded | FailureClass::Outage => {
                        self.breaker.probed_badly();
                    }
                    FailureClass::Permanent => self.breaker.probed_well(),
                    FailureClass::RateLimited => {}
                }
                self.note(fault, Traffic::Read);
            }
        }
    }

    pub(super) fn needs_probe(&self, settings: &PoolSettings, now: Instant) -> bool {
        let state = self.breaker.state();
        let pause = match state.position {
            Position::Closed => settings.quiet,
            Position::Open { .. } | Position::HalfOpen { .. } => settings.recheck,
        };
        let left_alone = self.reads.paused_until().is_some()
            || state.override_at(now).is_some_and(|forced| forced.kind == OverrideKind::ForcedOpen);
        !left_alone && self.vitals().heard_at().is_none_or(|heard| now - heard >= pause)
    }
}
