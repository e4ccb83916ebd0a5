//! Whether a transaction landed.

use domain::{Attempt, Signature};

use crate::on_chain_error::OnChainError;

/// A transaction to be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// Which one.
    pub signature: Signature,
    /// The slot its blockhash was read at. Old or unknown: its status is looked for in the history too.
    pub signed_at: Option<u64>,
}

impl From<&Attempt> for Watch {
    fn from(attempt: &Attempt) -> Self {
        Self { signature: attempt.signature, signed_at: Some(attempt.context_slot) }
    }
}

/// What is known of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// It landed without an error.
    Landed {
        /// The slot it landed in.
        slot: u64,
    },
    /// It landed and failed: it changed nothing but the payer's balance.
    Failed {
        /// The slot it landed in.
        slot: u64,
        /// Why.
        error: OnChainError,
    },
    /// It landed, and that is not for sure yet as it was asked for.
    Pending {
        /// The slot it landed in.
        slot: u64,
    },
    /// Not seen. That proves nothing.
    Unknown {
        /// The slot of the last status answer, if there was any.
        tip: Option<u64>,
    },
}
