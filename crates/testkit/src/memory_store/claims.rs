//! Claiming rows that are published from, and settling the claims: `crates/store/src/claims.rs` in memory.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{OperationId, Priority, State, Step};
use engine::{Claim, Reason, StoreError, Sweep};

use super::rows::{OperationEvent, OperationRow, Rows};

// All as the real store has them.
const LEASE: TimeDelta = TimeDelta::minutes(1);
const FRESH: TimeDelta = TimeDelta::seconds(15);
const CLOCKS: TimeDelta = TimeDelta::seconds(30);
const WAKES: u32 = 3;
const OWED: usize = 500;

impl OperationRow {
    fn is_free(&self, now: DateTime<Utc>) -> bool {
        self.claimed_until.is_none_or(|until| until <= now)
    }

    fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.operation.next_attempt_at.is_some_and(|at| at <= now)
    }
}

impl Rows {
    /// The free rows that are asked for, the first `most` of each key by the time they are ordered by.
    fn first<K: Ord>(
        &self,
        now: DateTime<Utc>,
        wanted: impl Fn(&OperationRow) -> Option<(K, usize, DateTime<Utc>)>,
    ) -> Vec<OperationId> {
        let mut groups: BTreeMap<(K, usize), Vec<_>> = BTreeMap::new();
        for (id, row) in self.operations.iter().filter(|(_, row)| row.is_free(now)) {
            if let Some((key, most, at)) = wanted(row) {
                groups.entry((key, most)).or_default().push((at, *id));
            }
        }
        let first = groups.into_iter().flat_map(|((_, most), mut rows)| {
            rows.sort();
            rows.into_iter().map(|(_, id)| id).take(most)
        });
        first.collect()
    }

    /// Leases rows to one process.
    fn lease(
        &mut self,
        ids: impl IntoIterator<Item = OperationId>,
        now: DateTime<Utc>,
        reason: impl Fn(&OperationRow) -> Reason,
    ) -> Result<Vec<Claim>, StoreError> {
        let until = now + LEASE;
        let mut claims = Vec::new();
        for id in ids {
            let Some(mut row) = self.operations.get(&id).cloned() else { continue };
            claims.push(Claim { id, until, reason: reason(&row) });
            row.claimed_until = Some(until);
            self.update(row)?;
        }
        Ok(claims)
    }

    pub fn claim_due(
        &mut self,
        step: Step,
        shares: &[(Priority, u32)],
        now: DateTime<Utc>,
    ) -> Result<Vec<Claim>, StoreError> {
        let due = self.first(now, |row| {
            let operation = &row.operation;
            let (_, most) = shares.iter().find(|(priority, _)| *priority == operation.priority)?;
            let key: (State, Priority) = (operation.state, operation.priority);
            let due = operation.state.step() == Some(step) && row.is_due(now);
            due.then_some((key, usize::try_from(*most).ok()?, operation.next_attempt_at?))
        });
        let mut claimed = self.first(now, |row| {
            let of_the_step = row.operation.state.step().is_none_or(|taking| taking == step);
            (of_the_step && row.status_owed).then_some(((), OWED, row.operation.updated_at))
        });
        claimed.extend(due);
        claimed.sort();
        claimed.dedup();
        self.lease(claimed, now, |row| if row.status_owed { Reason::Owed } else { Reason::Due })
    }

    /// A row that is claimed is left alone: what was published from it may have been judged by the old time already.
    pub fn hasten(&mut self, step: Step, now: DateTime<Utc>) -> Result<(), StoreError> {
        let waiting = self.first(now, |row| {
            let operation = &row.operation;
            let waits = operation.state.step() == Some(step) && operation.attempts == 0;
            let at = operation.next_attempt_at.filter(|at| waits && *at > now)?;
            Some(((), usize::MAX, at))
        });
        for id in waiting {
            let Some(mut row) = self.operations.get(&id).cloned() else { continue };
            row.operation.next_attempt_at = Some(now);
            self.update(row)?;
        }
        Ok(())
    }

    /// What every partition of the topic was consumed through, less what clocks may be apart.
    fn horizon(&self, sweep: &Sweep, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let through = (0..sweep.partitions).map(|id| {
            let row = self.consumed.get(&(sweep.topic.clone(), i32::try_from(id).ok()?))?;
            (row.reported_at >= now - FRESH).then_some(row.through)
        });
        let all: Option<Vec<_>> = through.collect();
        Some(all?.into_iter().min()? - CLOCKS)
    }

    pub fn claim_still(&mut self, sweep: &Sweep, now: DateTime<Utc>) -> Result<Vec<Claim>, StoreError> {
        let Some(horizon) = self.horizon(sweep, now) else { return Ok(Vec::new()) };
        let still = self.first(now, |row| {
            let operation = &row.operation;
            let of_the_sweep = operation.state.step() == Some(sweep.step) && operation.priority == sweep.priority;
            let old = operation.updated_at < horizon && row.requested_at.is_none_or(|at| at < horizon);
            let carried = operation.next_attempt_at.is_some() || row.status_owed;
            let given_up = row.wakes >= WAKES && operation.needs_review.is_some();
            let most = usize::try_from(sweep.limit).ok()?;
            (of_the_sweep && old && !carried && !given_up).then_some(((), most, operation.updated_at))
        });
        self.lease(still, now, |row| Reason::Still { wakes: row.wakes })
    }

    /// A transition and a put-off end the claim, so that what is settled is what was claimed.
    pub fn settle(&mut self, claims: &[Claim], now: DateTime<Utc>) -> Result<(), StoreError> {
        for Claim { id, until, reason } in claims {
            let held = |row: &&OperationRow| row.claimed_until == Some(*until);
            let Some(mut row) = self.operations.get(id).filter(held).cloned() else { continue };
            let woken = matches!(reason, Reason::Still { .. });
            row.claimed_until = None;
            row.requested_at = Some(now);
            row.operation.next_attempt_at = row.operation.next_attempt_at.filter(|at| *at > now);
            row.status_owed &= *reason == Reason::Due;
            row.wakes += u32::from(woken);
            let (version, from) = (row.operation.version, Some(row.operation.state));
            self.update(row)?;
            if woken {
                self.tell(*id, OperationEvent { kind: "woken", version, from, to: None, at: now });
            }
        }
        Ok(())
    }
}
