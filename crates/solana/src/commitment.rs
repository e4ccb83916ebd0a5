//! How sure an answer is.

use serde_json::{Value, json};

/// How sure an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Commitment {
    /// Voted for by two thirds of the stake: will hardly ever be taken back.
    Confirmed,
    /// At least 31 slots deep: will never be taken back.
    Finalized,
}

impl Commitment {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Finalized => "finalized",
        }
    }

    pub(crate) fn config(self) -> Value {
        json!({ "commitment": self.as_str() })
    }
}
