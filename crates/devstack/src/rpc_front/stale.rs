//! How an endpoint answers that does not know of the latest, or of no signature at all.

use std::time::Duration;

use anyhow::{Context, Result};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::{Value, json};

use super::upstream::Upstream;
use crate::faults::{FaultKind, Met};

/// Slots between a transaction and its finality.
const FINALITY: u64 = 31;
/// Blocks for which a blockhash is good.
const BLOCKHASH_LIFE: u64 = 150;
/// Further behind than this, an endpoint calls itself unhealthy.
const HEALTHY: u64 = 128;
const MIN_CONTEXT_SLOT_NOT_REACHED: i64 = -32016;
const NODE_UNHEALTHY: i64 = -32005;

/// How an endpoint sees the chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct StaleView {
    behind: u64,
    statusless: bool,
}

impl StaleView {
    /// None where the endpoint sees it as it is.
    pub(super) fn of(met: &Met) -> Option<Self> {
        let view = Self { behind: met.slots_behind(), statusless: met.has(FaultKind::NullStatuses) };
        (view.behind > 0 || view.statusless).then_some(view)
    }

    /// Answers a call, or each call of a batch.
    pub(super) async fn answer(self, chain: &Upstream, body: Bytes) -> Response {
        let reply = match serde_json::from_slice(&body) {
            Ok(Value::Array(calls)) => {
                let replies = calls.iter().map(|call| self.reply(chain, call));
                futures::future::try_join_all(replies).await.map(Value::Array)
            }
            Ok(call) => self.reply(chain, &call).await,
            Err(_) => return chain.pass(body).await,
        };
        match reply {
            Ok(reply) => Json(reply).into_response(),
            Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        }
    }

    async fn reply(self, chain: &Upstream, call: &Value) -> Result<Value> {
        let method = call["method"].as_str().unwrap_or_default();
        let config = call["params"].as_array().and_then(|params| params.iter().rfind(|param| param.is_object()));
        let slot = self.slot(chain, method, config).await?;
        if let Some(refusal) = self.refusal(method, config, slot) {
            return Ok(json!({ "jsonrpc": "2.0", "id": call["id"], "error": refusal }));
        }
        let mut reply = chain.reply(call).await?;
        if let Some(result) = reply.get_mut("result") {
            if method == "getLatestBlockhash" && self.behind > 0 {
                result["value"] = old_blockhash(chain, slot).await?;
            }
            self.set_back(result, method, slot);
            self.hide(result, chain, call, slot);
        }
        Ok(reply)
    }

    /// The slot that it believes to be the latest at the commitment of a call.
    async fn slot(self, chain: &Upstream, method: &str, config: Option<&Value>) -> Result<u64> {
        let named = config.and_then(|config| config.get("commitment").or_else(|| config.get("preflightCommitment")));
        let default = if method == "getSignatureStatuses" { "processed" } else { "finalized" };
        let commitment = named.and_then(Value::as_str).unwrap_or(default);
        let slot = chain.ask("getSlot", json!([{ "commitment": commitment }])).await?;
        Ok(slot.as_u64().context("the chain has no slot")?.saturating_sub(self.behind))
    }

    fn refusal(self, method: &str, config: Option<&Value>, slot: u64) -> Option<Value> {
        let least = config.and_then(|config| config["minContextSlot"].as_u64());
        if least.is_some_and(|least| least > slot) {
            let message = "Minimum context slot has not been reached";
            return Some(json!({
                "code": MIN_CONTEXT_SLOT_NOT_REACHED, "message": message, "data": { "contextSlot": slot },
            }));
        }
        let skips_preflight = config.is_some_and(|config| config["skipPreflight"] == true);
        let asks_for_health = method == "getHealth" || (method == "sendTransaction" && !skips_preflight);
        (asks_for_health && self.behind > HEALTHY).then(|| {
            let message = format!("Node is behind by {} slots", self.behind);
            json!({ "code": NODE_UNHEALTHY, "message": message, "data": { "numSlotsBehind": self.behind } })
        })
    }

    /// Sets every clock in a result back.
    fn set_back(self, result: &mut Value, method: &str, slot: u64) {
        if let Some(context) = result.pointer_mut("/context/slot") {
            *context = json!(slot);
        }
        match method {
            "getSlot" | "getBlockHeight" => self.earlier(result),
            "getEpochInfo" => {
                for field in ["absoluteSlot", "blockHeight", "slotIndex"] {
                    self.earlier(&mut result[field]);
                }
            }
            _ => {}
        }
    }

    fn earlier(self, number: &mut Value) {
        if let Some(now) = number.as_u64() {
            *number = json!(now.saturating_sub(self.behind));
        }
    }

    /// Takes out of a result what has happened since.
    fn hide(self, result: &mut Value, chain: &Upstream, call: &Value, slot: u64) {
        let age = chain.slot * u32::try_from(self.behind).unwrap_or(u32::MAX);
        match call["method"].as_str().unwrap_or_default() {
            "getSignatureStatuses" => {
                for status in result["value"].as_array_mut().into_iter().flatten() {
                    if self.statusless { *status = Value::Null } else { as_of(status, slot) }
                }
            }
            "getTransaction" if is_later(result, slot) => *result = Value::Null,
            "getSignaturesForAddress" => {
                if let Some(signatures) = result.as_array_mut() {
                    signatures.retain(|signature| !is_later(signature, slot));
                }
            }
            "getAccountInfo" => hide_newborn(&mut result["value"], &call["params"][0], chain, age),
            "getMultipleAccounts" => {
                let addresses = call["params"][0].as_array().into_iter().flatten();
                let accounts = result["value"].as_array_mut().into_iter().flatten();
                accounts.zip(addresses).for_each(|(account, address)| hide_newborn(account, address, chain, age));
            }
            _ => {}
        }
    }
}

fn is_later(transaction: &Value, slot: u64) -> bool {
    transaction["slot"].as_u64().is_some_and(|at| at > slot)
}

/// A status as it was when `slot` was the latest.
fn as_of(status: &mut Value, slot: u64) {
    if is_later(status, slot) {
        *status = Value::Null;
        return;
    }
    let depth = slot.saturating_sub(status["slot"].as_u64().unwrap_or(0));
    if depth < FINALITY && status["confirmationStatus"] == "finalized" {
        status["confirmationStatus"] = json!("confirmed");
        status["confirmations"] = json!(depth);
    }
}

fn hide_newborn(account: &mut Value, address: &Value, chain: &Upstream, age: Duration) {
    if address.as_str().is_some_and(|address| chain.births.is_younger(address, age)) {
        *account = Value::Null;
    }
}

/// The blockhash of that slot, with the block height at which it really ends.
async fn old_blockhash(chain: &Upstream, slot: u64) -> Result<Value> {
    let config = json!({ "transactionDetails": "none", "rewards": false, "commitment": "confirmed" });
    let block = chain.ask("getBlock", json!([slot, config])).await?;
    let height = block["blockHeight"].as_u64().context("the chain is not that old yet")?;
    Ok(json!({ "blockhash": block["blockhash"], "lastValidBlockHeight": height + BLOCKHASH_LIFE }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_as_it_was() {
        let finalized = json!({ "slot": 100, "confirmations": null, "confirmationStatus": "finalized" });
        let seen_at = |slot| {
            let mut status = finalized.clone();
            as_of(&mut status, slot);
            status
        };
        assert_eq!(seen_at(99), Value::Null);
        assert_eq!(seen_at(110)["confirmationStatus"], "confirmed");
        assert_eq!(seen_at(110)["confirmations"], 10);
        assert_eq!(seen_at(131), finalized);
    }

    #[test]
    fn clocks_are_set_back() {
        let view = StaleView { behind: 60, statusless: false };
        let mut epoch = json!({ "absoluteSlot": 1000, "blockHeight": 970, "slotIndex": 40, "epoch": 2 });
        view.set_back(&mut epoch, "getEpochInfo", 940);
        assert_eq!(epoch, json!({ "absoluteSlot": 940, "blockHeight": 910, "slotIndex": 0, "epoch": 2 }));
        let mut accounts = json!({ "context": { "slot": 1000 }, "value": [] });
        view.set_back(&mut accounts, "getMultipleAccounts", 940);
        assert_eq!(accounts["context"]["slot"], 940);
    }

    #[test]
    fn a_slot_that_it_has_not_reached_is_refused() {
        let view = StaleView { behind: 60, statusless: false };
        let config = json!({ "minContextSlot": 941 });
        assert_eq!(view.refusal("getAccountInfo", Some(&config), 940).unwrap()["code"], MIN_CONTEXT_SLOT_NOT_REACHED);
        assert_eq!(view.refusal("getAccountInfo", Some(&config), 941), None);
        assert_eq!(view.refusal("getHealth", None, 940), None);
        let lost = StaleView { behind: 129, statusless: false };
        assert_eq!(lost.refusal("getHealth", None, 871).unwrap()["code"], NODE_UNHEALTHY);
        assert_eq!(lost.refusal("sendTransaction", Some(&json!({ "skipPreflight": true })), 871), None);
    }
}
