//! Calls by JSON-RPC method.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
}

/// The method of a call, or of each call of a batch. What is no call is the chain's to refuse.
pub(super) fn methods(body: &[u8]) -> Vec<Cow<'_, str>> {
    let is_batch = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let calls: Vec<Call<'_>> = if is_batch {
        serde_json::from_slice(body).unwrap_or_default()
    } else {
        serde_json::from_slice(body).into_iter().collect()
    };
    calls.into_iter().map(|call| call.method).collect()
}

/// How often each was called.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<BTreeMap<String, u64>>);

impl Counts {
    pub(super) fn count(&self, methods: &[&str]) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for method in methods {
            if let Some(count) = counts.get_mut(*method) {
                *count += 1;
            } else {
                counts.insert((*method).to_owned(), 1);
            }
        }
    }

    pub(super) fn by_method(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn reset(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_a_batch_is_found() {
        assert_eq!(methods(br#"{"jsonrpc":"2.0","id":1,"method":"getSlot"}"#), ["getSlot"]);
        let batch = br#" [{"method":"getSlot","params":[{"method":"not this"}]},{"method":"getHealth"}]"#;
        assert_eq!(methods(batch), ["getSlot", "getHealth"]);
        assert!(methods(b"not a call").is_empty());
    }

    #[test]
    fn calls_are_counted_until_counting_begins_anew() {
        let counts = Counts::default();
        counts.count(&["getSlot"]);
        counts.count(&["getSlot", "getHealth"]);
        assert_eq!(counts.by_method(), BTreeMap::from([("getSlot".into(), 2), ("getHealth".into(), 1)]));
        counts.reset();
        assert!(counts.by_method().is_empty());
    }
}
