//! A pool of endpoints that do the same: the better of two taken at random, never one that is out, and the
//! emergency ones only when all others are. A critical call may pass an open breaker that a person had bypassed, where
//! nobody better is left.

mod config;
mod endpoint;
mod ewma;
mod health;
mod lease;
mod vitals;

use std::sync::Arc;

use tokio::time::Instant;

pub use self::config::{EndpointConfig, InvalidPool, PoolProblem, PoolSettings};
use self::endpoint::Standing;
pub use self::endpoint::{Call, Endpoint, Fault, Traffic};
pub use self::health::EndpointHealth;
pub use self::lease::Lease;
use crate::Jitter;

/// Costs that differ by less than this factor and so many seconds are about equal: then preference decides.
const ABOUT_EQUAL: (f64, f64) = (1.25, 0.02);

/// Endpoints that do the same, in order of preference.
#[derive(Debug)]
pub struct Pool<T> {
    regular: Vec<Arc<Endpoint<T>>>,
    emergency: Vec<Arc<Endpoint<T>>>,
    settings: PoolSettings,
    random: Arc<Jitter>,
    reads: tokio::sync::Mutex<()>,
    sends: tokio::sync::Mutex<()>,
}

/// No endpoint for a call now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoEndpoint {
    /// Those not tried yet are out.
    #[error("every endpoint that is in use was tried")]
    AllTried,
    /// Breakers are open, or we were asked to stay away.
    #[error("every endpoint is out")]
    AllOut {
        /// When it is worth asking again; `None` while all that is waited for is a probe. See [`Pool::usable`].
        until: Option<Instant>,
    },
    /// The budgets are used up.
    #[error("the budget of every endpoint is used up")]
    Busy {
        /// The first has a call left then.
        until: Instant,
    },
}

impl<T> Pool<T> {
    /// A pool of these endpoints, in order of preference.
    ///
    /// # Errors
    /// [`InvalidPool`] with all that is wrong.
    pub fn new(
        endpoints: Vec<EndpointConfig<T>>,
        settings: PoolSettings,
        random: Arc<Jitter>,
    ) -> Result<Self, InvalidPool> {
        config::check(&endpoints, &settings)?;
        let endpoints = endpoints.into_iter().map(|config| Arc::new(Endpoint::new(config, &settings)));
        let (emergency, regular) = endpoints.partition(|endpoint| endpoint.emergency);
        let (reads, sends) = Default::default();
        Ok(Self { regular, emergency, settings, random, reads, sends })
    }

    /// Every endpoint, in order of preference, emergency ones last.
    pub fn endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint<T>>> {
        self.regular.iter().chain(&self.emergency)
    }

    /// How every endpoint is.
    #[must_use]
    pub fn health(&self) -> Vec<EndpointHealth> {
        self.endpoints().map(|endpoint| endpoint.health()).collect()
    }

    /// Endpoints that no call has reached for a while: probe them and say what you found ([`Endpoint::probed`]). The
    /// budget is theirs too.
    #[must_use]
    pub fn needs_probe(&self, now: Instant) -> Vec<Arc<Endpoint<T>>> {
        self.endpoints().filter(|endpoint| endpoint.needs_probe(&self.settings, now)).cloned().collect()
    }

    /// An endpoint for a call now, other than those already tried.
    ///
    /// # Errors
    /// [`NoEndpoint`].
    pub fn pick(&self, call: impl Into<Call>, tried: &[Arc<str>]) -> Result<Lease<T>, NoEndpoint> {
        let (call, now) = (call.into(), Instant::now());
        match self.pick_of(&self.regular, call, tried, now) {
            Err(NoEndpoint::AllOut { until }) if !self.emergency.is_empty() => {
                self.pick_of(&self.emergency, call, tried, now).map_err(|none| match none {
                    NoEndpoint::AllOut { until: later } => NoEndpoint::AllOut { until: earlier(until, later) },
                    NoEndpoint::AllTried | NoEndpoint::Busy { .. } => none,
                })
            }
            picked => picked,
        }
    }

    /// As [`Pool::pick`], but waits for a budget, in order. A call that was tried elsewhere already does not queue again.
    ///
    /// # Errors
    /// [`NoEndpoint`], though never [`NoEndpoint::Busy`].
    pub async fn acquire(&self, call: impl Into<Call>, tried: &[Arc<str>]) -> Result<Lease<T>, NoEndpoint> {
        let call = call.into();
        let turn = match call.traffic {
            Traffic::Read => &self.reads,
            Traffic::Send => &self.sends,
        };
        let _turn = if tried.is_empty() { Some(turn.lock().await) } else { None };
        loop {
            match self.pick(call, tried) {
                Err(NoEndpoint::Busy { until }) => tokio::time::sleep_until(until).await,
                picked => return picked,
            }
        }
    }

    /// Waits until an endpoint may be of use again: for those who pause work while all are out.
    pub async fn usable(&self, call: impl Into<Call>) {
        let call = call.into();
        let endpoints = self.endpoints().map(|endpoint| Box::pin(endpoint.usable(call)));
        futures::future::select_all(endpoints).await;
    }

    fn pick_of(
        &self,
        endpoints: &[Arc<Endpoint<T>>],
        call: Call,
        tried: &[Arc<str>],
        now: Instant,
    ) -> Result<Lease<T>, NoEndpoint> {
        let (mut in_use, mut back) = (Vec::new(), None);
        for endpoint in endpoints {
            match endpoint.in_use(call, now) {
                Ok(standing) => in_use.push((standing, endpoint)),
                Err(until) => back = earlier(back, until),
            }
        }
        if in_use.is_empty() {
            return Err(NoEndpoint::AllOut { until: back });
        }
        in_use.retain(|(_, endpoint)| !tried.contains(endpoint.label()));
        if in_use.is_empty() {
            return Err(NoEndpoint::AllTried);
        }

        // A call that failed once already does not go probing, unless nothing else is left.
        let order = if tried.is_empty() {
            [Standing::HalfOpen, Standing::Closed, Standing::Bypassed]
        } else {
            [Standing::Closed, Standing::HalfOpen, Standing::Bypassed]
        };
        let mut again = None;
        for standing in order {
            let alike = in_use.iter().filter(|(its, _)| *its == standing);
            let mut left: Vec<_> = alike.map(|(_, endpoint)| *endpoint).collect();
            while !left.is_empty() {
                let best = left.remove(self.better_of_two(&left, call.traffic, now));
                match best.lease(call) {
                    Ok(lease) => return Ok(lease),
                    Err(until) => again = earlier(again, until),
                }
            }
        }
        // Without an instant, the probe that we saw free was taken by another thread.
        Err(again.map_or(NoEndpoint::AllOut { until: None }, |until| NoEndpoint::Busy { until }))
    }

    /// Two at random, and of these the one that costs less; the preferred one where they cost about the same.
    fn better_of_two(&self, endpoints: &[&Arc<Endpoint<T>>], traffic: Traffic, now: Instant) -> usize {
        let Some(others) = endpoints.len().checked_sub(1).filter(|others| *others > 0) else { return 0 };
        let one = self.random.index(endpoints.len());
        let other = (one + 1 + self.random.index(others)) % endpoints.len();
        let (preferred, second) = (one.min(other), one.max(other));
        let (factor, seconds) = ABOUT_EQUAL;
        let cheaper = endpoints[second].cost(traffic, now) * factor + seconds < endpoints[preferred].cost(traffic, now);
        if cheaper { second } else { preferred }
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests;
