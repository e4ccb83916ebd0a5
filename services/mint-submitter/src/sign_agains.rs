//! How often an operation was signed again. Counted in this process alone: after a restart it starts from nothing, which
//! costs another round of attempts and no safety, for each of them is decided before the next.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::OperationId;

/// Operations that are remembered at most; those that moved to another process are never forgotten otherwise.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct SignAgains(Mutex<HashMap<OperationId, u32>>);

impl SignAgains {
    pub fn count(&self, id: &OperationId) -> u32 {
        self.lock().get(id).copied().unwrap_or(0)
    }

    pub fn set(&self, id: OperationId, count: u32) {
        let mut counts = self.lock();
        if counts.len() >= MOST {
            counts.clear();
        }
        counts.insert(id, count);
    }

    pub fn forget(&self, id: &OperationId) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OperationId, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
