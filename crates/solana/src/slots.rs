//! How far an endpoint is behind the others, by the slot that its answers were read at.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use solana_client::rpc_request::RpcRequest;

/// What answers have to have in common before their slots can be compared: the method, and the commitment asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Comparable {
    method: &'static str,
    commitment: Option<String>,
}

impl Comparable {
    pub(crate) fn of(request: RpcRequest, params: &Value) -> Self {
        let config = params.as_array().and_then(|params| params.iter().rfind(|param| param.is_object()));
        let commitment = config.and_then(|config| config["commitment"].as_str()).map(str::to_owned);
        Self { method: request.as_str(), commitment }
    }
}

/// The newest slot that any endpoint has answered with.
#[derive(Debug, Default)]
pub(crate) struct Tips(Mutex<HashMap<Comparable, u64>>);

impl Tips {
    /// How many slots an answer is behind the newest one of its kind, which it may be itself.
    pub(crate) fn lag(&self, kind: Comparable, slot: u64) -> u64 {
        let mut tips = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tip = tips.entry(kind).or_default();
        *tip = slot.max(*tip);
        *tip - slot
    }
}

/// The slot that an answer names as its context.
pub(crate) fn context_slot(answer: &Value) -> Option<u64> {
    answer.get("context")?.get("slot")?.as_u64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_answers_of_one_kind_are_compared() {
        let read = |commitment: &str| {
            let params = json!([["address"], { "encoding": "base64", "commitment": commitment }]);
            Comparable::of(RpcRequest::GetMultipleAccounts, &params)
        };
        let tips = Tips::default();
        assert_eq!(tips.lag(read("confirmed"), 1_000), 0);
        assert_eq!(tips.lag(read("finalized"), 969), 0);
        assert_eq!(tips.lag(Comparable::of(RpcRequest::GetSlot, &json!([])), 5), 0);
        assert_eq!(tips.lag(read("confirmed"), 940), 60);
        assert_eq!(tips.lag(read("confirmed"), 1_001), 0);
    }

    #[test]
    fn not_every_answer_has_a_slot() {
        assert_eq!(context_slot(&json!({ "context": { "slot": 7 }, "value": [] })), Some(7));
        assert_eq!(context_slot(&json!({ "context": {} })), None);
        assert_eq!(context_slot(&json!("signature")), None);
    }
}
