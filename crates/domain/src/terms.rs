//! What a person may ask for when they have an operation tried again.

use serde::{Deserialize, Serialize};

/// Transactions that are signed for one operation before it fails, unless a person said otherwise.
pub const MOST_SIGNED: u32 = 3;

/// How an operation is minted from a person's retry on, until their next one. What is none goes as it always does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RetryTerms {
    /// Label of the RPC endpoint that each of its transactions is sent through first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What a compute unit is paid with, micro-lamports, whatever the cluster asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<u64>,
    /// Transactions that are signed for it at most before it fails; [`MOST_SIGNED`] where it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signings: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_stored_without_what_was_not_asked_for() {
        let terms = RetryTerms { unit_price: Some(5), ..RetryTerms::default() };
        let stored = serde_json::to_string(&terms).unwrap();
        assert_eq!(stored, r#"{"unitPrice":5}"#);
        assert_eq!(serde_json::from_str::<RetryTerms>(&stored).unwrap(), terms);
        assert_eq!(serde_json::from_str::<RetryTerms>("{}").unwrap(), RetryTerms::default());
    }
}
