//! Several endpoints of one cluster: a call goes to the best of them, and to the next one where it fails.

use std::sync::{Arc, OnceLock};

use futures::future::join_all;
use resilience::{Dependency, EndpointConfig, EndpointHealth, InvalidPool, Jitter, Pool};
use solana_client::rpc_request::RpcRequest;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::endpoint::{Endpoint, Sender};
use crate::http_sender::HttpRpcSender;
use crate::rpc_error::{RpcError, RpcErrorKind};
use crate::settings::{EndpointAddress, EndpointsSettings};
use crate::slots::Tips;

/// The endpoints of one cluster.
#[derive(Debug)]
pub struct Endpoints {
    pub(crate) pool: Pool<Endpoint>,
    pub(crate) attempts: usize,
    pub(crate) jitter: Arc<Jitter>,
    pub(crate) tips: Tips,
    pub(crate) line: Dependency,
    pub(crate) open: watch::Sender<bool>,
    expected_genesis: Arc<OnceLock<String>>,
}

/// Endpoints that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointsError {
    /// They make no sense.
    #[error("RPC endpoints: {0}")]
    Invalid(#[from] InvalidPool),
    /// TLS could not be set up.
    #[error("HTTP client: {0}")]
    Client(reqwest::Error),
}

/// What the endpoints said of the cluster they serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterCheck {
    /// The genesis hash that all who answered have in common.
    pub genesis: String,
    /// Who did not answer. They are asked again before their first use.
    pub unreachable: Vec<RpcError>,
}

impl Endpoints {
    /// Endpoints over HTTP, in order of preference.
    ///
    /// # Errors
    /// [`EndpointsError`], where the list or the settings make no sense or TLS cannot be set up.
    pub fn connect(
        addresses: impl IntoIterator<Item = EndpointAddress>,
        settings: EndpointsSettings,
        jitter: Arc<Jitter>,
    ) -> Result<Self, EndpointsError> {
        let client = HttpRpcSender::client(settings.timeout).map_err(EndpointsError::Client)?;
        let senders = addresses.into_iter().map(|address| {
            let sender = HttpRpcSender::new(client.clone(), address.url.clone(), address.label.as_str().into());
            (address, Arc::new(sender) as Sender)
        });
        Self::over(senders, settings, jitter)
    }

    /// Endpoints over any senders. Their addresses are not used.
    ///
    /// # Errors
    /// [`EndpointsError::Invalid`].
    pub fn over(
        senders: impl IntoIterator<Item = (EndpointAddress, Sender)>,
        settings: EndpointsSettings,
        jitter: Arc<Jitter>,
    ) -> Result<Self, EndpointsError> {
        let expected_genesis = Arc::new(OnceLock::new());
        let configs = senders.into_iter().map(|(address, sender)| {
            let label: Arc<str> = address.label.into();
            EndpointConfig {
                client: Endpoint::new(Arc::clone(&label), sender, Arc::clone(&expected_genesis)),
                label,
                region: address.region.map(Arc::from),
                emergency: address.emergency,
                reads: settings.reads,
                sends: settings.sends,
            }
        });
        let pool = Pool::new(configs.collect(), settings.pool, Arc::clone(&jitter))?;
        // Failing over is at once and costs no try: every endpoint is asked at least once.
        let attempts = usize::try_from(settings.attempts).unwrap_or(usize::MAX).max(pool.endpoints().count());
        let (tips, open, line) = (Tips::default(), watch::Sender::new(true), settings.line);
        Ok(Self { pool, attempts, jitter, tips, line, open, expected_genesis })
    }

    /// Every endpoint, in order of preference, those for emergencies last.
    pub fn list(&self) -> impl Iterator<Item = &Endpoint> {
        self.pool.endpoints().map(|endpoint| endpoint.client())
    }

    /// How every endpoint is.
    #[must_use]
    pub fn health(&self) -> Vec<EndpointHealth> {
        self.pool.health()
    }

    /// Checks that all endpoints serve one cluster: the one whose genesis hash is `expected`, or, where none is on
    /// record, the one of the first endpoint that answers. From then on an endpoint that could not be asked is checked
    /// before its first use, and one of another cluster is refused for ever.
    ///
    /// # Errors
    /// [`RpcErrorKind::WrongCluster`] of the first endpoint that serves another one; where none is expected and none
    /// answers, the first one's failure.
    pub async fn check_cluster(&self, expected: Option<&str>) -> Result<ClusterCheck, RpcError> {
        let asked = self.pool.endpoints().map(async |endpoint| {
            let began = Instant::now();
            let genesis = endpoint.client().genesis().await;
            endpoint.probed(genesis.as_ref().map(|_| began.elapsed()).map_err(RpcError::fault));
            (endpoint.client(), genesis)
        });
        let mut common = expected.map(str::to_owned);
        let (mut unreachable, mut trusted) = (Vec::new(), Vec::new());
        for (endpoint, genesis) in join_all(asked).await {
            match genesis {
                Ok(genesis) if common.as_ref().is_some_and(|common| *common != genesis) => {
                    let kind = RpcErrorKind::WrongCluster { genesis };
                    return Err(RpcError::new(endpoint.label(), RpcRequest::GetGenesisHash, kind));
                }
                Ok(genesis) => {
                    common = Some(genesis);
                    trusted.push(endpoint);
                }
                Err(error) => unreachable.push(error),
            }
        }
        let Some(genesis) = common else { return Err(unreachable.swap_remove(0)) };
        if !trusted.is_empty() {
            self.tell(None);
        }
        trusted.into_iter().for_each(Endpoint::trust);
        let genesis = self.expected_genesis.get_or_init(|| genesis).clone();
        Ok(ClusterCheck { genesis, unreachable })
    }
}
