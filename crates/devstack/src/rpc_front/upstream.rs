//! The one chain behind all fronts.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use axum::{
    body::Body,
    http::{HeaderValue, Method, Request, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

use crate::chain::History;

/// The chain as all fronts together know it.
#[derive(Debug)]
pub(crate) struct Upstream {
    client: Client<HttpConnector, Full<Bytes>>,
    chain: Uri,
    /// What its accounts were.
    pub(super) history: Arc<History>,
}

impl Upstream {
    /// The chain whose JSON-RPC answers at `chain`, and its past.
    pub(crate) fn new(chain: SocketAddr, history: Arc<History>) -> Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            chain: Uri::try_from(format!("http://{chain}/"))?,
            history,
        })
    }

    /// Passes the bytes on as they are, both ways.
    pub(super) async fn pass(&self, body: Bytes) -> Response {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.chain.clone();
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match self.client.request(request).await {
            Ok(response) => response.map(Body::new),
            Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        }
    }

    /// The chain's reply to one call.
    pub(super) async fn reply(&self, call: &Value) -> Result<Value> {
        let response = self.pass(call.to_string().into()).await;
        let bytes = response.into_body().collect().await?.to_bytes();
        serde_json::from_slice(&bytes).context("the chain answered something else than JSON")
    }

    /// What the chain answers to a question of our own.
    pub(super) async fn ask(&self, method: &str, params: Value) -> Result<Value> {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        Ok(self.reply(&call).await?["result"].take())
    }
}
