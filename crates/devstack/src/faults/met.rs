//! The faults that one HTTP request meets.

use std::time::Duration;

use axum::{
    Json,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde_json::json;
use tokio::time::sleep;

use super::{Cut, FaultKind, Switch};

/// The faults of one request, in the order in which they were set.
#[derive(Debug)]
pub(crate) struct Met {
    switch: Switch,
    faults: Vec<(u64, FaultKind)>,
}

/// How long a transaction that was taken is not carried out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HoldBack {
    /// So long.
    For(Duration),
    /// It is lost.
    ForEver,
}

impl Met {
    pub(super) const fn new(switch: Switch, faults: Vec<(u64, FaultKind)>) -> Self {
        Self { switch, faults }
    }

    /// What happens before the request is carried out; an answer where it is not to be.
    pub(crate) async fn before(&self) -> Result<Option<Response>, Cut> {
        for (id, kind) in &self.faults {
            match *kind {
                FaultKind::Delay(by) => sleep(by).await,
                FaultKind::Hang => {
                    self.switch.until_gone(*id).await;
                    return Err(Cut);
                }
                FaultKind::Reset => return Err(Cut),
                FaultKind::Status(status) => return Ok(Some(of_status(status))),
                FaultKind::TooMany(retry_after) => return Ok(Some(too_many(retry_after))),
                FaultKind::Garbage => return Ok(Some(Html("<html><h1>It works!</h1>").into_response())),
                FaultKind::OverQuota => return Ok(Some(over_quota())),
                FaultKind::DropReply
                | FaultKind::NullStatuses
                | FaultKind::Behind(_)
                | FaultKind::Swallow
                | FaultKind::Late(_)
                | FaultKind::Fork(_)
                | FaultKind::WrongCid
                | FaultKind::HalfUpload
                | FaultKind::OtherBytes
                | FaultKind::Refused
                | FaultKind::Cut(_)
                | FaultKind::Kill(_)
                | FaultKind::Deadlock
                | FaultKind::SerializationFailure => {}
            }
        }
        Ok(None)
    }

    /// What becomes of the answer once the request is carried out.
    pub(crate) fn after(&self, answer: Response) -> Result<Response, Cut> {
        if self.has(FaultKind::DropReply) { Err(Cut) } else { Ok(answer) }
    }

    /// Whether this is among them.
    pub(crate) fn has(&self, kind: FaultKind) -> bool {
        self.faults.iter().any(|(_, other)| *other == kind)
    }

    /// Whether a transaction is taken without being carried out at once.
    pub(crate) fn holds_back(&self) -> Option<HoldBack> {
        self.faults.iter().find_map(|(_, kind)| match *kind {
            FaultKind::Swallow => Some(HoldBack::ForEver),
            FaultKind::Late(by) => Some(HoldBack::For(by)),
            _ => None,
        })
    }

    /// How many slots behind the endpoint is.
    pub(crate) fn slots_behind(&self) -> u64 {
        let slots = |kind: FaultKind| if let FaultKind::Behind(slots) = kind { slots } else { 0 };
        self.faults.iter().map(|(_, kind)| slots(*kind)).max().unwrap_or(0)
    }
}

fn of_status(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    refusal(status, status.canonical_reason().unwrap_or("Out of order"))
}

fn too_many(retry_after: Option<Duration>) -> Response {
    let mut answer = refusal(StatusCode::TOO_MANY_REQUESTS, "Too many requests");
    if let Some(time) = retry_after {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}

/// What Pinata says when a plan is used up.
fn over_quota() -> Response {
    refusal(StatusCode::FORBIDDEN, "Account blocked due to plan usage limit")
}

/// In the form that both Pinata and RPC providers use.
fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": { "code": status.as_u16(), "message": message } }))).into_response()
}
