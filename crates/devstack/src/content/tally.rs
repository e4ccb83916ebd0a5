//! Counts of requests by kind.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// How often each kind of request was made since the start.
#[derive(Debug)]
pub(super) struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    /// Every kind is there from the beginning, at zero.
    pub fn of(kinds: &[&'static str]) -> Self {
        Self(Mutex::new(kinds.iter().map(|kind| (*kind, 0)).collect()))
    }

    pub fn note(&self, kind: &'static str) {
        *self.0.lock().expect("counting does not panic").entry(kind).or_default() += 1;
    }

    pub fn read(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().expect("counting does not panic").clone()
    }
}
