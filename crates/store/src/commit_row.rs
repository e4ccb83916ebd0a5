//! A transition as the statement takes it.

use std::borrow::Cow;

use domain::{Attempt, DecidedAttempt, Failure, NftRecord, Transition};
use engine::Commit;
use serde::Serialize;
use uuid::Uuid;

use crate::ledger::Decision;

/// One row of the input of [`crate::commit::commit`]. What is `None` leaves its column as it is.
#[derive(Debug, Default, Serialize)]
pub(crate) struct CommitRow<'a> {
    ordinal: usize,
    id: Uuid,
    version: i64,
    from_state: &'static str,
    to_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_cid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_cid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mint_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    forget_signature: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_message: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt_signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wire: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blockhash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_valid_block_height: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_slot: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compute_unit_price: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_fee: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority_fee: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol_fee: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nft_mint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nft_owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nft_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nft_symbol: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nft_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nft_signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nft_slot: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_by: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
}

impl<'a> CommitRow<'a> {
    pub(crate) fn new(ordinal: usize, commit: &'a Commit) -> Self {
        let Commit { operation, transition } = commit;
        let row = Self {
            ordinal,
            id: *operation.id.as_uuid(),
            version: operation.version,
            from_state: operation.state.as_str(),
            to_state: transition.to().as_str(),
            ..Self::default()
        };
        match transition {
            Transition::ImageUploaded { image_cid } => Self { image_cid: Some(image_cid.as_str()), ..row },
            Transition::IpfsUploaded { image_cid, metadata_cid } => {
                Self { image_cid: Some(image_cid.as_str()), metadata_cid: Some(metadata_cid.as_str()), ..row }
            }
            Transition::Submitted { mint, key_id, attempt, decided } => {
                let row = Self { mint_address: Some(mint.to_string()), key_id: Some(key_id), ..row };
                row.signing(attempt).deciding(decided.as_ref())
            }
            Transition::Confirmed { mint, signature } => {
                Self { mint_address: Some(mint.to_string()), signature: Some(signature.to_string()), ..row }
            }
            Transition::Dropped => Self { forget_signature: true, ..row },
            Transition::DatabaseUpdated { record } => row.recording(record),
            Transition::Verified => row,
            Transition::Failed { failure, decided } => row.failing(failure).deciding(decided.as_ref()),
        }
    }

    /// The same as a person's decision.
    pub(crate) fn decided_by(self, decision: &'a Decision) -> Self {
        Self { done_by: Some(printable(&decision.by)), reason: decision.reason.as_deref().map(printable), ..self }
    }

    fn signing(self, attempt: &'a Attempt) -> Self {
        Self {
            attempt_signature: Some(attempt.signature.to_string()),
            wire: Some(format!("\\x{}", hex::encode(&attempt.wire))),
            payer: attempt.payer.map(|payer| payer.to_string()),
            blockhash: Some(&attempt.blockhash),
            last_valid_block_height: Some(attempt.last_valid_block_height),
            context_slot: Some(attempt.context_slot),
            compute_unit_price: Some(attempt.compute_unit_price),
            endpoint: Some(&attempt.endpoint),
            base_fee: attempt.cost.map(|cost| cost.base_fee),
            priority_fee: attempt.cost.map(|cost| cost.priority_fee),
            rent: attempt.cost.map(|cost| cost.rent),
            protocol_fee: attempt.cost.map(|cost| cost.protocol_fee),
            ..self
        }
    }

    fn deciding(self, decided: Option<&DecidedAttempt>) -> Self {
        Self {
            decided_signature: decided.map(|attempt| attempt.signature.to_string()),
            verdict: decided.map(|attempt| attempt.verdict.as_str()),
            ..self
        }
    }

    fn recording(self, record: &'a NftRecord) -> Self {
        Self {
            nft_mint: Some(record.mint.to_string()),
            nft_owner: Some(record.owner.to_string()),
            nft_name: Some(&record.name),
            nft_symbol: Some(&record.symbol),
            nft_uri: Some(&record.uri),
            nft_signature: Some(record.signature.to_string()),
            nft_slot: Some(record.slot),
            ..self
        }
    }

    fn failing(self, failure: &'a Failure) -> Self {
        Self {
            failure_class: Some(failure.class.as_str()),
            failure_code: Some(printable(&failure.code)),
            failure_message: Some(printable(&failure.message)),
            ..self
        }
    }
}

/// Text for people, often somebody else's words: the NUL character, which PostgreSQL cannot store, must not keep an
/// operation from failing.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}
