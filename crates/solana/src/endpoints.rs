//! Several endpoints in order of preference: the next one on failure, and the one that failed comes last for a while.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use resilience::{Backoff, BackoffPolicy, Jitter};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use solana_client::rpc_request::RpcRequest;

use crate::endpoint::{Endpoint, Sender};
use crate::http_sender::HttpRpcSender;
use crate::rpc_error::{RpcError, RpcErrorKind};

/// Pauses once every endpoint has failed in a row.
const PAUSES: BackoffPolicy =
    BackoffPolicy { first: Duration::from_millis(200), factor: 2.0, cap: Duration::from_secs(4), jitter: 0.2 };

/// The endpoints of one cluster.
#[derive(Debug)]
pub struct Endpoints {
    list: Vec<Arc<Endpoint>>,
    attempts: usize,
    jitter: Arc<Jitter>,
    expected_genesis: Arc<OnceLock<String>>,
}

/// A result, and who gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The result.
    pub value: T,
    /// Label of the endpoint.
    pub endpoint: Arc<str>,
}

/// Endpoints that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointsError {
    /// There has to be one.
    #[error("no RPC endpoint is given")]
    None,
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
    /// Endpoints over HTTP: label and address of each. A call is tried `attempts` times in all, and
    /// by every endpoint at least once.
    ///
    /// # Errors
    /// [`EndpointsError`] for an empty list, or where TLS cannot be set up.
    pub fn connect(
        addresses: impl IntoIterator<Item = (String, SecretString)>,
        timeout: Duration,
        attempts: u32,
        jitter: Arc<Jitter>,
    ) -> Result<Self, EndpointsError> {
        let client = HttpRpcSender::client(timeout).map_err(EndpointsError::Client)?;
        let senders = addresses.into_iter().map(|(label, address)| {
            let label: Arc<str> = label.into();
            let sender: Sender = Arc::new(HttpRpcSender::new(client.clone(), address, Arc::clone(&label)));
            (label, sender)
        });
        Self::over(senders, attempts, jitter)
    }

    /// Endpoints over any senders.
    ///
    /// # Errors
    /// [`EndpointsError::None`] for an empty list.
    pub fn over(
        senders: impl IntoIterator<Item = (Arc<str>, Sender)>,
        attempts: u32,
        jitter: Arc<Jitter>,
    ) -> Result<Self, EndpointsError> {
        let expected_genesis = Arc::new(OnceLock::new());
        let list: Vec<_> = senders
            .into_iter()
            .map(|(label, sender)| Arc::new(Endpoint::new(label, sender, Arc::clone(&expected_genesis))))
            .collect();
        if list.is_empty() {
            return Err(EndpointsError::None);
        }
        // Failing over is at once and costs no try: every endpoint is asked at least once.
        let attempts = usize::try_from(attempts).unwrap_or(usize::MAX).max(list.len());
        Ok(Self { list, attempts, jitter, expected_genesis })
    }

    /// Every endpoint, in order of preference.
    #[must_use]
    pub fn list(&self) -> &[Arc<Endpoint>] {
        &self.list
    }

    /// The endpoints as they are to be tried now: those that failed lately come last.
    #[must_use]
    pub fn in_order(&self) -> Vec<Arc<Endpoint>> {
        let (last, mut order): (Vec<_>, Vec<_>) = self.list.iter().cloned().partition(|endpoint| endpoint.is_last());
        order.extend(last);
        order
    }

    /// Asks one endpoint after the other until one answers, pausing after each round.
    ///
    /// # Errors
    /// The first refusal that would be repeated anywhere, or the last failure.
    pub async fn ask<T: DeserializeOwned>(&self, request: RpcRequest, params: Value) -> Result<Answer<T>, RpcError> {
        let order = self.in_order();
        let mut pauses = Backoff::new(PAUSES, Arc::clone(&self.jitter));
        let mut attempts = 0;
        loop {
            for endpoint in &order {
                attempts += 1;
                match endpoint.call(request, params.clone()).await {
                    Ok(value) => return Ok(Answer { value, endpoint: Arc::clone(endpoint.label()) }),
                    Err(error) if !error.elsewhere() || attempts >= self.attempts => return Err(error),
                    Err(_) => {}
                }
            }
            tokio::time::sleep(pauses.next_pause()).await;
        }
    }

    /// Checks that all endpoints serve one cluster: the one whose genesis hash is `expected`, or, where none is on
    /// record, the one of the first endpoint that answers. From then on an endpoint that could not be asked is checked
    /// before its first use, and one of another cluster is refused for ever.
    ///
    /// # Errors
    /// [`RpcErrorKind::WrongCluster`] of the first endpoint that serves another one; the last failure where none
    /// answers.
    pub async fn check_cluster(&self, expected: Option<&str>) -> Result<ClusterCheck, RpcError> {
        let mut common = expected.map(str::to_owned);
        let mut unreachable = Vec::new();
        for endpoint in &self.list {
            match endpoint.genesis().await {
                Ok(genesis) if common.as_ref().is_some_and(|common| *common != genesis) => {
                    let kind = RpcErrorKind::WrongCluster { genesis };
                    return Err(RpcError::new(endpoint.label(), RpcRequest::GetGenesisHash, kind));
                }
                Ok(genesis) => common = Some(genesis),
                Err(error) => unreachable.push(error),
            }
        }
        let Some(genesis) = common.filter(|_| unreachable.len() < self.list.len()) else {
            return Err(unreachable.swap_remove(0));
        };
        let genesis = self.expected_genesis.get_or_init(|| genesis).clone();
        Ok(ClusterCheck { genesis, unreachable })
    }
}
