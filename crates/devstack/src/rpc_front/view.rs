//! How an endpoint sees the chain: at the slot that a commitment means, and not beyond it.
//!
//! surfpool keeps one state and shows it at every commitment. Here an answer is as of one slot: the open one at `processed`, the
//! one before it at `confirmed`, 31 before it at `finalized`; an endpoint that is behind counts from an older one. What
//! was written since is taken out of accounts, statuses and lists, and clocks are set to that slot. Its statuses
//! are those of the last 150 blocks unless the history is to be searched, and a slot that it has not reached is refused.
//!
//! Where it still differs from a cluster: what is not in [`AS_OF_A_SLOT`] is answered from the newest state, token balances
//! among it, and so are preflights and simulations; an account that has left the list of `getProgramAccounts` or
//! `getTokenAccountsByOwner` since is missing from it at older slots, too; every slot has a block; whatever is in a
//! block is confirmed by the next slot and final 31 slots later, unless `fork` drops it; an epoch never ends.

use anyhow::{Context, Result};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::{Value, json};
use solana_account_decoder::UiAccountEncoding;

use super::{burns, past, statuses, upstream::Upstream};
use crate::{
    chain::FINALITY,
    faults::{FaultKind, Met},
};

/// Methods whose answers surfpool gives from its newest state, whatever is asked for.
const AS_OF_A_SLOT: [&str; 9] = [
    "getAccountInfo",
    "getBalance",
    "getEpochInfo",
    "getMultipleAccounts",
    "getProgramAccounts",
    "getSignatureStatuses",
    "getSignaturesForAddress",
    "getTokenAccountsByOwner",
    "getTransaction",
];
/// Blocks for which a blockhash is good.
const BLOCKHASH_LIFE: u64 = 150;
/// Further behind than this, an endpoint calls itself unhealthy.
const HEALTHY: u64 = 128;
const MIN_CONTEXT_SLOT_NOT_REACHED: i64 = -32016;
const NODE_UNHEALTHY: i64 = -32005;

/// How an endpoint sees the chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    behind: u64,
    statusless: bool,
}

impl View {
    /// None where the chain's own answers are right.
    pub(super) fn of(met: &Met, methods: &[&str]) -> Option<Self> {
        let view = Self { behind: met.slots_behind(), statusless: met.has(FaultKind::NullStatuses) };
        let concerns = methods.iter().any(|method| AS_OF_A_SLOT.contains(method));
        (concerns || view.behind > 0).then_some(view)
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
        let slot = chain.history.tip().saturating_sub(lag(method, config) + self.behind);
        if let Some(refusal) = self.refusal(method, config, slot) {
            return Ok(json!({ "jsonrpc": "2.0", "id": call["id"], "error": refusal }));
        }
        let mut reply = chain.reply(call).await?;
        if let Some(result) = reply.get_mut("result") {
            if method == "getLatestBlockhash" && self.behind > 0 {
                result["value"] = old_blockhash(chain, slot).await?;
            }
            self.set_back(result, method, slot);
            self.hide(result, chain, call, config, slot);
        }
        Ok(reply)
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
            "getSlot" => *result = json!(slot),
            "getBlockHeight" => earlier(result, self.behind),
            "getEpochInfo" => {
                let since = result["absoluteSlot"].as_u64().unwrap_or(slot).saturating_sub(slot);
                for field in ["absoluteSlot", "blockHeight", "slotIndex"] {
                    earlier(&mut result[field], since);
                }
            }
            _ => {}
        }
    }

    /// Takes out of a result what has happened since.
    fn hide(self, result: &mut Value, chain: &Upstream, call: &Value, config: Option<&Value>, slot: u64) {
        let first = &call["params"][0];
        let past = past::At { history: &chain.history, slot, config };
        match call["method"].as_str().unwrap_or_default() {
            "getAccountInfo" => past.account(&mut result["value"], first, UiAccountEncoding::Binary),
            "getBalance" => past.balance(&mut result["value"], first),
            "getMultipleAccounts" => {
                let addresses = first.as_array().into_iter().flatten();
                let accounts = result["value"].as_array_mut().into_iter().flatten();
                accounts
                    .zip(addresses)
                    .for_each(|(account, address)| past.account(account, address, UiAccountEncoding::Base64));
            }
            "getProgramAccounts" => past.accounts_of(result, Some(first)),
            "getTokenAccountsByOwner" => past.accounts_of(result, call["params"][1].get("programId")),
            "getSignatureStatuses" => {
                let searches = config.is_some_and(|config| config["searchTransactionHistory"] == true);
                for status in result["value"].as_array_mut().into_iter().flatten() {
                    if self.statusless { *status = Value::Null } else { statuses::as_of(status, slot, searches) }
                }
            }
            "getTransaction" if statuses::is_later(result, slot) => *result = Value::Null,
            "getTransaction" => burns::tell(result),
            "getSignaturesForAddress" => statuses::list_as_of(result, slot),
            _ => {}
        }
    }
}

/// Slots between the open one and the one that a call means.
fn lag(method: &str, config: Option<&Value>) -> u64 {
    let named = config.and_then(|config| config.get("commitment").or_else(|| config.get("preflightCommitment")));
    match named.and_then(Value::as_str) {
        Some("processed") => 0,
        Some("confirmed") => 1,
        // It is asked without one, of statuses of every commitment.
        None if method == "getSignatureStatuses" => 0,
        _ => FINALITY,
    }
}

fn earlier(number: &mut Value, by: u64) {
    if let Some(now) = number.as_u64() {
        *number = json!(now.saturating_sub(by));
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
    fn clocks_are_set_back() {
        let view = View { behind: 60, statusless: false };
        let mut epoch = json!({ "absoluteSlot": 1000, "blockHeight": 970, "slotIndex": 40, "epoch": 2 });
        view.set_back(&mut epoch, "getEpochInfo", 940);
        assert_eq!(epoch, json!({ "absoluteSlot": 940, "blockHeight": 910, "slotIndex": 0, "epoch": 2 }));
        let mut accounts = json!({ "context": { "slot": 1000 }, "value": [] });
        view.set_back(&mut accounts, "getMultipleAccounts", 940);
        assert_eq!(accounts["context"]["slot"], 940);
    }

    #[test]
    fn each_commitment_means_a_slot() {
        let at = |commitment: &str| lag("getAccountInfo", Some(&json!({ "commitment": commitment })));
        assert_eq!((at("processed"), at("confirmed"), at("finalized")), (0, 1, 31));
        assert_eq!((lag("getAccountInfo", None), lag("getSignatureStatuses", None)), (31, 0));
        let send = json!({ "preflightCommitment": "confirmed" });
        assert_eq!(lag("sendTransaction", Some(&send)), 1);
    }

    #[test]
    fn a_slot_that_it_has_not_reached_is_refused() {
        let view = View { behind: 60, statusless: false };
        let config = json!({ "minContextSlot": 941 });
        assert_eq!(view.refusal("getAccountInfo", Some(&config), 940).unwrap()["code"], MIN_CONTEXT_SLOT_NOT_REACHED);
        assert_eq!(view.refusal("getAccountInfo", Some(&config), 941), None);
        assert_eq!(view.refusal("getHealth", None, 940), None);
        let lost = View { behind: 129, statusless: false };
        assert_eq!(lost.refusal("getHealth", None, 871).unwrap()["code"], NODE_UNHEALTHY);
        assert_eq!(lost.refusal("sendTransaction", Some(&json!({ "skipPreflight": true })), 871), None);
    }
}
