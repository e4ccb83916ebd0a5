//! What a worker knows of its dependencies, for `/readyz` and `/metrics`. It costs no call: whoever calls them writes it
//! down.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use resilience::{Dependency, EndpointHealth, HealthBoard};

use crate::health_report::{DependencyReport, EndpointReport};
use crate::metrics;

/// How often the metrics of dependencies are brought up to date.
const MEASURE: Duration = Duration::from_secs(1);

type Endpoints = Box<dyn Fn() -> Vec<EndpointHealth> + Send + Sync>;

/// What a worker knows of its dependencies. Cheap to clone; clones are the same.
#[derive(Clone, Default)]
pub struct Health {
    board: HealthBoard,
    pools: Arc<Mutex<Vec<(&'static str, Endpoints)>>>,
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("board", &self.board).finish_non_exhaustive()
    }
}

impl Health {
    /// A line for that dependency, down after `tries` failures in a row.
    #[must_use]
    pub fn dependency(&self, name: &'static str, tries: u32) -> Dependency {
        self.board.dependency(name, tries)
    }

    /// Shows the endpoints of a dependency beneath its line. `endpoints` must answer at once.
    pub fn show_endpoints(
        &self,
        name: &'static str,
        endpoints: impl Fn() -> Vec<EndpointHealth> + Send + Sync + 'static,
    ) {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner).push((name, Box::new(endpoints)));
    }

    /// Every dependency with its endpoints.
    #[must_use]
    pub fn report(&self) -> Vec<DependencyReport> {
        let pools = self.endpoints();
        let report = |line: &resilience::DependencyHealth| {
            let own = pools.iter().filter(|(name, _)| **name == *line.name);
            let endpoints = own.flat_map(|(_, endpoints)| endpoints).map(EndpointReport::of).collect();
            DependencyReport::of(line, endpoints)
        };
        self.board.snapshot().iter().map(report).collect()
    }

    /// Keeps the metrics of dependencies up to date, for as long as it is polled.
    pub(crate) async fn keep_measured(self) {
        let mut ticks = tokio::time::interval(MEASURE);
        loop {
            ticks.tick().await;
            for line in self.board.snapshot() {
                metrics::dependency(&line);
            }
            for (name, endpoints) in self.endpoints() {
                for endpoint in endpoints {
                    metrics::endpoint(name, &endpoint);
                }
            }
        }
    }

    fn endpoints(&self) -> Vec<(&'static str, Vec<EndpointHealth>)> {
        let pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.iter().map(|(name, endpoints)| (*name, endpoints())).collect()
    }
}

#[cfg(test)]
mod tests {
    use domain::FailureClass;
    use resilience::{EndpointConfig, Jitter, Pool, PoolSettings, Rate, Traffic};

    use super::*;

    #[tokio::test]
    async fn a_dependency_is_shown_with_its_endpoints() {
        let health = Health::default();
        let line = health.dependency("solana-rpc", 1);
        health.dependency("kafka", 1).good();
        let rate = Rate::new(10.0, 10).unwrap();
        let endpoint = EndpointConfig {
            label: "main".into(),
            client: (),
            region: Some("eu".into()),
            emergency: false,
            reads: rate,
            sends: rate,
        };
        let pool = Pool::new(vec![endpoint], PoolSettings::default(), Arc::new(Jitter::from_seed(1))).unwrap();
        pool.pick(Traffic::Read, &[]).unwrap().succeeded();
        health.show_endpoints("solana-rpc", move || pool.health());
        line.failed(FailureClass::Outage, "rpc-all-out");

        let [chain, kafka] = health.report().try_into().unwrap();
        assert_eq!((chain.state.as_str(), kafka.state.as_str()), ("down", "healthy"));
        assert_eq!(chain.last_failure.unwrap().code, "rpc-all-out");
        let endpoint = &chain.endpoints[0];
        assert_eq!((endpoint.label.as_str(), endpoint.region.as_deref()), ("main", Some("eu")));
        assert_eq!((endpoint.breaker.as_str(), endpoint.success), ("closed", 1.0));
        assert!(endpoint.latency_ms.is_some() && endpoint.read_headroom < 1.0);
        assert!(kafka.endpoints.is_empty());
    }
}
