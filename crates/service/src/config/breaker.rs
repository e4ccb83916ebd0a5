//! When a breaker opens.

use std::time::Duration;

use resilience::BreakerSettings;

use super::env::Env;
use super::table;

/// Reads what every breaker of a worker has in common.
pub fn breaker_settings(env: &mut Env) -> BreakerSettings {
    BreakerSettings {
        failures: env.number(&table::CB_FAILURE_THRESHOLD, 1..=1_000),
        rest: Duration::from_millis(env.number(&table::CB_TIMEOUT_MS, 100..=3_600_000)),
        slow: Duration::from_millis(env.number(&table::CB_SLOW_MS, 10..=600_000)),
    }
}
