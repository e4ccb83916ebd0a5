//! What every worker measures of its dependencies.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use resilience::{DependencyHealth, EndpointHealth, HealthState};
use tokio::time::Instant;

const UP: &str = "mintfleet_dependency_up";
const BREAKER: &str = "mintfleet_endpoint_breaker_open";
const TRIPS: &str = "mintfleet_endpoint_breaker_trips_total";
const LATENCY: &str = "mintfleet_endpoint_latency_seconds";
const SUCCESS: &str = "mintfleet_endpoint_success_ratio";
const LAG: &str = "mintfleet_endpoint_lag";

/// Says what each metric means; once per process.
pub(crate) fn describe() {
    describe_gauge!(UP, "1: it answers; 0.5: it failed lately; 0: it is down. By dependency");
    describe_gauge!(BREAKER, "1 where no call goes through, by dependency and endpoint");
    describe_counter!(TRIPS, "Times that a breaker opened, by dependency and endpoint");
    describe_gauge!(LATENCY, Unit::Seconds, "How long it takes to answer of late, by dependency and endpoint");
    describe_gauge!(SUCCESS, "Share of its last calls that went well, by dependency and endpoint");
    describe_gauge!(LAG, "Slots or blocks it was behind the others when last seen, by dependency and endpoint");
}

pub(crate) fn dependency(line: &DependencyHealth) {
    let up = match line.state {
        HealthState::Unknown => return,
        HealthState::Healthy => 1.0,
        HealthState::Degraded => 0.5,
        HealthState::Down => 0.0,
    };
    gauge!(UP, "dependency" => line.name.to_string()).set(up);
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn endpoint(dependency: &'static str, health: &EndpointHealth) {
    let labels = [("dependency", dependency.to_owned()), ("endpoint", health.label.to_string())];
    let open = !health.breaker.admits(Instant::now(), false);
    gauge!(BREAKER, &labels).set(f64::from(u8::from(open)));
    counter!(TRIPS, &labels).absolute(health.breaker.trips);
    gauge!(SUCCESS, &labels).set(health.success);
    gauge!(LAG, &labels).set(health.lag as f64);
    if let Some(latency) = health.latency {
        gauge!(LATENCY, &labels).set(latency.as_secs_f64());
    }
}
