//! One HTTP request per call, and the truth about what came of it. `solana-client`'s own sender sleeps through a 429
//! and asks again, so that nobody learns of it; this one never sleeps and never repeats.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::{Clock, SystemClock};
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use resilience::retry_after;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use solana_client::client_error::{ClientError, ClientErrorKind};
use solana_client::rpc_custom_error::{
    JSON_RPC_SERVER_ERROR_NODE_UNHEALTHY, JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
    NodeUnhealthyErrorData,
};
use solana_client::rpc_request::{RpcError, RpcRequest, RpcResponseErrorData};
use solana_client::rpc_sender::{RpcSender, RpcTransportStats};
use tokio::time::Instant;

use crate::TransportFault;

/// An endpoint over HTTP.
pub struct HttpRpcSender {
    client: reqwest::Client,
    address: SecretString,
    label: Arc<str>,
    requests: AtomicU64,
    micros: AtomicU64,
}

/// Shows the label alone: the address may carry a key.
impl fmt::Debug for HttpRpcSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRpcSender").field("label", &self.label).finish_non_exhaustive()
    }
}

impl HttpRpcSender {
    /// An endpoint at `address`, called `label` wherever it is shown.
    #[must_use]
    pub fn new(client: reqwest::Client, address: SecretString, label: Arc<str>) -> Self {
        Self { client, address, label, requests: AtomicU64::new(0), micros: AtomicU64::new(0) }
    }

    /// The HTTP client that endpoints share.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
        reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .tcp_nodelay(true)
            .build()
    }

    async fn request(&self, request: RpcRequest, params: Value) -> Result<Value, ClientErrorKind> {
        let id = self.requests.fetch_add(1, Ordering::Relaxed);
        let body = request.build_request_json(id, params).to_string();
        let post = self.client.post(self.address.expose_secret()).header(CONTENT_TYPE, "application/json").body(body);
        let response = post.send().await.map_err(|error| fault(TransportFault::of(error)))?;
        let status = response.status();
        if !status.is_success() {
            let retry_after = retry_after(response.headers(), SystemClock.now().into());
            return Err(fault(match status {
                StatusCode::TOO_MANY_REQUESTS => TransportFault::RateLimited { retry_after },
                _ => TransportFault::Status { status: status.as_u16(), retry_after },
            }));
        }
        let body = response.bytes().await.map_err(|error| fault(TransportFault::of(error)))?;
        let reply: Reply = serde_json::from_slice(&body).map_err(|error| {
            fault(TransportFault::Unparsable(format!("{:?} at column {}", error.classify(), error.column())))
        })?;
        match reply {
            Reply { error: Some(error), .. } => Err(error.into()),
            Reply { result: Some(result), .. } => Ok(result),
            Reply { result: None, error: None } => {
                Err(fault(TransportFault::Unparsable("neither result nor error".to_owned())))
            }
        }
    }
}

#[async_trait]
impl RpcSender for HttpRpcSender {
    async fn send(&self, request: RpcRequest, params: Value) -> Result<Value, ClientError> {
        let started = Instant::now();
        let answer = self.request(request, params).await;
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        answer.map_err(|kind| ClientError::new_with_request(kind, request))
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats {
            request_count: usize::try_from(self.requests.load(Ordering::Relaxed)).unwrap_or(usize::MAX),
            elapsed_time: Duration::from_micros(self.micros.load(Ordering::Relaxed)),
            rate_limited_time: Duration::ZERO,
        }
    }

    /// The label: what asks for an address wants to show it.
    fn url(&self) -> String {
        self.label.to_string()
    }
}

/// Carries a fault of ours through the client's error type, from where [`crate::RpcError`] takes it out again.
fn fault(fault: TransportFault) -> ClientErrorKind {
    ClientErrorKind::Middleware(fault.into())
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default, deserialize_with = "present")]
    result: Option<Value>,
    #[serde(default)]
    error: Option<ReplyError>,
}

/// A result of null is an answer too.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct ReplyError {
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Value,
}

impl From<ReplyError> for ClientErrorKind {
    fn from(ReplyError { code, message, data }: ReplyError) -> Self {
        let data = match code {
            JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE => serde_json::from_value(data)
                .map_or(RpcResponseErrorData::Empty, RpcResponseErrorData::SendTransactionPreflightFailure),
            JSON_RPC_SERVER_ERROR_NODE_UNHEALTHY => serde_json::from_value(data)
                .map_or(RpcResponseErrorData::Empty, |NodeUnhealthyErrorData { num_slots_behind }| {
                    RpcResponseErrorData::NodeUnhealthy { num_slots_behind }
                }),
            _ => RpcResponseErrorData::Empty,
        };
        RpcError::RpcResponseError { code, message, data }.into()
    }
}
