//! A row of `minting_operations` with its open attempt, and what it is to the domain.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use domain::{Attempt, Failure, FailureClass, Operation, OperationId, Priority, RetryTerms, Verdict};
use serde_json::value::RawValue;
use sqlx::types::Json;
use uuid::Uuid;

use crate::costs::cost;
use crate::errors::BadData;

/// What [`select_operations`] selects. Its content is the one in force: as a person last amended it, else the event's own;
/// its hash stays the event's.
#[derive(Debug)]
pub(crate) struct OperationRow {
    pub now: DateTime<Utc>,
    pub id: Uuid,
    pub user_id: String,
    pub content: Json<Box<RawValue>>,
    pub content_hash: Vec<u8>,
    pub priority: String,
    pub state: String,
    pub previous_state: Option<String>,
    pub failed_from: Option<String>,
    pub version: i64,
    pub needs_review: Option<String>,
    pub mint_address: Option<String>,
    pub key_id: Option<String>,
    pub image_cid: Option<String>,
    pub metadata_cid: Option<String>,
    pub signature: Option<String>,
    pub attempts: i32,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub failure_class: Option<String>,
    pub failure_code: Option<String>,
    pub failure_message: Option<String>,
    pub trace_parent: Option<String>,
    pub event_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub retry_terms: Option<Json<Box<RawValue>>>,
    pub attempt_signature: Option<String>,
    pub wire: Option<Vec<u8>>,
    pub payer: Option<String>,
    pub blockhash: Option<String>,
    pub last_valid_block_height: Option<i64>,
    pub context_slot: Option<i64>,
    pub compute_unit_price: Option<i64>,
    pub endpoint: Option<String>,
    pub base_fee: Option<i64>,
    pub priority_fee: Option<i64>,
    pub rent: Option<i64>,
    pub protocol_fee: Option<i64>,
}

/// Selects [`OperationRow`]s: the tail is a literal, so that the whole is checked.
macro_rules! select_operations {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::rows::OperationRow,
            r#"SELECT now() AS "now!", operation.id, operation.user_id,
                      coalesce((SELECT amendment.content FROM content_amendments amendment
                                WHERE amendment.operation_id = operation.id
                                ORDER BY amendment.version DESC LIMIT 1),
                               operation.content) AS "content!: _",
                      operation.content_hash, operation.priority, operation.state, operation.previous_state,
                      operation.failed_from, operation.version, operation.needs_review, operation.mint_address,
                      operation.key_id, operation.image_cid, operation.metadata_cid, operation.signature,
                      operation.attempts, operation.next_attempt_at, operation.failure_class, operation.failure_code,
                      operation.failure_message, operation.trace_parent, operation.event_at, operation.updated_at,
                      operation.retry_terms AS "retry_terms: _",
                      attempt.signature AS "attempt_signature?", attempt.wire AS "wire?",
                      attempt.payer AS "payer?",
                      attempt.blockhash AS "blockhash?",
                      attempt.last_valid_block_height AS "last_valid_block_height?",
                      attempt.context_slot AS "context_slot?", attempt.compute_unit_price AS "compute_unit_price?",
                      attempt.endpoint AS "endpoint?", attempt.base_fee AS "base_fee?",
                      attempt.priority_fee AS "priority_fee?", attempt.rent AS "rent?",
                      attempt.protocol_fee AS "protocol_fee?"
               FROM minting_operations operation
               LEFT JOIN mint_attempts attempt ON attempt.operation_id = operation.id AND attempt.verdict IS NULL
               "# + $tail
            $(, $argument)*
        )
    };
}
pub(crate) use select_operations;

/// Reads values of one row, so that what cannot be read is named by table, column and row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<R> {
    pub table: &'static str,
    pub row: R,
}

impl<R: fmt::Display> Reader<R> {
    pub(crate) fn bad(&self, column: &'static str, problem: impl fmt::Display) -> BadData {
        BadData::new(self.table, column, &self.row, problem)
    }

    pub(crate) fn parse<T: FromStr>(&self, column: &'static str, text: &str) -> Result<T, BadData>
    where
        T::Err: fmt::Display,
    {
        text.parse().map_err(|error| self.bad(column, error))
    }

    pub(crate) fn parse_some<T: FromStr>(&self, column: &'static str, text: Option<&str>) -> Result<Option<T>, BadData>
    where
        T::Err: fmt::Display,
    {
        text.map(|text| self.parse(column, text)).transpose()
    }

    pub(crate) fn count(&self, column: &'static str, number: i64) -> Result<u64, BadData> {
        u64::try_from(number).map_err(|error| self.bad(column, error))
    }
}

impl<R: fmt::Display> Reader<R> {
    /// How a transaction ended; none while that is open.
    pub(crate) fn verdict(&self, name: Option<&str>) -> Result<Option<Verdict>, BadData> {
        let Some(name) = name else { return Ok(None) };
        let known = Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == name);
        known.map(Some).ok_or_else(|| self.bad("verdict", format_args!("unknown verdict {name:?}")))
    }
}

impl TryFrom<OperationRow> for Operation {
    type Error = BadData;

    fn try_from(row: OperationRow) -> Result<Self, BadData> {
        let read = Reader { table: "minting_operations", row: row.id };
        let content = serde_json::from_str(row.content.get()).map_err(|error| read.bad("content", error))?;
        let priority = Priority::from_name(&row.priority)
            .ok_or_else(|| read.bad("priority", format_args!("unknown priority {:?}", row.priority)))?;
        Ok(Self {
            id: OperationId::from_uuid(row.id),
            content,
            priority,
            state: read.parse("state", &row.state)?,
            previous_state: read.parse_some("previous_state", row.previous_state.as_deref())?,
            failed_from: read.parse_some("failed_from", row.failed_from.as_deref())?,
            mint_address: read.parse_some("mint_address", row.mint_address.as_deref())?,
            image_cid: read.parse_some("image_cid", row.image_cid.as_deref())?,
            metadata_cid: read.parse_some("metadata_cid", row.metadata_cid.as_deref())?,
            signature: read.parse_some("signature", row.signature.as_deref())?,
            failure: failure(read, row.failure_class, row.failure_code, row.failure_message)?,
            terms: terms(read, row.retry_terms.as_ref().map(|terms| &**terms.as_ref()))?,
            open_attempt: open_attempt(
                row.attempt_signature,
                row.wire,
                row.payer.as_deref(),
                row.blockhash,
                row.endpoint,
                [row.last_valid_block_height, row.context_slot, row.compute_unit_price],
                [row.base_fee, row.priority_fee, row.rent, row.protocol_fee],
            )?,
            user_id: row.user_id,
            version: row.version,
            needs_review: row.needs_review,
            key_id: row.key_id,
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at,
            trace_parent: row.trace_parent,
            event_at: row.event_at,
            updated_at: row.updated_at,
        })
    }
}

fn failure(
    read: Reader<Uuid>,
    class: Option<String>,
    code: Option<String>,
    message: Option<String>,
) -> Result<Option<Failure>, BadData> {
    let (Some(class), Some(code), Some(message)) = (class, code, message) else { return Ok(None) };
    let class = FailureClass::from_name(&class)
        .ok_or_else(|| read.bad("failure_class", format_args!("unknown class {class:?}")))?;
    Ok(Some(Failure { class, code: code.into(), message }))
}

fn terms(read: Reader<Uuid>, terms: Option<&RawValue>) -> Result<RetryTerms, BadData> {
    let Some(terms) = terms else { return Ok(RetryTerms::default()) };
    serde_json::from_str(terms.get()).map_err(|error| read.bad("retry_terms", error))
}

/// None of these columns can be null where there is an attempt, but for its payer and its cost.
fn open_attempt(
    signature: Option<String>,
    wire: Option<Vec<u8>>,
    payer: Option<&str>,
    blockhash: Option<String>,
    endpoint: Option<String>,
    numbers: [Option<i64>; 3],
    costs: [Option<i64>; 4],
) -> Result<Option<Attempt>, BadData> {
    let (Some(signature), Some(wire), Some(blockhash), Some(endpoint)) = (signature, wire, blockhash, endpoint) else {
        return Ok(None);
    };
    let [Some(last_valid_block_height), Some(context_slot), Some(compute_unit_price)] = numbers else {
        return Ok(None);
    };
    let read = Reader { table: "mint_attempts", row: &signature };
    Ok(Some(Attempt {
        signature: read.parse("signature", &signature)?,
        wire,
        payer: read.parse_some("payer", payer)?,
        last_valid_block_height: read.count("last_valid_block_height", last_valid_block_height)?,
        context_slot: read.count("context_slot", context_slot)?,
        compute_unit_price: read.count("compute_unit_price", compute_unit_price)?,
        cost: cost(&read, costs)?,
        blockhash,
        endpoint,
    }))
}
