//! Which endpoints there are, and how they are treated.

use std::time::Duration;

use resilience::{Dependency, HealthBoard, PoolSettings, Rate};
use secrecy::SecretString;

/// Calls a second to one endpoint, unless somebody knows its plan: more than a fleet of ours makes.
pub const DEFAULT_CALLS_PER_SECOND: u32 = 1_000;

/// Where an endpoint is.
#[derive(Debug, Clone)]
pub struct EndpointAddress {
    /// What it is called in logs, metrics and the database.
    pub label: String,
    /// Its address; hosted ones carry their key in it.
    pub url: SecretString,
    /// Where in the world it is.
    pub region: Option<String>,
    /// Used only when all others are out.
    pub emergency: bool,
}

impl EndpointAddress {
    /// An endpoint like any other.
    pub fn new(label: impl Into<String>, url: impl Into<SecretString>) -> Self {
        Self { label: label.into(), url: url.into(), region: None, emergency: false }
    }
}

/// How endpoints are treated.
#[derive(Debug, Clone)]
pub struct EndpointsSettings {
    /// How long one request may take.
    pub timeout: Duration,
    /// Tries of one request in all, over the endpoints; each of them is tried at least once.
    pub attempts: u32,
    /// Each endpoint's budget for asking.
    pub reads: Rate,
    /// Each endpoint's budget for sending transactions.
    pub sends: Rate,
    /// Breakers, region, background probes.
    pub pool: PoolSettings,
    /// Where it is written down how the chain as a whole answers.
    pub line: Dependency,
}

/// For whoever asks a few questions and is done.
impl Default for EndpointsSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            attempts: 1,
            reads: calls_per_second(DEFAULT_CALLS_PER_SECOND),
            sends: calls_per_second(DEFAULT_CALLS_PER_SECOND),
            pool: PoolSettings::default(),
            line: HealthBoard::default().dependency("solana-rpc", 1),
        }
    }
}

/// So many calls a second (at least one, at most a million), of which a second's worth may come at once.
///
/// # Panics
/// Never: every such rate is one.
#[must_use]
pub fn calls_per_second(calls: u32) -> Rate {
    let calls = calls.clamp(1, 1_000_000);
    Rate::new(calls.into(), calls).expect("a rate within its bounds")
}
