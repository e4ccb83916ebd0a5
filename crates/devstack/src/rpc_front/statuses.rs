//! Statuses and signatures as they were when a slot was the latest.

use serde_json::{Value, json};

use crate::chain::FINALITY;

/// Blocks after which a status is in the history alone.
const REMEMBERED: u64 = 150;

/// A status as a node gives it whose latest slot is `slot`.
pub(super) fn as_of(status: &mut Value, slot: u64, searches_history: bool) {
    let Some(landed) = status["slot"].as_u64() else { return };
    let Some(depth) = slot.checked_sub(landed).filter(|depth| searches_history || *depth <= REMEMBERED) else {
        *status = Value::Null;
        return;
    };
    status["confirmationStatus"] = json!(commitment_at(depth));
    status["confirmations"] = if depth < FINALITY { json!(depth) } else { Value::Null };
}

/// Signatures of an address, likewise.
pub(super) fn list_as_of(signatures: &mut Value, slot: u64) {
    let Some(signatures) = signatures.as_array_mut() else { return };
    signatures.retain(|signature| !is_later(signature, slot));
    for signature in signatures {
        if let Some(landed) = signature["slot"].as_u64() {
            signature["confirmationStatus"] = json!(commitment_at(slot - landed));
        }
    }
}

/// Whether a transaction landed after that slot.
pub(super) fn is_later(transaction: &Value, slot: u64) -> bool {
    transaction["slot"].as_u64().is_some_and(|landed| landed > slot)
}

const fn commitment_at(depth: u64) -> &'static str {
    match depth {
        0 => "processed",
        1..FINALITY => "confirmed",
        FINALITY.. => "finalized",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_as_it_was_and_not_remembered_for_ever() {
        let finalized = json!({ "slot": 100, "confirmations": null, "confirmationStatus": "finalized" });
        let seen_at = |slot, searches| {
            let mut status = finalized.clone();
            as_of(&mut status, slot, searches);
            status
        };
        assert_eq!(seen_at(99, true), Value::Null);
        assert_eq!(seen_at(100, false)["confirmationStatus"], "processed");
        assert_eq!(seen_at(110, false)["confirmationStatus"], "confirmed");
        assert_eq!(seen_at(110, false)["confirmations"], 10);
        assert_eq!((seen_at(131, false), seen_at(250, false)), (finalized.clone(), finalized.clone()));
        assert_eq!((seen_at(251, false), seen_at(251, true)), (Value::Null, finalized.clone()));
        let mut unknown = Value::Null;
        as_of(&mut unknown, 100, true);
        assert_eq!(unknown, Value::Null);
    }

    #[test]
    fn a_list_ends_where_the_slot_does() {
        let mut list = json!([{ "slot": 101 }, { "slot": 100 }, { "slot": 60, "confirmationStatus": "finalized" }]);
        list_as_of(&mut list, 100);
        let expected = json!([
            { "slot": 100, "confirmationStatus": "processed" }, { "slot": 60, "confirmationStatus": "finalized" },
        ]);
        assert_eq!(list, expected);
    }
}
