//! What stands in front of the chain: an RPC endpoint as a provider offers it, which counts the calls.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, State},
    http::{HeaderValue, Request, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::Deserialize;
use tokio::{net::TcpListener, task::JoinHandle};

/// What the chain's own server takes.
const LARGEST_REQUEST: usize = 15 * 1024 * 1024;

/// One endpoint. Closed when dropped.
#[derive(Debug)]
pub(crate) struct RpcFront {
    address: SocketAddr,
    counts: Arc<Counts>,
    server: JoinHandle<()>,
}

impl RpcFront {
    /// Listens on `port` of loopback and hands every call to `chain`.
    pub(crate) async fn start(port: u16, chain: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let counts = Arc::new(Counts::default());
        let front = Arc::new(Front {
            client: Client::builder(TokioExecutor::new()).build(connector),
            chain: Uri::try_from(format!("http://{chain}/"))?,
            counts: Arc::clone(&counts),
        });
        let routes = Router::new()
            .route("/", post(forward))
            .route("/_counts", get(async |State(front): State<Arc<Front>>| Json(front.counts.by_method())))
            .route("/_counts/reset", post(async |State(front): State<Arc<Front>>| front.counts.reset()))
            .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
            .with_state(front);
        let listener = listener.tap_io(|stream| {
            stream.set_nodelay(true).ok();
        });
        let server = tokio::spawn(async move {
            axum::serve(listener, routes).await.ok();
        });
        Ok(Self { address, counts, server })
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The calls so far.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.by_method()
    }

    /// Starts counting anew.
    pub(crate) fn reset_counts(&self) {
        self.counts.reset();
    }
}

impl Drop for RpcFront {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Debug)]
struct Front {
    client: Client<HttpConnector, Full<Bytes>>,
    chain: Uri,
    counts: Arc<Counts>,
}

/// Passes the bytes on as they are, both ways.
async fn forward(State(front): State<Arc<Front>>, body: Bytes) -> Response {
    front.counts.count(&body);
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = axum::http::Method::POST;
    *request.uri_mut() = front.chain.clone();
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    match front.client.request(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

/// Calls by JSON-RPC method.
#[derive(Debug, Default)]
struct Counts(Mutex<BTreeMap<String, u64>>);

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
}

impl Counts {
    /// Counts the call, or each call of a batch. What is no call is the chain's to refuse.
    fn count(&self, body: &[u8]) {
        let is_batch = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
        let calls: Vec<Call<'_>> = if is_batch {
            serde_json::from_slice(body).unwrap_or_default()
        } else {
            serde_json::from_slice(body).into_iter().collect()
        };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for call in calls {
            if let Some(count) = counts.get_mut(call.method.as_ref()) {
                *count += 1;
            } else {
                counts.insert(call.method.into_owned(), 1);
            }
        }
    }

    fn by_method(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reset(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_a_batch_counts() {
        let counts = Counts::default();
        counts.count(br#"{"jsonrpc":"2.0","id":1,"method":"getSlot"}"#);
        counts.count(br#" [{"method":"getSlot","params":[{"method":"not this"}]},{"method":"getHealth"}]"#);
        counts.count(b"not a call");
        assert_eq!(counts.by_method(), BTreeMap::from([("getSlot".into(), 2), ("getHealth".into(), 1)]));
        counts.reset();
        assert!(counts.by_method().is_empty());
    }
}
