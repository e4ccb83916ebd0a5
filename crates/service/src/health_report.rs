//! The dependencies as `/readyz` shows them, and `mintctl status` reads them. No address is in it: that may hold a key.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, SystemClock};
use resilience::{DependencyHealth, EndpointHealth, LastFailure};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// What `/readyz` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadyReport {
    /// The worker's name.
    pub worker: String,
    /// Whether it can take work.
    pub ready: bool,
    /// Why it cannot.
    pub reasons: Vec<String>,
    /// What it depends on.
    pub dependencies: Vec<DependencyReport>,
}

/// A dependency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DependencyReport {
    /// Its name.
    pub name: String,
    /// unknown, healthy, degraded or down.
    pub state: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it last answered well.
    pub last_good: Option<DateTime<Utc>>,
    /// Its last failure, however long ago.
    pub last_failure: Option<FailureReport>,
    /// Its endpoints, where it has several.
    pub endpoints: Vec<EndpointReport>,
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureReport {
    /// Its class.
    pub class: String,
    /// Its code.
    pub code: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// An endpoint of a dependency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointReport {
    /// What it is called.
    pub label: String,
    /// Where it is.
    pub region: Option<String>,
    /// Used only when all others are out.
    pub emergency: bool,
    /// closed, open or half-open; forced-open, forced-closed or bypass by a person's word.
    pub breaker: String,
    /// How often the breaker opened.
    pub trips: u64,
    /// How long it takes to answer, on average of late.
    pub latency_ms: Option<f64>,
    /// Share of its last calls that went well.
    pub success: f64,
    /// Slots or blocks it was behind the others when last seen.
    pub behind: u64,
    /// Calls under way.
    pub in_flight: u32,
    /// Share of its budget for reads that is left.
    pub read_headroom: f64,
    /// Share of its budget for sends that is left.
    pub send_headroom: f64,
    /// When it was last heard of.
    pub heard: Option<DateTime<Utc>>,
    /// Code of its last failure, however long ago.
    pub last_error: Option<String>,
}

impl DependencyReport {
    pub(crate) fn of(line: &DependencyHealth, endpoints: Vec<EndpointReport>) -> Self {
        Self {
            name: line.name.to_string(),
            state: line.state.as_str().to_owned(),
            since: time(line.since),
            last_good: line.last_good.map(time),
            last_failure: line.last_failure.as_ref().map(FailureReport::of),
            endpoints,
        }
    }
}

impl FailureReport {
    fn of(failure: &LastFailure) -> Self {
        Self { class: failure.class.to_string(), code: failure.code.to_string(), at: time(failure.at) }
    }
}

impl EndpointReport {
    pub(crate) fn of(endpoint: &EndpointHealth) -> Self {
        Self {
            label: endpoint.label.to_string(),
            region: endpoint.region.as_deref().map(str::to_owned),
            emergency: endpoint.emergency,
            breaker: endpoint.breaker.name(Instant::now()).to_owned(),
            trips: endpoint.breaker.trips,
            latency_ms: endpoint.latency.map(|latency| rounded(latency.as_secs_f64() * 1_000.0)),
            success: rounded(endpoint.success),
            behind: endpoint.lag,
            in_flight: endpoint.in_flight,
            read_headroom: rounded(endpoint.read_headroom),
            send_headroom: rounded(endpoint.send_headroom),
            heard: endpoint.heard_at.map(time),
            last_error: endpoint.last_error.as_deref().map(str::to_owned),
        }
    }
}

/// A moment of the runtime's clock as a time of day.
fn time(at: Instant) -> DateTime<Utc> {
    SystemClock.now() - TimeDelta::from_std(at.elapsed()).unwrap_or_default()
}

fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}
