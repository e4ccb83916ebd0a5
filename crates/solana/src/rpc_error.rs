//! A call that brought no result, and what class of failure that is.

use std::sync::Arc;
use std::time::Duration;

use domain::{Failure, FailureClass};
use resilience::{Fault, NoEndpoint};
use solana_client::client_error::{ClientError, ClientErrorKind};
use solana_client::rpc_custom_error as codes;
use solana_client::rpc_request::{self, RpcRequest, RpcResponseErrorData};
use solana_sdk::transaction::TransactionError;

use crate::TransportFault;

/// Longest text of an endpoint that is kept, bytes.
const MAX_MESSAGE: usize = 400;
/// Last lines of a program's log that are kept.
const MAX_LOG_LINES: usize = 6;
/// What JSON-RPC calls an internal error; what some providers answer with instead of HTTP 429.
const INTERNAL_ERROR: i64 = -32603;
const INVALID_PARAMS: i64 = -32602;
const METHOD_NOT_FOUND: i64 = -32601;
const RATE_LIMIT_CODES: [i64; 2] = [429, -32429];

/// A call that brought no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{method} at {endpoint}: {kind}")]
pub struct RpcError {
    /// Label of the endpoint.
    pub endpoint: Arc<str>,
    /// JSON-RPC method.
    pub method: &'static str,
    /// What happened.
    pub kind: RpcErrorKind,
}

/// What happened to a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcErrorKind {
    /// It got no answer.
    #[error(transparent)]
    Transport(TransportFault),
    /// It was answered with an error.
    #[error("{message} ({code})")]
    Answered {
        /// JSON-RPC error code.
        code: i64,
        /// The endpoint's words.
        message: String,
        /// What a simulation ran into, where the endpoint tells.
        transaction_error: Option<TransactionError>,
        /// The last lines of the programs' log.
        log: Vec<String>,
    },
    /// The endpoint serves another cluster and is never used.
    #[error("its genesis hash is {genesis}: another cluster")]
    WrongCluster {
        /// The genesis hash it answered with.
        genesis: String,
    },
    /// No call was made, and no attempt spent: there was nobody to ask.
    #[error(transparent)]
    NotAsked(NoEndpoint),
}

impl RpcError {
    pub(crate) fn new(endpoint: &Arc<str>, request: RpcRequest, kind: RpcErrorKind) -> Self {
        Self { endpoint: Arc::clone(endpoint), method: request.as_str(), kind }
    }

    /// An answer of another shape than the method has.
    pub(crate) fn unparsable(endpoint: &Arc<str>, request: RpcRequest, what: &impl ToString) -> Self {
        let fault = TransportFault::Unparsable(cut(&what.to_string()));
        Self::new(endpoint, request, RpcErrorKind::Transport(fault))
    }

    /// An answer from before the slot that the reader needs.
    pub(crate) fn behind(endpoint: &Arc<str>, request: RpcRequest, slot: u64, needed: u64) -> Self {
        let kind = RpcErrorKind::Answered {
            code: codes::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED,
            message: format!("read at slot {slot} where {needed} is needed"),
            transaction_error: None,
            log: vec![],
        };
        Self::new(endpoint, request, kind)
    }

    /// How it is answered. Never [`FailureClass::Permanent`]: that a call was refused says nothing of the operation it
    /// was made for.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match &self.kind {
            RpcErrorKind::Transport(fault) => match fault {
                TransportFault::RateLimited { .. } => FailureClass::RateLimited,
                TransportFault::Status { status: 408 | 425 | 500.., .. } => FailureClass::Transient,
                TransportFault::Status { .. } | TransportFault::Refused(_) => FailureClass::Outage,
                TransportFault::TimedOut | TransportFault::Broken(_) | TransportFault::Unparsable(_) => {
                    FailureClass::Transient
                }
            },
            RpcErrorKind::Answered { code, .. } => match *code {
                code if RATE_LIMIT_CODES.contains(&code) => FailureClass::RateLimited,
                codes::JSON_RPC_SERVER_ERROR_NODE_UNHEALTHY
                | codes::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED
                | codes::JSON_RPC_SERVER_ERROR_BLOCK_NOT_AVAILABLE
                | codes::JSON_RPC_SERVER_ERROR_BLOCK_STATUS_NOT_AVAILABLE_YET => FailureClass::Degraded,
                INTERNAL_ERROR | codes::JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE => {
                    FailureClass::Transient
                }
                _ => FailureClass::Outage,
            },
            RpcErrorKind::WrongCluster { .. } | RpcErrorKind::NotAsked(_) => FailureClass::Outage,
        }
    }

    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.kind {
            RpcErrorKind::Transport(fault) => match fault {
                TransportFault::RateLimited { .. } => "rpc-rate-limited",
                TransportFault::Status { .. } => "rpc-http-status",
                TransportFault::Refused(_) => "rpc-unreachable",
                TransportFault::TimedOut => "rpc-timeout",
                TransportFault::Broken(_) => "rpc-connection-broken",
                TransportFault::Unparsable(_) => "rpc-unparsable",
            },
            RpcErrorKind::Answered { code, .. } => match *code {
                code if RATE_LIMIT_CODES.contains(&code) => "rpc-rate-limited",
                codes::JSON_RPC_SERVER_ERROR_NODE_UNHEALTHY => "rpc-unhealthy",
                codes::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED => "rpc-behind",
                codes::JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE => "rpc-preflight",
                INTERNAL_ERROR => "rpc-internal",
                _ => "rpc-refused",
            },
            RpcErrorKind::WrongCluster { .. } => "rpc-wrong-cluster",
            RpcErrorKind::NotAsked(_) => "rpc-all-out",
        }
    }

    /// The failure it is for whoever needed the answer.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::new(self.class(), self.code(), self)
    }

    /// How long the endpoint asked to be left alone.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match &self.kind {
            RpcErrorKind::Transport(
                TransportFault::RateLimited { retry_after } | TransportFault::Status { retry_after, .. },
            ) => *retry_after,
            RpcErrorKind::Transport(_)
            | RpcErrorKind::Answered { .. }
            | RpcErrorKind::WrongCluster { .. }
            | RpcErrorKind::NotAsked(_) => None,
        }
    }

    /// What it says of the endpoint. One that turns down what nobody could do, or does not know yet what others know, is
    /// well.
    pub(crate) fn fault(&self) -> Fault {
        let knows_no_such_method = matches!(self.kind, RpcErrorKind::Answered { code: METHOD_NOT_FOUND, .. });
        let is_well = !self.elsewhere() || self.is_behind() || knows_no_such_method;
        let class = if is_well { FailureClass::Permanent } else { self.class() };
        Fault { class, code: self.code().into(), retry_after: self.retry_after() }
    }

    /// Whether the endpoint has not reached the slot that was asked for.
    pub(crate) const fn is_behind(&self) -> bool {
        matches!(
            self.kind,
            RpcErrorKind::Answered { code: codes::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED, .. }
        )
    }

    /// Whether another endpoint may answer the same call better. A refusal that names the request itself would be
    /// repeated anywhere.
    #[must_use]
    pub fn elsewhere(&self) -> bool {
        match &self.kind {
            RpcErrorKind::Transport(_) | RpcErrorKind::WrongCluster { .. } | RpcErrorKind::NotAsked(_) => true,
            RpcErrorKind::Answered { code, .. } => !matches!(
                *code,
                INVALID_PARAMS
                    | codes::JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE
                    | codes::JSON_RPC_SERVER_ERROR_TRANSACTION_SIGNATURE_VERIFICATION_FAILURE
                    | codes::JSON_RPC_SERVER_ERROR_TRANSACTION_SIGNATURE_LEN_MISMATCH
            ),
        }
    }
}

impl RpcErrorKind {
    /// Reads what a sender answered with.
    pub(crate) fn of(error: ClientError) -> Self {
        match *error.kind {
            ClientErrorKind::Middleware(error) => match error.downcast::<TransportFault>() {
                Ok(fault) => Self::Transport(fault),
                Err(other) => Self::Transport(TransportFault::Broken(cut(&other.to_string()))),
            },
            ClientErrorKind::Io(error) => Self::Transport(TransportFault::Broken(cut(&error.to_string()))),
            ClientErrorKind::Reqwest(error) => Self::Transport(TransportFault::of(error)),
            ClientErrorKind::SerdeJson(error) => Self::Transport(TransportFault::Unparsable(cut(&error.to_string()))),
            ClientErrorKind::SigningError(error) => Self::Transport(TransportFault::Broken(cut(&error.to_string()))),
            ClientErrorKind::Custom(text) => Self::Transport(TransportFault::Broken(cut(&text))),
            ClientErrorKind::TransactionError(error) => Self::Answered {
                code: codes::JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
                message: error.to_string(),
                transaction_error: Some(error),
                log: vec![],
            },
            ClientErrorKind::RpcError(error) => match error {
                rpc_request::RpcError::RpcResponseError { code, message, data } => Self::answered(code, &message, data),
                rpc_request::RpcError::RpcRequestError(text)
                | rpc_request::RpcError::ParseError(text)
                | rpc_request::RpcError::ForUser(text) => Self::Transport(TransportFault::Unparsable(cut(&text))),
            },
        }
    }

    fn answered(code: i64, message: &str, data: RpcResponseErrorData) -> Self {
        let (transaction_error, log) = match data {
            RpcResponseErrorData::SendTransactionPreflightFailure(simulation) => {
                let log = simulation.logs.unwrap_or_default();
                let unneeded = log.len().saturating_sub(MAX_LOG_LINES);
                (simulation.err.map(TransactionError::from), log.iter().skip(unneeded).map(|line| cut(line)).collect())
            }
            RpcResponseErrorData::Empty | RpcResponseErrorData::NodeUnhealthy { .. } => (None, vec![]),
        };
        Self::Answered { code, message: cut(message), transaction_error, log }
    }
}

/// Keeps foreign text from filling rows and logs, and NUL characters out of the database.
fn cut(text: &str) -> String {
    let mut text = text.replace('\0', " ");
    text.truncate(text.floor_char_boundary(MAX_MESSAGE));
    text
}
