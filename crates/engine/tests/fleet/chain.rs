//! A chain with the one rule that matters: an address is minted once.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

use domain::{OperationId, Signature};

#[derive(Debug, Default)]
pub struct Chain {
    minted: Mutex<HashMap<OperationId, Signature>>,
    seen: Mutex<HashMap<OperationId, HashSet<Signature>>>,
    signed: AtomicU8,
}

impl Chain {
    /// A signature that nobody had before.
    pub fn sign(&self) -> Signature {
        Signature::from_bytes([self.signed.fetch_add(1, Ordering::SeqCst) + 1; 64])
    }

    /// Lands a transaction: the first one mints, every other one fails.
    pub fn land(&self, id: OperationId, signature: Signature) {
        self.seen.lock().unwrap().entry(id).or_default().insert(signature);
        self.minted.lock().unwrap().entry(id).or_insert(signature);
    }

    pub fn minted_by(&self, id: OperationId) -> Option<Signature> {
        self.minted.lock().unwrap().get(&id).copied()
    }

    /// Different transactions that were sent for an operation.
    pub fn transactions(&self, id: OperationId) -> usize {
        self.seen.lock().unwrap().get(&id).map_or(0, HashSet::len)
    }
}
