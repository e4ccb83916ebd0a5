//! An operation as people and machines are shown it.

use chrono::{DateTime, Utc};
use domain::{Operation, State, StatusChanged};
use serde_json::{Value, json};
use store::Milestones;

/// The fields of `nft-operation-status`, under the same names, and what else a row knows.
#[must_use]
pub fn operation(operation: &Operation) -> Value {
    let Operation { priority, failed_from, needs_review, key_id, attempts, event_at, content, .. } = operation;
    let more = json!({
        "priority": priority,
        "failedFrom": failed_from,
        "needsReview": needs_review,
        "keyId": key_id,
        "attempts": attempts,
        "eventAt": event_at,
        "nft": content.nft,
    });
    merged(json!(StatusChanged::from(operation)), more)
}

/// Both objects in one.
#[must_use]
pub fn merged(mut first: Value, second: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut first, second) {
        fields.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
    first
}

/// The milestones in the order of the flow, each with its state.
#[must_use]
pub fn milestones(milestones: &Milestones) -> Vec<(State, DateTime<Utc>)> {
    let all = [
        (State::Initiated, Some(milestones.initiated)),
        (State::ImageUploaded, milestones.image_uploaded),
        (State::IpfsUploaded, milestones.ipfs_uploaded),
        (State::BlockchainSubmitted, milestones.submitted),
        (State::BlockchainConfirmed, milestones.confirmed),
        (State::DatabaseUpdated, milestones.database_updated),
        (State::Verified, milestones.verified),
        (State::Failed, milestones.failed),
        (State::RolledBack, milestones.rolled_back),
    ];
    all.into_iter().filter_map(|(state, at)| Some((state, at?))).collect()
}

/// Why it is not well, where it is not.
#[must_use]
pub fn trouble(operation: &Operation) -> Option<String> {
    let review = operation.needs_review.as_ref().map(|reason| format!("needs review: {reason}"));
    review.or_else(|| operation.failure.as_ref().map(ToString::to_string))
}
