//! What this process remembers of the operations that it mints. After a restart it starts from nothing, which costs
//! another round of attempts and no safety, for each of them is decided before the next.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{OperationId, Signature};

use crate::fate::Sends;

/// Operations that are remembered at most; those that moved to another process are never forgotten otherwise.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
struct Past {
    /// The attempts that counted: each once, though the step may have to conclude anew what the database did not store.
    counted: Vec<Signature>,
    /// The attempt that was carried last, and what its sends came to.
    carried: Option<(Signature, Sends)>,
}

/// How often each was signed for again, and what became of its open attempt so far.
#[derive(Debug, Default)]
pub(crate) struct Tried(Mutex<HashMap<OperationId, Past>>);

impl Tried {
    pub fn signed_again(&self, id: &OperationId) -> u32 {
        self.lock().get(id).map_or(0, |past| u32::try_from(past.counted.len()).unwrap_or(u32::MAX))
    }

    /// That attempt is over, and counts.
    pub fn count(&self, id: OperationId, attempt: Signature) {
        self.change(id, |past| {
            if !past.counted.contains(&attempt) {
                past.counted.push(attempt);
            }
        });
    }

    /// What the sends of that attempt have come to. Trouble of an endpoint may have ended the step in between.
    pub fn sends(&self, id: &OperationId, attempt: &Signature) -> Sends {
        let past = self.lock();
        let carried = past.get(id).and_then(|past| past.carried.as_ref()).filter(|(of, _)| of == attempt);
        carried.map_or_else(Sends::default, |(_, sends)| Sends { seen: false, ..sends.clone() })
    }

    pub fn note_sends(&self, id: OperationId, attempt: Signature, sends: &Sends) {
        self.change(id, |past| past.carried = Some((attempt, sends.clone())));
    }

    pub fn forget(&self, id: &OperationId) {
        self.lock().remove(id);
    }

    fn change(&self, id: OperationId, change: impl FnOnce(&mut Past)) {
        let mut past = self.lock();
        if past.len() >= MOST && !past.contains_key(&id) {
            past.clear();
        }
        change(past.entry(id).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OperationId, Past>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
