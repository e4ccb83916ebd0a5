//! What survives every process, as a test sees it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, SubsecRound, Utc};
use domain::{Cid, Clock, Failure, NftRecord, Operation, OperationId, Signature};
use engine::StoreError;

use super::rows::{OperationEvent, OperationRow, PinRow, PinState, RecordedAttempt, Rows};
use crate::conformance::store::Bookkeeping;
use crate::test_clock::TestClock;
use crate::transitions::later;

/// The database. Its time is the clock it was made with.
pub struct Tables {
    rows: Mutex<Rows>,
    clock: Box<dyn Clock>,
}

impl Default for Tables {
    /// On the runtime's clock, from the epoch on.
    fn default() -> Self {
        Self::on(TestClock::default())
    }
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Tables {
    /// A database whose time that clock tells.
    pub fn on(clock: impl Clock) -> Self {
        Self { rows: Mutex::default(), clock: Box::new(clock) }
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database's time, to the microsecond as it keeps it.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(6)
    }

    /// Executes a statement: all of it, or nothing where it fails.
    pub(super) fn execute<T>(
        &self,
        run: impl FnOnce(&mut Rows, DateTime<Utc>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut rows = self.rows();
        let answer = run(&mut rows, self.now());
        if answer.is_ok() {
            rows.keep();
        } else {
            rows.take_back();
        }
        answer
    }

    /// The row as it stands, open attempt included.
    pub fn operation(&self, id: OperationId) -> Option<Operation> {
        self.rows().operation(id)
    }

    /// Every operation's id.
    pub fn ids(&self) -> Vec<OperationId> {
        self.rows().operations.iter().map(|(id, _)| *id).collect()
    }

    /// What happened to an operation, in order.
    pub fn history(&self, id: OperationId) -> Vec<OperationEvent> {
        self.rows().history(id).cloned().collect()
    }

    /// Every attempt on record, each operation's in the order they were signed.
    pub fn attempts(&self) -> Vec<RecordedAttempt> {
        let mut attempts: Vec<_> = self.rows().attempts.iter().map(|(_, row)| row.clone()).collect();
        attempts.sort_by_key(|row| (row.operation, row.version));
        attempts
    }

    /// Whether an attempt is on record.
    pub fn has_attempt(&self, signature: &Signature) -> bool {
        self.rows().attempts.get(signature).is_some()
    }

    /// The finished record of an operation, and when it was verified.
    pub fn nft(&self, id: OperationId) -> Option<(NftRecord, Option<DateTime<Utc>>)> {
        let rows = self.rows();
        let (_, row) = rows.nfts.iter().find(|(_, row)| row.operation == id)?;
        Some((row.record.clone(), row.verified_at))
    }

    /// Whether a row's status is owed.
    pub fn owes_status(&self, id: OperationId) -> bool {
        self.bookkeeping(id).status_owed
    }

    /// How often anything was woken.
    pub fn woken(&self) -> usize {
        let rows = self.rows();
        let woken = |id: &OperationId| rows.history(*id).filter(|event| event.kind == "woken").count();
        rows.operations.iter().map(|(id, _)| woken(id)).sum()
    }

    /// What a row has that the domain knows nothing of; of no row, nothing.
    pub fn bookkeeping(&self, id: OperationId) -> Bookkeeping {
        let rows = self.rows();
        rows.operations.get(&id).map_or_else(Bookkeeping::default, |row| Bookkeeping {
            claimed: row.claimed_until.is_some(),
            requested: row.requested_at.is_some(),
            wakes: row.wakes,
            status_owed: row.status_owed,
        })
    }

    /// Changes a row as a person would with a prompt, with a status that is owed. The content is amended by it: the
    /// event's own stays what it was.
    ///
    /// # Panics
    /// Where a trigger or a constraint refuses it, or there is no such row.
    pub fn type_over(&self, id: OperationId, change: impl FnOnce(&mut Operation)) {
        self.type_row(id, |row| {
            change(&mut row.operation);
            row.status_owed = true;
        });
    }

    /// Leaves on a row all that a step can go through, as [`StoreWorld::wear`] has it.
    ///
    /// # Panics
    /// Where there is no such row.
    ///
    /// [`StoreWorld::wear`]: crate::conformance::store::StoreWorld::wear
    pub fn wear(&self, id: OperationId) {
        self.type_row(id, |row| {
            row.operation.attempts = 3;
            row.operation.next_attempt_at = Some(later());
            row.operation.needs_review = Some("look".into());
            row.operation.failure = Some(Failure::transient("c", "m"));
            row.claimed_until = Some(later());
            row.requested_at = Some(self.now());
            row.wakes = 2;
            row.status_owed = true;
        });
    }

    /// Changes any column of a row.
    fn type_row(&self, id: OperationId, change: impl FnOnce(&mut OperationRow)) {
        let typed = self.execute(|rows, _| {
            let mut row = rows.operations.get(&id).cloned().expect("the operation has a row");
            change(&mut row);
            rows.update(row)
        });
        typed.unwrap_or_else(|refusal| panic!("{refusal}"));
    }

    /// Puts a content at a provider, or takes it from there, as a person would with a prompt.
    pub fn type_pin(&self, cid: &Cid, provider: &str, state: PinState) {
        let (key, now) = ((cid.clone(), provider.to_owned()), self.now());
        let mut rows = self.rows();
        let before = rows.pins.get(&key).and_then(|row| row.unpinned_at);
        let unpinned_at = if state == PinState::Unpinning { Some(now) } else { before };
        rows.pins.put(key, PinRow { state, claimed_until: None, unpinned_at });
        rows.keep();
    }

    /// Every content at every provider.
    pub fn pins(&self) -> Vec<(Cid, String, PinState)> {
        self.rows().pins.iter().map(|((cid, provider), row)| (cid.clone(), provider.clone(), row.state)).collect()
    }
}
