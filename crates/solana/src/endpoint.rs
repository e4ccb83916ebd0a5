//! One RPC endpoint: its calls are counted, its answers typed, and another cluster behind it is found out.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;
use serde_json::Value;
use solana_client::rpc_request::RpcRequest;
use solana_client::rpc_sender::RpcSender;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::metrics;
use crate::rpc_error::{RpcError, RpcErrorKind};

/// What a call is sent through; a simulated chain brings its own.
pub type Sender = Arc<dyn RpcSender + Send + Sync>;

/// One endpoint of the list. Whoever calls it by itself goes past its budget and its breaker: that is for looking at it.
pub struct Endpoint {
    label: Arc<str>,
    sender: Sender,
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
        Self { label, sender, expected_genesis, checked: OnceCell::new() }
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
        self.parse(request, self.ask(request, params).await?)
    }

    /// One request, likewise, for whatever it is answered with.
    pub(crate) async fn ask(&self, request: RpcRequest, params: Value) -> Result<Value, RpcError> {
        if let Some(expected) = self.expected_genesis.get() {
            self.checked.get_or_try_init(|| self.check_genesis(expected)).await?;
        }
        self.request(request, params).await
    }

    pub(crate) fn parse<T: DeserializeOwned>(&self, request: RpcRequest, answer: Value) -> Result<T, RpcError> {
        serde_json::from_value(answer).map_err(|error| self.unparsable(request, &error))
    }

    pub(crate) fn unparsable(&self, request: RpcRequest, what: &impl ToString) -> RpcError {
        let error = RpcError::unparsable(&self.label, request, what);
        metrics::failed(&error);
        error
    }

    pub(crate) async fn genesis(&self) -> Result<String, RpcError> {
        let request = RpcRequest::GetGenesisHash;
        self.parse(request, self.request(request, Value::Null).await?)
    }

    /// Its genesis hash was asked for, and is the expected one.
    pub(crate) fn trust(&self) {
        // Set already, it says the same.
        let _ = self.checked.set(());
    }

    async fn check_genesis(&self, expected: &str) -> Result<(), RpcError> {
        let genesis = self.genesis().await?;
        if genesis == expected {
            return Ok(());
        }
        Err(RpcError::new(&self.label, RpcRequest::GetGenesisHash, RpcErrorKind::WrongCluster { genesis }))
    }

    async fn request(&self, request: RpcRequest, params: Value) -> Result<Value, RpcError> {
        let started = Instant::now();
        let answer = self.sender.send(request, params).await;
        metrics::called(&self.label, request.as_str(), started.elapsed().as_secs_f64());
        answer.map_err(|error| {
            let error = RpcError::new(&self.label, request, RpcErrorKind::of(error));
            metrics::failed(&error);
            error
        })
    }
}
