//! What an endpoint's answers tell of it, and what a call to it is expected to cost.

use std::borrow::Cow;
use std::time::Duration;

use tokio::time::Instant;

use super::ewma::Ewma;

/// A measured latency fades in about so long without a call: whoever was slow, or was never measured, is worth one.
const LATENCY_MEMORY: Duration = Duration::from_secs(30);
/// A failure, likewise.
const FAILURE_MEMORY: Duration = Duration::from_secs(5);
/// A lag, likewise: an endpoint catches up.
const LAG_MEMORY: Duration = Duration::from_secs(10);

/// What a failed call costs: finding out, and asking somebody else.
const FAILURE_COST: f64 = 2.0;
/// What being one slot (block, version) behind costs: the time of a slot.
const LAG_COST: f64 = 0.4;
/// The most that lag may cost: the lag is what somebody else said, and may be anything.
const LONGEST_LAG: f64 = 30.0;

/// The signs of life of one endpoint.
#[derive(Debug)]
pub(super) struct Vitals {
    latency: Ewma,
    failing: Ewma,
    lag: Ewma,
    in_flight: u32,
    /// Since when those in flight have heard nothing.
    silent_since: Instant,
    heard_at: Option<Instant>,
    last_error: Option<Cow<'static, str>>,
}

impl Vitals {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            latency: Ewma::new(0.2, LATENCY_MEMORY),
            failing: Ewma::new(0.1, FAILURE_MEMORY),
            lag: Ewma::new(1.0, LAG_MEMORY),
            in_flight: 0,
            silent_since: now,
            heard_at: None,
            last_error: None,
        }
    }

    pub(super) fn called(&mut self, now: Instant) {
        if self.in_flight == 0 {
            self.silent_since = now;
        }
        self.in_flight += 1;
    }

    /// A call ended, whatever came of it.
    pub(super) fn ended(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(super) fn succeeded(&mut self, elapsed: Duration, now: Instant) {
        self.latency.add(elapsed.as_secs_f64(), now);
        self.failing.add(0.0, now);
        self.heard(now);
    }

    /// It did not do what it is there for.
    pub(super) fn failed(&mut self, code: Cow<'static, str>, now: Instant) {
        self.failing.add(1.0, now);
        self.refused(code, now);
    }

    /// It answered that it would not: that says nothing about how well it is.
    pub(super) fn refused(&mut self, code: Cow<'static, str>, now: Instant) {
        self.last_error = Some(code);
        self.heard(now);
    }

    pub(super) fn is_behind(&mut self, lag: u64, now: Instant) {
        #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 it is far behind all the same")]
        self.lag.add(lag as f64, now);
    }

    fn heard(&mut self, now: Instant) {
        self.heard_at = Some(now);
        self.silent_since = now;
    }

    /// Seconds that a call is expected to cost, failures and old data included.
    ///
    /// An endpoint that hangs is noticed by its silence, long before its calls time out.
    pub(super) fn cost(&self, now: Instant) -> f64 {
        let silence = if self.in_flight == 0 { Duration::ZERO } else { now - self.silent_since };
        let lag = (self.lag.at(now) * LAG_COST).min(LONGEST_LAG);
        self.latency.at(now).max(silence.as_secs_f64()) + self.failing.at(now) * FAILURE_COST + lag
    }

    pub(super) fn latency(&self) -> Option<Duration> {
        self.latency.last().map(Duration::from_secs_f64)
    }

    /// The share of its last calls that went well.
    pub(super) fn success(&self) -> f64 {
        1.0 - self.failing.last().unwrap_or(0.0)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a u64")]
    pub(super) fn lag(&self) -> u64 {
        self.lag.last().unwrap_or(0.0) as u64
    }

    pub(super) const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    pub(super) const fn heard_at(&self) -> Option<Instant> {
        self.heard_at
    }

    pub(super) fn last_error(&self) -> Option<&Cow<'static, str>> {
        self.last_error.as_ref()
    }
}
