//! What a pool is made of.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::{BreakerProblem, BreakerSettings, Rate};

/// One endpoint of a pool. The order in which they are given is the order of preference.
#[derive(Debug, Clone)]
pub struct EndpointConfig<T> {
    /// What it is called wherever it is shown. No address: that may hold a key.
    pub label: Arc<str>,
    /// What it is called through.
    pub client: T,
    /// Where it is.
    pub region: Option<Arc<str>>,
    /// Used only when all others are out.
    pub emergency: bool,
    /// Its budget for [`crate::Traffic::Read`].
    pub reads: Rate,
    /// Its budget for [`crate::Traffic::Send`].
    pub sends: Rate,
}

/// How a pool treats its endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSettings {
    /// Of every endpoint's breaker.
    pub breaker: BreakerSettings,
    /// Where we are: endpoints there are preferred.
    pub region: Option<Arc<str>>,
    /// An endpoint not heard of for so long wants a background probe.
    pub quiet: Duration,
    /// Likewise one whose breaker is not closed: a good probe lets it back sooner.
    pub recheck: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            breaker: BreakerSettings::default(),
            region: None,
            quiet: Duration::from_secs(10),
            recheck: Duration::from_secs(2),
        }
    }
}

/// A pool that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolProblem {
    /// There has to be an endpoint.
    #[error("no endpoint is given")]
    Empty,
    /// Emergency endpoints stand in for others.
    #[error("every endpoint is for emergencies only")]
    OnlyEmergency,
    /// It could not be told from others.
    #[error("endpoint {position} has no label")]
    NoLabel {
        /// Its place in the list, from 1.
        position: usize,
    },
    /// The same one twice.
    #[error("endpoint {label} is given more than once")]
    Duplicate {
        /// Its label.
        label: Arc<str>,
    },
    /// Nothing could be preferred.
    #[error("no endpoint is in the region {region}")]
    UnknownRegion {
        /// The preferred region.
        region: Arc<str>,
    },
    /// Background probes would never stop.
    #[error("a pause of 0 s between background probes")]
    NoProbePause,
    /// The breakers' settings.
    #[error(transparent)]
    Breaker(#[from] BreakerProblem),
}

/// All that is wrong with a pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct InvalidPool {
    /// At least one.
    pub problems: Vec<PoolProblem>,
}

pub(super) fn check<T>(endpoints: &[EndpointConfig<T>], settings: &PoolSettings) -> Result<(), InvalidPool> {
    let mut problems: Vec<PoolProblem> = settings.breaker.problems().into_iter().map(PoolProblem::from).collect();
    if endpoints.is_empty() {
        problems.push(PoolProblem::Empty);
    } else if endpoints.iter().all(|endpoint| endpoint.emergency) {
        problems.push(PoolProblem::OnlyEmergency);
    }
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for (index, endpoint) in endpoints.iter().enumerate() {
        if endpoint.label.is_empty() {
            problems.push(PoolProblem::NoLabel { position: index + 1 });
        } else if !seen.insert(&endpoint.label) {
            twice.insert(&endpoint.label);
        }
    }
    problems.extend(twice.into_iter().map(|label| PoolProblem::Duplicate { label: Arc::clone(label) }));
    if let Some(region) = &settings.region
        && endpoints.iter().all(|endpoint| endpoint.region.as_ref() != Some(region))
    {
        problems.push(PoolProblem::UnknownRegion { region: Arc::clone(region) });
    }
    if settings.quiet.is_zero() || settings.recheck.is_zero() {
        problems.push(PoolProblem::NoProbePause);
    }
    if problems.is_empty() { Ok(()) } else { Err(InvalidPool { problems }) }
}
