//! Uploads that break off and go on.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use futures::StreamExt as _;
use ipfs::{BLOCK, Content, PinError, PinProvider as _, Pinata, PinataOptions};

use crate::server::serve;

/// What the server does to a piece.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Keeps half of it, and closes the connection.
    Half,
    /// Keeps all of it, and closes the connection.
    LoseTheAnswer,
    /// Keeps nothing, and answers with this status.
    Refuse(u16),
    /// Has forgotten the upload.
    Forget,
}

/// One upload at a time, as Pinata has them.
#[derive(Debug, Default)]
struct Server {
    length: u64,
    metadata: HashMap<String, String>,
    held: Option<Vec<u8>>,
    created: u32,
    pieces: u32,
    faults: VecDeque<Fault>,
}

type Shared = Arc<Mutex<Server>>;

/// 9 MiB, of which no two blocks are alike: three pieces.
fn content() -> Content {
    Content::new((0_u32..9 << 18).flat_map(u32::to_le_bytes).collect::<Vec<u8>>(), "image/png")
}

async fn rig(faults: impl IntoIterator<Item = Fault>) -> (Pinata, Shared) {
    let server = Shared::new(Mutex::new(Server { faults: faults.into_iter().collect(), ..Server::default() }));
    let router = Router::new()
        .route("/v3/files", post(create))
        .route("/v3/files/1", patch(append).head(offset))
        .route("/v3/files/public", get(list))
        .with_state(Arc::clone(&server));
    let at = serve(router).await;
    let options = PinataOptions { api: at.clone(), uploads: at, jwt: "jwt".into(), timeout: Duration::from_secs(10) };
    (Pinata::new(options).unwrap().resumable_above(1 << 20), server)
}

fn number(headers: &HeaderMap, name: &str) -> u64 {
    headers[name].to_str().unwrap().parse().unwrap()
}

async fn create(State(server): State<Shared>, headers: HeaderMap) -> impl IntoResponse {
    assert_eq!(headers["tus-resumable"], "1.0.0");
    assert_eq!(headers["authorization"], "Bearer jwt");
    let mut server = server.lock().unwrap();
    server.created += 1;
    server.length = number(&headers, "upload-length");
    let metadata = headers["upload-metadata"].to_str().unwrap().split(',').map(|entry| entry.split_once(' ').unwrap());
    server.metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    server.held = Some(Vec::new());
    (StatusCode::CREATED, [("location", "/v3/files/1")])
}

async fn offset(State(server): State<Shared>) -> Response {
    match &server.lock().unwrap().held {
        Some(held) => [("upload-offset", held.len().to_string())].into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn append(State(server): State<Shared>, headers: HeaderMap, body: Body) -> Response {
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut server = server.lock().unwrap();
    server.pieces += 1;
    let fault = server.faults.pop_front();
    if let Some(Fault::Forget) = fault {
        server.held = None;
    }
    let Some(held) = server.held.as_mut() else { return StatusCode::NOT_FOUND.into_response() };
    if number(&headers, "upload-offset") != held.len() as u64 {
        return StatusCode::CONFLICT.into_response();
    }
    let hang_up = || Body::from_stream(futures::stream::once(async { Err::<Bytes, _>("gone") }).boxed());
    match fault {
        Some(Fault::Half) => {
            held.extend_from_slice(&body[..body.len() / 2]);
            // An answer of no use, to which nobody waits for the end.
            return (StatusCode::BAD_GATEWAY, hang_up()).into_response();
        }
        Some(Fault::LoseTheAnswer) => {
            held.extend_from_slice(&body);
            return (StatusCode::GATEWAY_TIMEOUT, hang_up()).into_response();
        }
        Some(Fault::Refuse(status)) => return StatusCode::from_u16(status).unwrap().into_response(),
        Some(Fault::Forget) | None => held.extend_from_slice(&body),
    }
    let reached = held.len() as u64;
    let mut answer = (StatusCode::NO_CONTENT, [("upload-offset", reached.to_string())]).into_response();
    if reached == server.length {
        answer.headers_mut().insert("upload-cid", content().cid().as_str().parse().unwrap());
    }
    answer
}

async fn list(State(server): State<Shared>) -> String {
    let server = server.lock().unwrap();
    let whole = server.held.as_ref().is_some_and(|held| held.len() as u64 == server.length);
    let files = if whole { format!(r#"{{"id":"1","cid":"{}"}}"#, content().cid()) } else { String::new() };
    format!(r#"{{"data":{{"files":[{files}]}}}}"#)
}

fn whole(server: &Shared) -> bool {
    let server = server.lock().unwrap();
    let held = server.held.as_ref().unwrap();
    // The last leaf ends the CAR.
    held.len() as u64 == server.length && held.ends_with(&content().bytes()[(9 << 20) - BLOCK..])
}

#[tokio::test]
async fn a_large_content_goes_in_pieces_as_a_car() {
    let (pinata, server) = rig([]).await;
    assert_eq!(pinata.pin(&content()).await, Ok(()));
    assert!(whole(&server));
    let server = server.lock().unwrap();
    assert_eq!((server.created, server.pieces), (1, 3));
    // "public" and "true" in base64.
    assert_eq!((server.metadata["network"].as_str(), server.metadata["car"].as_str()), ("cHVibGlj", "dHJ1ZQ=="));
}

#[tokio::test]
async fn a_broken_connection_costs_what_was_under_way() {
    let (pinata, server) = rig([Fault::Half, Fault::LoseTheAnswer]).await;
    assert_eq!(pinata.pin(&content()).await, Ok(()));
    assert!(whole(&server));
    assert_eq!(server.lock().unwrap().created, 1);
}

#[tokio::test]
async fn a_complete_upload_whose_last_answer_is_lost_is_looked_up() {
    let (pinata, server) = rig([Fault::Half, Fault::Half, Fault::LoseTheAnswer, Fault::LoseTheAnswer]).await;
    assert_eq!(pinata.pin(&content()).await, Ok(()));
    assert!(whole(&server));
}

#[tokio::test]
async fn without_progress_it_is_given_up_and_goes_on_the_next_time() {
    let (pinata, server) = rig([Fault::Half, Fault::Refuse(503)]).await;
    let error = pinata.pin(&content()).await.unwrap_err();
    assert!(matches!(error, PinError::Server { status: 503, .. }), "{error}");
    let held = server.lock().unwrap().held.as_ref().unwrap().len();
    assert!(held > 0);
    assert_eq!(pinata.pin(&content()).await, Ok(()));
    assert_eq!(server.lock().unwrap().created, 1);
}

#[tokio::test]
async fn an_upload_that_is_gone_is_begun_anew_the_next_time() {
    let (pinata, server) = rig([Fault::Half, Fault::Forget]).await;
    let error = pinata.pin(&content()).await.unwrap_err();
    assert!(matches!(error, PinError::Misplaced { status: 404, .. }), "{error}");
    assert_eq!(pinata.pin(&content()).await, Ok(()));
    assert!(whole(&server));
    assert_eq!(server.lock().unwrap().created, 2);
}

#[tokio::test]
async fn a_server_that_wants_rest_loses_nothing() {
    let (pinata, server) = rig([Fault::Half, Fault::Refuse(429)]).await;
    let error = pinata.pin(&content()).await.unwrap_err();
    assert!(matches!(error, PinError::RateLimited { .. }), "{error}");
    assert_eq!(pinata.pin(&content()).await, Ok(()));
    assert_eq!(server.lock().unwrap().created, 1);
}
