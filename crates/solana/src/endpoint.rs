//! One RPC endpoint: its calls are counted, its answers typed, and another cluster behind it is found out.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use domain::FailureClass;
use serde::de::DeserializeOwned;
use serde_json::Value;
use solana_client::rpc_request::RpcRequest;
use solana_client::rpc_sender::RpcSender;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::metrics;
use crate::rpc_error::{RpcError, RpcErrorKind};

/// How long an endpoint that failed comes last.
const LAST_AFTER_FAILURE: Duration = Duration::from_secs(10);
/// How long one comes last that is only a little behind the others.
const LAST_WHEN_BEHIND: Duration = Duration::from_secs(1);
/// The longest `Retry-After` that is believed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(2);

/// What a call is sent through; a simulated chain brings its own.
pub type Sender = Arc<dyn RpcSender + Send + Sync>;

/// One endpoint of the list.
pub struct Endpoint {
    label: Arc<str>,
    sender: Sender,
    last_until: Mutex<Option<Instant>>,
    expected_genesis: Arc<OnceLock<String>>,
    checked: OnceCell<()>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("label", &self.label).finish_non_exhaustive()
    }
}

impl Endpoint {
    pub(crate) fn new(label: Arc<str>, sender: Sender, expected_genesis: Arc<OnceLock<String>>) -> Self {
        Self { label, sender, last_until: Mutex::new(None), expected_genesis, checked: OnceCell::new() }
    }

    /// What it is called wherever it is shown.
    #[must_use]
    pub const fn label(&self) -> &Arc<str> {
        &self.label
    }

    /// One request. Before the first one the endpoint has to show that it serves the expected cluster.
    ///
    /// # Errors
    /// [`RpcError`]; an answer of another shape than `T` is one too.
    pub async fn call<T: DeserializeOwned>(&self, request: RpcRequest, params: Value) -> Result<T, RpcError> {
        if let Some(expected) = self.expected_genesis.get() {
            self.checked.get_or_try_init(|| self.check_genesis(expected)).await?;
        }
        self.request(request, params).await
    }

    pub(crate) async fn genesis(&self) -> Result<String, RpcError> {
        self.request(RpcRequest::GetGenesisHash, Value::Null).await
    }

    async fn check_genesis(&self, expected: &str) -> Result<(), RpcError> {
        let genesis = self.genesis().await?;
        if genesis == expected {
            return Ok(());
        }
        let error = RpcError::new(&self.label, RpcRequest::GetGenesisHash, RpcErrorKind::WrongCluster { genesis });
        self.comes_last(None);
        Err(error)
    }

    async fn request<T: DeserializeOwned>(&self, request: RpcRequest, params: Value) -> Result<T, RpcError> {
        let started = Instant::now();
        let answer = self.sender.send(request, params).await;
        metrics::called(&self.label, request.as_str(), started.elapsed().as_secs_f64());
        let answer = match answer {
            Ok(value) => {
                serde_json::from_value(value).map_err(|error| RpcError::unparsable(&self.label, request, &error))
            }
            Err(error) => Err(RpcError::new(&self.label, request, RpcErrorKind::of(error))),
        };
        if let Err(error) = &answer {
            metrics::failed(error);
            if error.elsewhere() {
                let behind = (error.class() == FailureClass::Degraded).then_some(LAST_WHEN_BEHIND);
                self.comes_last(error.retry_after().or(behind));
            }
        }
        answer
    }

    fn comes_last(&self, pause: Option<Duration>) {
        let pause = pause.unwrap_or(LAST_AFTER_FAILURE).min(LONGEST_RETRY_AFTER);
        *self.last_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + pause);
    }

    /// Whether it failed a short while ago.
    pub(crate) fn is_last(&self) -> bool {
        let last_until = *self.last_until.lock().unwrap_or_else(PoisonError::into_inner);
        last_until.is_some_and(|until| Instant::now() < until)
    }
}
