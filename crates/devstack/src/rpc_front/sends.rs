//! Transactions that are taken and not carried out at once.

use std::sync::Arc;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use solana_sdk::transaction::VersionedTransaction;
use tokio::time::sleep;

use super::upstream::Upstream;
use crate::faults::HoldBack;

/// Answers a `sendTransaction` as a node does that takes it, and holds it back. Its preflight finds nothing
/// wrong. None where it is no such call, or not in base64 as every client of today sends it.
pub(super) fn taken(chain: &Arc<Upstream>, body: &[u8], hold_back: HoldBack) -> Option<Response> {
    let mut call: Value =
        serde_json::from_slice(body).ok().filter(|call: &Value| call["method"] == "sendTransaction")?;
    let wire = BASE64_STANDARD.decode(call.pointer("/params/0")?.as_str()?).ok()?;
    let transaction: VersionedTransaction = bincode::deserialize(&wire).ok()?;
    let signature = transaction.signatures.first()?.to_string();
    let answer = json!({ "jsonrpc": "2.0", "id": call["id"], "result": signature });
    if let HoldBack::For(time) = hold_back {
        let chain = Arc::clone(chain);
        call["params"][1]["skipPreflight"] = json!(true);
        tokio::spawn(async move {
            sleep(time).await;
            chain.reply(&call).await.ok();
        });
    }
    Some(Json(answer).into_response())
}
