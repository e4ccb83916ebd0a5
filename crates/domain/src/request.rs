//! The request event between steps: ids only, for the row carries the state.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Envelope, Failure, Operation, OperationId, OutgoingRecord, State, Topic};

/// "Take this operation on." Value of the three request topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "nft-*-requests, version 1")]
pub struct StepRequest {
    /// Which operation.
    pub operation_id: OperationId,
    /// The state it was in when this was published.
    pub state: State,
    /// Its version then.
    pub version: i64,
}

impl StepRequest {
    /// The event's `ce_type`.
    pub const KIND: &'static str = "mintfleet.operation.request.v1";

    /// The request that an operation now waits for; none where it has ended.
    ///
    /// # Panics
    /// Never: a request has a JSON form.
    #[must_use]
    pub fn record(operation: &Operation, source: &str, topic_prefix: &str) -> Option<OutgoingRecord> {
        let step = operation.state.step()?;
        let request = Self { operation_id: operation.id, state: operation.state, version: operation.version };
        let envelope = Envelope {
            id: event_id(operation, Self::KIND),
            source,
            kind: Self::KIND,
            time: operation.updated_at,
            trace_parent: operation.trace_parent.as_deref(),
        };
        Some(OutgoingRecord {
            topic: Topic::Requests(step, operation.priority).name(topic_prefix),
            partition: None,
            key: Some(operation.id.to_string().into_bytes()),
            value: Some(serde_json::to_vec(&request).expect("a request has a JSON form")),
            headers: envelope.headers(),
        })
    }

    /// Reads a request event.
    ///
    /// # Errors
    /// A permanent failure: `null-value` or `schema`.
    pub fn parse(value: Option<&[u8]>) -> Result<Self, Failure> {
        let value = value.ok_or_else(|| Failure::permanent("null-value", "the record has no value"))?;
        let mut json = serde_json::Deserializer::from_slice(value);
        serde_path_to_error::deserialize(&mut json).map_err(|error| Failure::permanent("schema", error))
    }
}

/// The same event published again has the same id.
pub(crate) fn event_id(operation: &Operation, kind: &str) -> Uuid {
    Uuid::new_v5(operation.id.as_uuid(), format!("{kind}/{}", operation.version).as_bytes())
}
