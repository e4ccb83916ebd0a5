//! When accounts came to be, as far as the fronts can tell: from what was sent through them.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;
use solana_sdk::{pubkey::Pubkey, transaction::VersionedTransaction};
use tokio::time::Instant;

/// Longer than any endpoint is told to be behind.
const REMEMBERED: Duration = Duration::from_mins(10);

/// Accounts that a transaction wrote, oldest first.
#[derive(Debug, Default)]
pub(super) struct Births(Mutex<VecDeque<(Instant, Pubkey)>>);

impl Births {
    /// Notes what a `sendTransaction` writes: all but the fee payer, who was there before, is taken as made by it.
    pub(super) fn note(&self, call: &[u8]) {
        let Some(transaction) = transaction_of(call) else { return };
        let now = Instant::now();
        let mut births = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while births.front().is_some_and(|(at, _)| now - *at > REMEMBERED) {
            births.pop_front();
        }
        let message = transaction.message;
        let is_written = |index| message.is_maybe_writable_with_reserved_addresses(index, None::<&HashSet<Pubkey>>);
        let others = message.static_account_keys().iter().enumerate().skip(1);
        births.extend(others.filter(|(index, _)| is_written(*index)).map(|(_, key)| (now, *key)));
    }

    /// Whether an account was made within the last `time`.
    pub(super) fn is_younger(&self, address: &str, time: Duration) -> bool {
        let Ok(address) = address.parse::<Pubkey>() else { return false };
        let births = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let birth = births.iter().find(|(_, key)| *key == address);
        birth.is_some_and(|(at, _)| at.elapsed() < time)
    }
}

/// What a call sends, where it is in base64 as every client of today sends it.
fn transaction_of(call: &[u8]) -> Option<VersionedTransaction> {
    let call: Value = serde_json::from_slice(call).ok()?;
    let wire = BASE64_STANDARD.decode(call.pointer("/params/0")?.as_str()?).ok()?;
    bincode::deserialize(&wire).ok()
}
