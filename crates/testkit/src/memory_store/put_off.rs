//! Recording tries that failed.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use engine::{PutOff, StoreError};

use super::refusal::{out_of_range, out_of_time, printable_failure};
use super::rows::{OperationEvent, OperationRow, Rows};

impl Rows {
    /// Of an operation's views in one batch the first is taken.
    pub fn put_off(&mut self, batch: &[PutOff], now: DateTime<Utc>) -> Result<Vec<bool>, StoreError> {
        let mut seen = BTreeSet::new();
        let mut answers = Vec::with_capacity(batch.len());
        for put_off in batch {
            let first = seen.insert(put_off.operation.id);
            answers.push(first && self.put_off_one(put_off, now)?);
        }
        Ok(answers)
    }

    fn put_off_one(&mut self, put_off: &PutOff, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let PutOff { operation: seen, failure, spends, wait } = put_off;
        let as_seen = |row: &&OperationRow| {
            let now = &row.operation;
            (now.version, now.state, now.attempts) == (seen.version, seen.state, seen.attempts)
        };
        let Some(mut row) = self.operations.get(&seen.id).filter(as_seen).cloned() else { return Ok(false) };
        let until = |wait: Duration| Some(now.checked_add_signed(TimeDelta::from_std(wait).ok()?)?.round_subsecs(6));
        let failure = printable_failure(failure);
        let is_news = *spends || row.operation.failure.as_ref().map(|known| &known.code) != Some(&failure.code);
        row.operation.attempts = seen.attempts.checked_add(i32::from(*spends)).ok_or_else(out_of_range)?;
        row.operation.next_attempt_at = wait.map(|wait| until(wait).ok_or_else(out_of_time)).transpose()?;
        row.operation.failure = Some(failure);
        // Whoever published from the row does not take the new wait for the one it published for.
        row.claimed_until = None;
        let (version, from) = (seen.version, Some(seen.state));
        self.update(row)?;
        if is_news {
            let kind = if *spends { "attempt-failed" } else { "delayed" };
            self.tell(seen.id, OperationEvent { kind, version, from, to: None, at: now });
        }
        Ok(true)
    }
}
