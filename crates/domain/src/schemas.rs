//! The JSON Schemas of the events, generated from their types. `make generate` writes them into `docs/schemas`.

use schemars::{Schema, schema_for};

use crate::{OperationRequested, Rejected, StatusChanged, StepRequest};

/// File name and schema (JSON Schema 2020-12) of every event.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("operation-requested.v1.json", schema_for!(OperationRequested)),
        ("step-request.v1.json", schema_for!(StepRequest)),
        ("status-changed.v1.json", schema_for!(StatusChanged)),
        ("rejected.v1.json", schema_for!(Rejected)),
    ]
}
