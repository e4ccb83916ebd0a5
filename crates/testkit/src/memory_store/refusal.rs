//! What PostgreSQL refuses to store, and the SQLSTATE it does it with.

use std::fmt;

use domain::{Failure, MintCost, NewOperation, Transition};
use engine::StoreError;

/// `unique_violation`.
pub const UNIQUE: &str = "23505";
/// `check_violation`.
pub const CHECK: &str = "23514";
/// What triggers of ours raise.
pub const RAISED: &str = "P0001";
/// `numeric_value_out_of_range`.
const OUT_OF_RANGE: &str = "22003";
/// `untranslatable_character`: NUL, in text that comes as JSON.
const UNTRANSLATABLE: &str = "22P05";
/// `datetime_field_overflow`.
const TIME_OVERFLOW: &str = "22008";

pub fn refused(sqlstate: &str, message: impl fmt::Display) -> StoreError {
    StoreError::Row { sqlstate: sqlstate.into(), message: message.to_string() }
}

pub fn out_of_time() -> StoreError {
    refused(TIME_OVERFLOW, "timestamp out of range")
}

pub fn out_of_range() -> StoreError {
    refused(OUT_OF_RANGE, "integer out of range")
}

/// Text for people, stored whatever is in it.
pub fn printable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

pub fn printable_failure(failure: &Failure) -> Failure {
    let Failure { class, code, message } = failure;
    Failure { class: *class, code: printable(code).into(), message: printable(message) }
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<(), StoreError> {
    let has_nul = texts.into_iter().any(|text| text.contains('\0'));
    if has_nul { Err(refused(UNTRANSLATABLE, "unsupported Unicode escape sequence")) } else { Ok(()) }
}

fn bigints(numbers: impl IntoIterator<Item = u64>) -> Result<(), StoreError> {
    let too_large = numbers.into_iter().find(|number| i64::try_from(*number).is_err());
    too_large.map_or(Ok(()), |number| {
        Err(refused(OUT_OF_RANGE, format_args!("value \"{number}\" is out of range for type bigint")))
    })
}

/// Whether PostgreSQL can hold what the API asked for.
pub fn storable_operation(new: &NewOperation) -> Result<(), StoreError> {
    let nft = &new.content.nft;
    let attributes = nft.attributes.iter().flat_map(|attribute| [&*attribute.trait_type, &*attribute.value]);
    let own = [&*new.user_id, &*nft.name, &*nft.symbol, &*nft.description, &*nft.image];
    texts(own.into_iter().chain(new.trace_parent.as_deref()).chain(attributes))
}

/// Whether PostgreSQL can hold what a transition brings.
pub fn storable_transition(transition: &Transition) -> Result<(), StoreError> {
    match transition {
        Transition::Submitted { key_id, attempt, .. } => {
            texts([&**key_id, &*attempt.blockhash, &*attempt.endpoint])?;
            bigints([attempt.last_valid_block_height, attempt.context_slot, attempt.compute_unit_price])?;
            attempt.cost.map_or(Ok(()), |MintCost { base_fee, priority_fee, rent, protocol_fee }| {
                bigints([base_fee, priority_fee, rent, protocol_fee])
            })
        }
        Transition::DatabaseUpdated { record } => {
            texts([&*record.name, &*record.symbol, &*record.uri])?;
            bigints([record.slot])
        }
        Transition::ImageUploaded { .. }
        | Transition::IpfsUploaded { .. }
        | Transition::Confirmed { .. }
        | Transition::Dropped
        | Transition::Verified
        | Transition::Failed { .. } => Ok(()),
    }
}
