//! Pinata's API as its documentation and its SDK have it, over a directory.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::{
    DefaultBodyLimit, FromRequest as _, Multipart, Path as Segments, Query as Parameters, Request, State,
};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use domain::{Clock as _, SystemClock};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::failing;
use super::file::{Network, NewFile};
use super::media::sniff;
use super::pins::{Pins, Put};
use super::query::Query;
use super::tally::Tally;
use super::tus::{self, Uploads};
use super::{car, upload};
use crate::faults::{HttpGate, Switch};
use crate::ports::loopback;

/// Above this Pinata itself wants the TUS protocol.
pub(super) const MAX_UPLOAD: usize = 100 * 1024 * 1024;
const KINDS: [&str; 8] = ["authenticate", "delete", "duplicate", "get", "list", "refused", "update", "upload"];

/// A running pin server. It ends when this is dropped; its contents stay in the directory.
///
/// Uploads and API are at the same address: `{url}/v3/files`, `{url}/v3/files/public`, `{url}/data/testAuthentication`.
/// `GET {url}/_counts` tells, without a token, how often each kind of request was made.
#[derive(Debug)]
pub struct PinServer {
    account: Arc<Account>,
    gate: HttpGate,
}

pub(super) struct Account {
    jwt: String,
    pub pins: Pins,
    pub uploads: Uploads,
    counts: Tally,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("pins", &self.pins).field("counts", &self.counts).finish_non_exhaustive()
    }
}

impl PinServer {
    /// Serves on a free port of the loopback to whoever shows `jwt`, over what lies in `dir`; fails as `switch` says.
    ///
    /// # Errors
    /// Where the directory cannot be read or written, or no port is free.
    pub async fn start(jwt: &str, dir: &Path, switch: &Switch) -> anyhow::Result<Self> {
        Self::start_at(loopback(0), jwt, dir, switch).await
    }

    /// The same at a given address.
    ///
    /// # Errors
    /// Where the directory cannot be read or written, or the address is taken.
    pub async fn start_at(address: SocketAddr, jwt: &str, dir: &Path, switch: &Switch) -> anyhow::Result<Self> {
        let (pins, uploads) = (Pins::open(dir)?, Uploads::open(dir)?);
        let account = Account { jwt: jwt.to_owned(), pins, uploads, counts: Tally::of(&KINDS) };
        let account = Arc::new(account);
        let router = router(Arc::clone(&account), switch.clone());
        let gate = HttpGate::open(address, switch.clone(), router).await.with_context(|| address.to_string())?;
        Ok(Self { account, gate })
    }

    /// Where it answers, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.gate.address())
    }

    /// Requests since the start by kind, as `/_counts` tells them. `upload` counts every upload, `duplicate` those
    /// among them whose content was pinned already, `refused` those without the right token.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.account.counts.read()
    }

    pub(super) fn account(&self) -> Arc<Account> {
        Arc::clone(&self.account)
    }
}

fn router(account: Arc<Account>, switch: Switch) -> Router {
    let known = Router::new()
        .route("/v3/files", post(upload_file).layer(DefaultBodyLimit::max(MAX_UPLOAD)))
        .route("/v3/files/resumable/{id}", patch(tus::append).head(tus::offset))
        .route("/v3/files/{network}", get(list_files))
        .route("/v3/files/{network}/{id}", get(get_file).put(update_file).delete(delete_file))
        .route("/data/testAuthentication", get(authenticate))
        // Where the SDK looks once it is given an endpoint of its own.
        .route("/v3/data/testAuthentication", get(authenticate))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&account), require_token))
        .route_layer(middleware::from_fn_with_state(switch, failing::pins));
    known.route("/_counts", get(counts)).with_state(account)
}

/// An answer other than success, in Pinata's form.
pub(super) struct Refusal(pub StatusCode, pub String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, message) = self;
        (status, Json(json!({ "error": { "code": status.as_u16(), "message": message } }))).into_response()
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

fn not_found() -> Refusal {
    Refusal(StatusCode::NOT_FOUND, "File not found".into())
}

type Answer = Result<Json<Value>, Refusal>;

async fn require_token(State(account): State<Arc<Account>>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if shown.and_then(|value| value.strip_prefix("Bearer ")) == Some(account.jwt.as_str()) {
        return next.run(request).await;
    }
    account.counts.note("refused");
    // Closing on a client that is still sending would look like a broken network to it.
    let _ = axum::body::to_bytes(request.into_body(), MAX_UPLOAD).await;
    Refusal(StatusCode::UNAUTHORIZED, "Not Authorized".into()).into_response()
}

async fn upload_file(State(account): State<Arc<Account>>, request: Request) -> Result<Response, Refusal> {
    account.counts.note("upload");
    if tus::is_meant(request.headers()) {
        return tus::create(&account, request.headers());
    }
    let bad = |problem: String| Refusal(StatusCode::BAD_REQUEST, problem);
    let form = Multipart::from_request(request, &()).await.map_err(|refused| bad(refused.body_text()))?;
    let (new, is_car) = upload::read(form).await.map_err(|problem| bad(problem.to_string()))?;
    let put = keep(&account, new, is_car).await?;
    let mut data = json!(put.file);
    if put.duplicate {
        data["is_duplicate"] = json!(true);
    }
    Ok(Json(json!({ "data": data })).into_response())
}

/// Pins what was uploaded: the file itself, or what its CAR holds.
pub(super) async fn keep(account: &Arc<Account>, mut new: NewFile, is_car: bool) -> Result<Put, Refusal> {
    if is_car {
        let unpacked = car::unpack(&new.content).await;
        new.content = unpacked.map_err(|problem| Refusal(StatusCode::BAD_REQUEST, problem.to_string()))?;
    }
    if is_car || new.mime_type.is_empty() || new.mime_type == "application/octet-stream" {
        new.mime_type = sniff(&new.content).into();
    }
    let put = blocking(account, move |pins| pins.put(new, SystemClock.now())).await?;
    if put.duplicate {
        account.counts.note("duplicate");
    }
    Ok(put)
}

async fn list_files(
    State(account): State<Arc<Account>>,
    Segments(network): Segments<Network>,
    Parameters(parameters): Parameters<BTreeMap<String, String>>,
) -> Answer {
    account.counts.note("list");
    let query = Query::parse(parameters).map_err(|problem| Refusal(StatusCode::BAD_REQUEST, problem))?;
    Ok(Json(json!({ "data": account.pins.list(network, &query) })))
}

async fn get_file(State(account): State<Arc<Account>>, Segments((network, id)): Segments<(Network, String)>) -> Answer {
    account.counts.note("get");
    let file = account.pins.get(network, &id).ok_or_else(not_found)?;
    Ok(Json(json!({ "data": file })))
}

#[derive(Debug, Deserialize)]
struct Update {
    name: Option<String>,
    keyvalues: Option<Map<String, Value>>,
}

async fn update_file(
    State(account): State<Arc<Account>>,
    Segments((network, id)): Segments<(Network, String)>,
    Json(update): Json<Update>,
) -> Answer {
    account.counts.note("update");
    let file = blocking(&account, move |pins| pins.update(network, &id, update.name, update.keyvalues)).await?;
    Ok(Json(json!({ "data": file.ok_or_else(not_found)? })))
}

async fn delete_file(
    State(account): State<Arc<Account>>,
    Segments((network, id)): Segments<(Network, String)>,
) -> Answer {
    account.counts.note("delete");
    if blocking(&account, move |pins| pins.delete(network, &id)).await? {
        Ok(Json(json!({ "data": null })))
    } else {
        Err(not_found())
    }
}

async fn authenticate(State(account): State<Arc<Account>>) -> Json<Value> {
    account.counts.note("authenticate");
    Json(json!({ "message": "Congratulations! You are communicating with the Pinata API!" }))
}

async fn counts(State(account): State<Arc<Account>>) -> Json<BTreeMap<&'static str, u64>> {
    Json(account.counts.read())
}

async fn blocking<T: Send + 'static>(
    account: &Arc<Account>,
    work: impl FnOnce(&Pins) -> io::Result<T> + Send + 'static,
) -> Result<T, Refusal> {
    let account = Arc::clone(account);
    let done = tokio::task::spawn_blocking(move || work(&account.pins)).await;
    Ok(done.map_err(io::Error::other)??)
}
