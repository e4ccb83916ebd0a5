//! An IPFS path gateway over what the pin servers hold (<https://specs.ipfs.tech/http-gateways/path-gateway/>).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use cid::Cid;
use serde::Deserialize;

use super::car;
use super::failing;
use super::media::sniff;
use super::pin_server::{Account, PinServer};
use super::tally::Tally;
use crate::faults::{HttpGate, Switch};
use crate::ports::loopback;

const KINDS: [&str; 3] = ["found", "invalid", "missing"];

/// A running gateway. It ends when this is dropped.
///
/// `GET {url}/ipfs/{cid}` serves public content, `GET {url}/_counts` tells how often it did.
#[derive(Debug)]
pub struct Gateway {
    gate: HttpGate,
}

struct Shelf {
    accounts: Vec<Arc<Account>>,
    counts: Tally,
}

impl Gateway {
    /// Serves, on a free port of the loopback, what any of `pins` holds at that moment; fails as `switch` says.
    ///
    /// # Errors
    /// Where no port is free.
    pub async fn start(pins: &[&PinServer], switch: &Switch) -> anyhow::Result<Self> {
        Self::start_at(loopback(0), pins, switch).await
    }

    /// The same at a given address.
    ///
    /// # Errors
    /// Where it is taken.
    pub async fn start_at(address: SocketAddr, pins: &[&PinServer], switch: &Switch) -> anyhow::Result<Self> {
        let accounts = pins.iter().map(|pins| pins.account()).collect();
        let shelf = Arc::new(Shelf { accounts, counts: Tally::of(&KINDS) });
        let router = Router::new()
            .route("/ipfs/{cid}", get(content))
            .route("/ipfs/{cid}/{*path}", get(below))
            .layer(middleware::from_fn(allow_every_origin))
            .layer(middleware::from_fn_with_state(switch.clone(), failing::gateway))
            .route("/_counts", get(counts))
            .with_state(shelf);
        let gate = HttpGate::open(address, switch.clone(), router).await.with_context(|| address.to_string())?;
        Ok(Self { gate })
    }

    /// Where it answers, such as `http://127.0.0.1:40124`; contents are at `{url}/ipfs/{cid}`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.gate.address())
    }
}

#[derive(Deserialize)]
struct Form {
    format: Option<String>,
}

async fn content(
    State(shelf): State<Arc<Shelf>>,
    Path(cid): Path<String>,
    Query(form): Query<Form>,
    asked: HeaderMap,
) -> Response {
    let Some(name) = Cid::try_from(cid.as_str()).ok().and_then(|cid| cid.into_v1().ok()).map(|cid| cid.to_string())
    else {
        shelf.counts.note("invalid");
        return (StatusCode::BAD_REQUEST, format!("{cid:?} is no content id\n")).into_response();
    };
    let held = shelf.accounts.iter().find_map(|account| account.pins.public_content(&name));
    let Some(path) = held else { return missing(&shelf, &name) };
    // Whoever unpins it at this moment wins.
    let Ok(bytes) = tokio::fs::read(path).await else { return missing(&shelf, &name) };
    shelf.counts.note("found");
    let tag = format!("\"{name}\"");
    if asked.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    if form.format.as_deref() == Some("car") {
        let headers = [(header::CONTENT_TYPE, "application/vnd.ipld.car; version=1"), (header::VARY, "Accept")];
        return match car::pack(&bytes).await {
            Ok(car) => (headers, car).into_response(),
            Err(problem) => (StatusCode::INTERNAL_SERVER_ERROR, problem.to_string()).into_response(),
        };
    }
    let headers = [
        (header::CONTENT_TYPE, sniff(&bytes).to_owned()),
        (header::CACHE_CONTROL, "public, max-age=29030400, immutable".to_owned()),
        (header::ETAG, tag),
        (HeaderName::from_static("x-ipfs-path"), format!("/ipfs/{name}")),
        (HeaderName::from_static("x-ipfs-roots"), name),
    ];
    (headers, bytes).into_response()
}

async fn below(State(shelf): State<Arc<Shelf>>, Path((cid, path)): Path<(String, String)>) -> Response {
    missing(&shelf, &format!("{cid}/{path}"))
}

fn missing(shelf: &Shelf, name: &str) -> Response {
    shelf.counts.note("missing");
    (StatusCode::NOT_FOUND, format!("ipfs: {name} is not pinned here\n")).into_response()
}

async fn counts(State(shelf): State<Arc<Shelf>>) -> Json<BTreeMap<&'static str, u64>> {
    Json(shelf.counts.read())
}

async fn allow_every_origin(request: Request<axum::body::Body>, next: Next) -> Response {
    let preflight = request.method() == axum::http::Method::OPTIONS;
    let mut response = if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type, Range"));
    response
}
