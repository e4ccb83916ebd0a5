//! How pin server and gateways fail when they are told to.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, Collected};
use serde_json::{Value, json};

use super::content_id;
use super::pin_server::MAX_UPLOAD;
use crate::faults::{Cut, FaultKind, Switch};

/// What a pin server is asked for, as faults name it.
pub(crate) const PIN_METHODS: [&str; 6] = ["authenticate", "delete", "get", "list", "update", "upload"];

/// Before every request to a pin server.
pub(super) async fn pins(State(switch): State<Switch>, request: Request, next: Next) -> Result<Response, Cut> {
    let met = switch.meet(&[method_of(&request)]);
    if met.has(FaultKind::HalfUpload) {
        read_half(request.into_body()).await;
        return Err(Cut);
    }
    if let Some(answer) = met.before().await? {
        // Closing on a client that is still sending would look like another fault.
        to_bytes(request.into_body(), MAX_UPLOAD).await.ok();
        return Ok(answer);
    }
    let answer = next.run(request).await;
    met.after(if met.has(FaultKind::WrongCid) { with_other_cid(answer).await } else { answer })
}

/// Before every request to a gateway.
pub(super) async fn gateway(State(switch): State<Switch>, request: Request, next: Next) -> Result<Response, Cut> {
    let met = switch.meet(&[]);
    if let Some(answer) = met.before().await? {
        return Ok(answer);
    }
    let answer = next.run(request).await;
    met.after(if met.has(FaultKind::OtherBytes) { with_other_bytes(answer).await } else { answer })
}

/// By the shape of the path: `/v3/files`, `/v3/files/{network}`, `/v3/files/{network}/{id}`, or none of them.
fn method_of(request: &Request) -> &'static str {
    let path = request.uri().path();
    let below = path.strip_prefix("/v3/files").map(|below| below.matches('/').count());
    match (below, request.method()) {
        (None, _) => "authenticate",
        (Some(0), _) | (Some(_), &Method::PATCH | &Method::HEAD) => "upload",
        (Some(1), _) => "list",
        (Some(_), &Method::PUT) => "update",
        (Some(_), &Method::DELETE) => "delete",
        (Some(_), _) => "get",
    }
}

async fn read_half(body: Body) {
    let half = axum::body::HttpBody::size_hint(&body).lower() / 2;
    let mut pieces = body.into_data_stream();
    let mut read = 0;
    while read <= half
        && let Some(Ok(piece)) = pieces.next().await
    {
        read += piece.len() as u64;
    }
}

async fn with_other_cid(answer: Response) -> Response {
    rewritten(answer, |bytes| {
        let mut answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if let Some(cid) = answer.pointer_mut("/data/cid") {
            *cid = json!(content_id(b"something else").to_string());
        }
        answer.to_string().into()
    })
    .await
}

/// As long as the content, and a lie from its first byte on.
async fn with_other_bytes(answer: Response) -> Response {
    rewritten(answer, |bytes| bytes.iter().map(|byte| !byte).collect()).await
}

async fn rewritten(answer: Response, rewrite: impl FnOnce(Bytes) -> Bytes) -> Response {
    let (mut head, body) = answer.into_parts();
    let bytes = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    head.headers.remove(axum::http::header::CONTENT_LENGTH);
    let bytes = if head.status.is_success() { rewrite(bytes) } else { bytes };
    Response::from_parts(head, Body::from(bytes))
}
