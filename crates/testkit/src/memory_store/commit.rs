//! Committing transitions, with the guards of `crates/store/src/commit.sql`; and flags.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{Cid, DecidedAttempt, OperationId, Signature, Transition, Verdict};
use engine::{Commit, Committed, StoreError};

use super::refusal::{RAISED, printable_failure, refused, storable_transition};
use super::rows::{OperationEvent, OperationRow, RecordedAttempt, Rows};

impl Rows {
    /// Of two transitions of one operation the first is tried.
    pub fn commit(&mut self, batch: &[Commit], now: DateTime<Utc>) -> Result<Vec<Committed>, StoreError> {
        let mut seen = BTreeSet::new();
        let firsts: Vec<bool> = batch.iter().map(|commit| seen.insert(commit.operation.id)).collect();
        let tried = || batch.iter().zip(&firsts);
        tried().filter(|(_, first)| **first).try_for_each(|(commit, _)| storable_transition(&commit.transition))?;
        let answers = tried().map(|(commit, first)| match first {
            true => self.commit_one(commit, now),
            false => Ok(Committed::Overtaken),
        });
        answers.collect()
    }

    fn commit_one(&mut self, commit: &Commit, now: DateTime<Utc>) -> Result<Committed, StoreError> {
        let Commit { operation: seen, transition } = commit;
        let as_seen = |row: &&OperationRow| (row.operation.version, row.operation.state) == (seen.version, seen.state);
        let Some(row) = self.operations.get(&seen.id).filter(as_seen).cloned() else { return Ok(Committed::Overtaken) };
        if !contents(transition).into_iter().flatten().all(|cid| self.is_pinned(cid)) {
            return Ok(Committed::NotPinned);
        }
        let takes_address = matches!(transition, Transition::Submitted { .. } | Transition::Confirmed { .. });
        if !self.attempts_allow(seen.id, transition) || (takes_address && !self.is_paid(&row.operation)) {
            return Ok(Committed::Overtaken);
        }
        let mut next = row.operation.after(transition, now).map_err(|illegal| refused(RAISED, illegal))?;
        next.open_attempt = None;
        next.failure = next.failure.as_ref().map(printable_failure);
        let (version, from, to) = (next.version, Some(seen.state), Some(next.state));
        // A record came with this change, and stays until the status is told; but none may be left where the row is to be
        // published from.
        let status_owed = row.status_owed || row.operation.next_attempt_at.is_some() || row.claimed_until.is_some();
        self.update(OperationRow { operation: next, status_owed, ..row })?;
        self.bring(seen.id, version, transition, now)?;
        self.tell(seen.id, OperationEvent { kind: "transition", version, from, to, at: now });
        Ok(Committed::At(now))
    }

    /// What a transition brings besides the row's own change.
    fn bring(
        &mut self,
        operation: OperationId,
        version: i64,
        transition: &Transition,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        match transition {
            Transition::Submitted { attempt, decided, .. } => {
                self.decide_as_told(operation, decided.as_ref());
                self.sign(RecordedAttempt { operation, version, attempt: attempt.clone(), verdict: None })
            }
            Transition::Failed { decided, .. } => {
                self.decide_as_told(operation, decided.as_ref());
                Ok(())
            }
            Transition::DatabaseUpdated { record } => {
                // Another one than the minting attempt can mint nothing any more.
                let is_it = |signature: &Signature| *signature == record.signature;
                self.decide(operation, |open| if is_it(open) { Verdict::Finalized } else { Verdict::Expired });
                self.record(operation, record)
            }
            Transition::Verified => {
                self.verify(operation, now);
                Ok(())
            }
            Transition::ImageUploaded { .. }
            | Transition::IpfsUploaded { .. }
            | Transition::Confirmed { .. }
            | Transition::Dropped => Ok(()),
        }
    }

    fn decide_as_told(&mut self, operation: OperationId, decided: Option<&DecidedAttempt>) {
        if let Some(decided) = decided {
            self.decide(operation, |_| decided.verdict);
        }
    }

    /// Nothing is signed and nothing fails while an attempt is undecided, but for the one that this decides; and what is
    /// decided is undecided so far.
    fn attempts_allow(&self, id: OperationId, transition: &Transition) -> bool {
        match transition {
            Transition::Submitted { decided, .. } | Transition::Failed { decided, .. } => {
                let open = self.open_attempt(id).map(|row| row.attempt.signature);
                open == decided.map(|decided| decided.signature)
            }
            Transition::ImageUploaded { .. }
            | Transition::IpfsUploaded { .. }
            | Transition::Confirmed { .. }
            | Transition::Dropped
            | Transition::DatabaseUpdated { .. }
            | Transition::Verified => true,
        }
    }

    /// Keeps the first reason.
    pub fn flag(&mut self, id: OperationId, reason: String, now: DateTime<Utc>) -> Result<(), StoreError> {
        let is_new = |row: &&OperationRow| row.operation.needs_review.is_none();
        let Some(mut row) = self.operations.get(&id).filter(is_new).cloned() else { return Ok(()) };
        row.operation.needs_review = Some(reason);
        let (version, from) = (row.operation.version, Some(row.operation.state));
        self.update(row)?;
        self.tell(id, OperationEvent { kind: "flagged", version, from, to: None, at: now });
        Ok(())
    }
}

/// The contents that a transition stores.
fn contents(transition: &Transition) -> [Option<&Cid>; 2] {
    match transition {
        Transition::ImageUploaded { image_cid } => [Some(image_cid), None],
        Transition::IpfsUploaded { image_cid, metadata_cid } => [Some(image_cid), Some(metadata_cid)],
        Transition::Submitted { .. }
        | Transition::Confirmed { .. }
        | Transition::Dropped
        | Transition::DatabaseUpdated { .. }
        | Transition::Verified
        | Transition::Failed { .. } => [None, None],
    }
}
