//! What an answer to `sendTransaction` means. None of these alone allows a new signature.

use solana_client::rpc_custom_error as codes;
use solana_sdk::transaction::TransactionError;

use crate::on_chain_error::{OnChainError, OnChainErrorKind};
use crate::rpc_error::{RpcError, RpcErrorKind};
use crate::transport_fault::TransportFault;

/// What came of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// It is on its way: ask for its status.
    Accepted,
    /// It landed before: ask for its status.
    AlreadyProcessed,
    /// The endpoint does not know the blockhash, yet or any more: another endpoint, the same bytes.
    BlockhashNotFound(RpcError),
    /// The endpoint is unhealthy or behind (-32005, -32016): another one.
    Behind(RpcError),
    /// The endpoint has had enough of us: another one.
    RateLimited(RpcError),
    /// Nothing was sent: another endpoint.
    NotReached(RpcError),
    /// It may be on its way or not: time-out, reset, 5xx, an answer nobody understands.
    MayHaveLanded(RpcError),
    /// The endpoint tried it out first and did not pass it on.
    FailedPreflight {
        /// What it ran into.
        error: OnChainError,
        /// The endpoint's whole answer.
        answer: RpcError,
    },
}

impl SendOutcome {
    pub(crate) fn of(answer: Result<String, RpcError>) -> Self {
        let Err(error) = answer else { return Self::Accepted };
        match &error.kind {
            RpcErrorKind::Transport(fault) => match fault {
                TransportFault::RateLimited { .. } => Self::RateLimited(error),
                // With a status of 4xx a gateway in front of the node turned it away.
                TransportFault::Refused(_) | TransportFault::Status { status: 400..=407 | 409..=499, .. } => {
                    Self::NotReached(error)
                }
                TransportFault::Status { .. }
                | TransportFault::TimedOut
                | TransportFault::Broken(_)
                | TransportFault::Unparsable(_) => Self::MayHaveLanded(error),
            },
            RpcErrorKind::WrongCluster { .. } | RpcErrorKind::NotAsked(_) => Self::NotReached(error),
            RpcErrorKind::Answered { code, message, transaction_error, .. } => {
                let failed = transaction_error.clone().or_else(|| told_by(message));
                match (*code, failed) {
                    (_, Some(TransactionError::AlreadyProcessed)) => Self::AlreadyProcessed,
                    (_, Some(TransactionError::BlockhashNotFound)) => Self::BlockhashNotFound(error),
                    (_, Some(failed)) => Self::FailedPreflight { error: OnChainError::of(&failed), answer: error },
                    (
                        codes::JSON_RPC_SERVER_ERROR_NODE_UNHEALTHY
                        | codes::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED,
                        None,
                    ) => Self::Behind(error),
                    (_, None) if error.code() == "rpc-rate-limited" => Self::RateLimited(error),
                    (_, None) => Self::MayHaveLanded(error),
                }
            }
        }
    }

    /// Whether the same bytes belong to another endpoint at once.
    #[must_use]
    pub const fn goes_elsewhere(&self) -> bool {
        match self {
            Self::BlockhashNotFound(_) | Self::Behind(_) | Self::RateLimited(_) | Self::NotReached(_) => true,
            Self::Accepted | Self::AlreadyProcessed | Self::MayHaveLanded(_) | Self::FailedPreflight { .. } => false,
        }
    }

    /// What a preflight failed on.
    #[must_use]
    pub const fn preflight_error(&self) -> Option<&OnChainError> {
        match self {
            Self::FailedPreflight { error, .. } => Some(error),
            Self::Accepted
            | Self::AlreadyProcessed
            | Self::BlockhashNotFound(_)
            | Self::Behind(_)
            | Self::RateLimited(_)
            | Self::NotReached(_)
            | Self::MayHaveLanded(_) => None,
        }
    }

    /// Whether a preflight failed in that way.
    #[must_use]
    pub fn failed_for(&self, kind: OnChainErrorKind) -> bool {
        self.preflight_error().is_some_and(|error| error.kind == kind)
    }
}

/// Nodes that give no data beside their message, or call everything an internal error, still say these in words.
fn told_by(message: &str) -> Option<TransactionError> {
    let message = message.to_ascii_lowercase();
    let says = |words: &str| message.contains(words);
    if says("already been processed") || says("alreadyprocessed") {
        Some(TransactionError::AlreadyProcessed)
    } else if says("blockhash not found") || says("blockhashnotfound") {
        Some(TransactionError::BlockhashNotFound)
    } else if says("insufficient funds for fee") || says("no record of a prior credit") {
        Some(TransactionError::InsufficientFundsForFee)
    } else {
        None
    }
}
