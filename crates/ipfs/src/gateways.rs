//! Reading content back: from the best gateway, and from the next one where it fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::Cid;
use futures::future::join_all;
use reqwest::Client;
use reqwest::redirect::Policy;
use resilience::{
    BreakerSettings, Dependency, Endpoint, EndpointConfig, EndpointHealth, HealthBoard, InvalidPool, Jitter, Lease,
    Policies, PolicyName, Pool, PoolSettings, Rate, Traffic,
};
use tokio::time::{MissedTickBehavior, interval};
use url::Url;

use crate::dag::{Tree, Unfinished};
use crate::gateway::Gateway;
use crate::{ContentId, GatewayError, GatewayFault, metrics};

/// Largest file, bytes.
const LARGEST: usize = 10 << 20;
/// Calls a second to one gateway, and at once: far above what we need, for it is the gateway that says when to rest.
const RATE: (f64, u32) = (1_000.0, 1_000);
/// How often gateways are looked for that nobody asks.
const LOOK: Duration = Duration::from_secs(1);

/// Gateways, of which the best is asked first. Cheap to clone; clones are the same.
#[derive(Debug, Clone)]
pub struct Gateways {
    pool: Arc<Pool<Gateway>>,
    /// How long one gateway has for its whole answer.
    patience: Duration,
    line: Dependency,
}

/// Gateways that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoGateways {
    /// They make no sense.
    #[error("gateways: {0}")]
    Invalid(#[from] InvalidPool),
    /// Where the machine gives no TLS roots or no sockets.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

impl Gateways {
    /// Gateways in order of preference, shown on nobody's board. Takes addresses such as `https://ipfs.io`, with or without
    /// `/ipfs` behind.
    ///
    /// # Errors
    /// [`NoGateways`].
    pub fn new(addresses: &[Url]) -> Result<Self, NoGateways> {
        let line = HealthBoard::default().dependency("ipfs-gateways", 1);
        Self::watched(addresses, BreakerSettings::default(), line, Arc::new(Jitter::from_os()))
    }

    /// Likewise, and what is heard of them is written to `line`.
    ///
    /// # Errors
    /// [`NoGateways`].
    pub fn watched(
        addresses: &[Url],
        breaker: BreakerSettings,
        line: Dependency,
        random: Arc<Jitter>,
    ) -> Result<Self, NoGateways> {
        let client = Client::builder().redirect(Policy::limited(3)).build()?;
        let settings = PoolSettings { breaker, ..PoolSettings::default() };
        let pool = Arc::new(Pool::new(endpoints(addresses, &client), settings, random)?);
        Ok(Self { pool, patience: Policies::default()[PolicyName::GatewayRetrieval].wait, line })
    }

    /// Gives every gateway that long for its whole answer instead of 5 s.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How every gateway is.
    #[must_use]
    pub fn health(&self) -> Vec<EndpointHealth> {
        self.pool.health()
    }

    /// Looks after gateways that nobody asks, for as long as it is polled: one that is back is used again at once.
    pub async fn watch_over(self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let silent = self.pool.needs_probe(tokio::time::Instant::now());
            join_all(silent.iter().map(|gateway| self.probe(gateway))).await;
        }
    }

    /// Reads a content: from the first gateway that gives the right bytes in time. Of a content of many blocks the right
    /// ones are kept, whichever gateway they came from.
    ///
    /// # Errors
    /// [`GatewayError`], which tells what every gateway said.
    pub async fn fetch(&self, cid: &Cid) -> Result<Bytes, GatewayError> {
        let wanted = ContentId::parse(cid.as_str())?;
        let mut tree = Tree::new(wanted, LARGEST);
        let (mut tried, mut faults, mut too_late) = (Vec::new(), Vec::new(), Vec::new());
        while let Ok(lease) = self.pool.acquire(Traffic::Read.critical(), &tried).await {
            tried.push(Arc::clone(lease.label()));
            let begun = Instant::now();
            let read = lease.client().read(&wanted, &mut tree, self.patience).await;
            let fault = match (tree.file(), read) {
                (Ok(bytes), _) => {
                    metrics::gateway_read(lease.label(), metrics::OK, begun.elapsed());
                    lease.succeeded();
                    for late in too_late {
                        Lease::failed(late, GatewayFault::TimedOut.heard());
                    }
                    self.line.good();
                    return Ok(bytes);
                }
                (Err(Unfinished::Never(reason)), _) => {
                    lease.succeeded();
                    return Err(GatewayError::NotAFile { cid: cid.clone(), reason });
                }
                (Err(Unfinished::Missing), Err(fault)) => fault,
                (Err(Unfinished::Missing), Ok(())) => GatewayFault::Incomplete,
            };
            metrics::gateway_read(lease.label(), fault.code(), begun.elapsed());
            faults.push((Arc::clone(lease.label()), fault.clone()));
            match fault {
                // A gateway looks long for what nobody has: it is slow only where another one gives the content.
                GatewayFault::TimedOut => too_late.push(lease),
                fault => lease.failed(fault.heard()),
            }
        }
        Err(self.failed(cid, &faults))
    }

    /// One error that names every gateway, in order of preference.
    fn failed(&self, cid: &Cid, faults: &[(Arc<str>, GatewayFault)]) -> GatewayError {
        let told = |endpoint: &Arc<Endpoint<Gateway>>| {
            let told = faults.iter().find(|(label, _)| label == endpoint.label());
            let fault = told.map_or(GatewayFault::NotAsked, |(_, fault)| fault.clone());
            (endpoint.label().to_string(), fault)
        };
        let error = GatewayError::AllFailed { cid: cid.clone(), faults: self.pool.endpoints().map(told).collect() };
        if !error.is_missing() {
            self.line.failed(error.class(), error.code());
        }
        error
    }

    async fn probe(&self, endpoint: &Endpoint<Gateway>) {
        if endpoint.budget(Traffic::Read).try_take().is_ok() {
            let begun = Instant::now();
            let probed = endpoint.client().probe(self.patience).await;
            endpoint.probed(probed.map(|()| begun.elapsed()).map_err(|fault| fault.heard()));
        }
    }
}

/// Labels are host and port, for the rest of an address may hold a key; two at the same host are told apart by their place.
fn endpoints(addresses: &[Url], client: &Client) -> Vec<EndpointConfig<Gateway>> {
    let (per_second, burst) = RATE;
    let rate = Rate::new(per_second, burst).expect("a rate");
    let mut seen: Vec<(&Url, String)> = Vec::new();
    for (index, address) in addresses.iter().enumerate() {
        let host = address.host_str().unwrap_or_default();
        let label = address.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let another = seen.iter().any(|(other, taken)| *taken == label && *other != address);
        seen.push((address, if another { format!("{label}#{}", index + 1) } else { label }));
    }
    let endpoint = |(address, label): (&Url, String)| EndpointConfig {
        label: label.into(),
        client: Gateway::at(address, client.clone()),
        region: None,
        emergency: false,
        reads: rate,
        sends: rate,
    };
    seen.into_iter().map(endpoint).collect()
}
