//! What the API is told, on `nft-operation-status`.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::request::event_id;
use crate::{
    Cid, Envelope, Failure, FailureClass, MintAddress, Operation, OperationId, OperationKind, OutgoingRecord,
    Signature, State, Topic, WalletAddress,
};

/// Why an operation failed, or why an event was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatusFailure {
    /// How it is answered.
    pub class: FailureClass,
    /// A stable name for machines.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

impl From<&Failure> for StatusFailure {
    fn from(failure: &Failure) -> Self {
        Self { class: failure.class, code: failure.code.to_string(), message: failure.message.clone() }
    }
}

/// An operation changed its state. Order is by `version`: drop what is not newer than what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "nft-operation-status, version 1")]
pub struct StatusChanged {
    /// Which operation.
    pub operation_id: OperationId,
    /// Why it mints.
    #[serde(rename = "type")]
    pub kind: OperationKind,
    /// As the API gave it.
    pub user_id: String,
    /// Who gets the NFT.
    pub wallet_address: WalletAddress,
    /// The state it is in.
    pub state: State,
    /// The state before, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_state: Option<State>,
    /// Raised by every transition.
    pub version: i64,
    /// When the transition was committed.
    pub at: DateTime<Utc>,
    /// The NFT's address, from BLOCKCHAIN_SUBMITTED on; of an upgrade, once its burn was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mint_address: Option<MintAddress>,
    /// The minting transaction, from BLOCKCHAIN_CONFIRMED on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// The pinned image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_cid: Option<Cid>,
    /// The pinned metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata_cid: Option<Cid>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<StatusFailure>,
    /// When a delayed operation is expected to move again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_by: Option<DateTime<Utc>>,
}

impl StatusChanged {
    /// The event's `ce_type`.
    pub const KIND: &'static str = "mintfleet.operation.status.v1";

    /// What is said of an operation in its present state.
    ///
    /// # Panics
    /// Never: a status has a JSON form.
    #[must_use]
    pub fn record(operation: &Operation, source: &str, topic_prefix: &str) -> OutgoingRecord {
        let envelope = Envelope {
            id: event_id(operation, Self::KIND),
            source,
            kind: Self::KIND,
            time: operation.updated_at,
            trace_parent: operation.trace_parent.as_deref(),
        };
        OutgoingRecord {
            topic: Topic::Status.name(topic_prefix),
            partition: None,
            key: Some(operation.id.to_string().into_bytes()),
            value: Some(serde_json::to_vec(&Self::from(operation)).expect("a status has a JSON form")),
            headers: envelope.headers(),
        }
    }
}

impl From<&Operation> for StatusChanged {
    fn from(operation: &Operation) -> Self {
        Self {
            operation_id: operation.id,
            kind: operation.content.kind,
            user_id: operation.user_id.clone(),
            wallet_address: operation.content.wallet_address,
            state: operation.state,
            previous_state: operation.previous_state,
            version: operation.version,
            at: operation.updated_at,
            mint_address: operation.mint_address,
            signature: operation.signature,
            image_cid: operation.image_cid.clone(),
            metadata_cid: operation.metadata_cid.clone(),
            error: operation.failure.as_ref().map(StatusFailure::from),
            expected_by: operation.next_attempt_at,
        }
    }
}

/// An event was refused. Says nothing of an operation that has this id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "nft-operation-status, rejected, version 1")]
pub struct Rejected {
    /// The id that the event named.
    pub operation_id: OperationId,
    /// Always true: tells this message from a change of state.
    pub rejected: bool,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub error: StatusFailure,
}

impl Rejected {
    /// The event's `ce_type`.
    pub const KIND: &'static str = "mintfleet.operation.rejected.v1";

    /// The answer to an event that named `id`; `event` is the id of its dead letter, so that the answer given twice is
    /// the same answer.
    ///
    /// # Panics
    /// Never: a rejection has a JSON form.
    #[must_use]
    pub fn record(
        id: OperationId,
        failure: &Failure,
        event: Uuid,
        at: DateTime<Utc>,
        source: &str,
        topic_prefix: &str,
    ) -> OutgoingRecord {
        let rejected = Self { operation_id: id, rejected: true, at, error: failure.into() };
        let envelope = Envelope { id: event, source, kind: Self::KIND, time: at, trace_parent: None };
        OutgoingRecord {
            topic: Topic::Status.name(topic_prefix),
            partition: None,
            key: Some(id.to_string().into_bytes()),
            value: Some(serde_json::to_vec(&rejected).expect("a rejection has a JSON form")),
            headers: envelope.headers(),
        }
    }
}
