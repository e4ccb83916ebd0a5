//! What rows own, in memory: claims and their leases, wakes, and how far partitions were consumed.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Operation, OperationId, Priority, Step};
use engine::{Claim, ConsumptionReport, Partition, PutOff, Reason, Sweep};

// All as the real store has them.
const LEASE: Duration = Duration::from_mins(1);
const FRESH: TimeDelta = TimeDelta::seconds(15);
const CLOCKS: TimeDelta = TimeDelta::seconds(30);
const WAKES: u32 = 3;

/// The columns of a row that are nobody's business but the redrive's and the sweeper's.
#[derive(Debug, Default, Clone, Copy)]
pub struct Upkept {
    claimed_until: Option<DateTime<Utc>>,
    requested_at: Option<DateTime<Utc>>,
    wakes: u32,
    /// Whether a status is owed.
    pub status_owed: bool,
}

/// A report as the table has it.
#[derive(Debug, Clone, Copy)]
struct Reported {
    epoch: i64,
    through: DateTime<Utc>,
    at: DateTime<Utc>,
}

/// Those columns of every row, and the table `consumed_through`.
#[derive(Debug, Default)]
pub struct Rows {
    upkept: HashMap<OperationId, Upkept>,
    reported: HashMap<(String, i32), Reported>,
    epochs: i64,
    /// How often anything was woken.
    pub woken: usize,
}

impl Rows {
    pub fn of(&mut self, id: OperationId) -> &mut Upkept {
        self.upkept.entry(id).or_default()
    }

    /// A transition begins the step anew, and its record tells the status.
    pub fn moved(&mut self, id: OperationId) {
        self.upkept.insert(id, Upkept::default());
    }

    /// Applies a put-off to a row that is as the step saw it.
    pub fn put_off(&mut self, row: &mut Operation, put_off: &PutOff, now: DateTime<Utc>) {
        self.of(row.id).claimed_until = None;
        row.attempts += i32::from(put_off.spends);
        row.next_attempt_at = put_off.wait.map(|wait| now + wait);
        row.failure = Some(put_off.failure.clone());
    }

    fn free(&mut self, id: OperationId, now: DateTime<Utc>) -> bool {
        self.of(id).claimed_until.is_none_or(|until| until <= now)
    }

    fn claim(&mut self, id: OperationId, reason: Reason, now: DateTime<Utc>) -> Claim {
        let until = now + LEASE;
        self.of(id).claimed_until = Some(until);
        Claim { id, until, reason }
    }

    pub fn claim_due<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a Operation>,
        step: Step,
        shares: &[(Priority, u32)],
        now: DateTime<Utc>,
    ) -> Vec<Claim> {
        let mut left: HashMap<Priority, u32> = shares.iter().copied().collect();
        let mut claims = Vec::new();
        for row in rows.filter(|row| row.state.step().is_none_or(|taking| taking == step)) {
            if !self.free(row.id, now) {
                continue;
            }
            let share = left.entry(row.priority).or_default();
            if self.of(row.id).status_owed {
                claims.push(self.claim(row.id, Reason::Owed, now));
            } else if row.next_attempt_at.is_some_and(|at| at <= now) && *share > 0 {
                *share -= 1;
                claims.push(self.claim(row.id, Reason::Due, now));
            }
        }
        claims
    }

    /// Lets a row's try be due that waits for a dependency.
    pub fn hasten(&mut self, row: &mut Operation, step: Step, now: DateTime<Utc>) {
        if row.state.step() == Some(step) && row.attempts == 0 && self.free(row.id, now) {
            row.next_attempt_at = row.next_attempt_at.map(|at| at.min(now));
        }
    }

    fn horizon(&self, sweep: &Sweep, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let through = (0..sweep.partitions).map(|id| {
            let id = i32::try_from(id).ok()?;
            let reported = self.reported.get(&(sweep.topic.clone(), id))?;
            (reported.at >= now - FRESH).then_some(reported.through)
        });
        let all: Option<Vec<_>> = through.collect();
        Some(all?.into_iter().min()? - CLOCKS)
    }

    pub fn claim_still<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a Operation>,
        sweep: &Sweep,
        now: DateTime<Utc>,
    ) -> Vec<Claim> {
        let Some(horizon) = self.horizon(sweep, now) else { return Vec::new() };
        let mut claims = Vec::new();
        for row in rows.filter(|row| row.state.step() == Some(sweep.step) && row.priority == sweep.priority) {
            let upkept = *self.of(row.id);
            let last_published = upkept.requested_at.unwrap_or(row.updated_at).max(row.updated_at);
            let given_up = upkept.wakes >= WAKES && row.needs_review.is_some();
            let owns = row.next_attempt_at.is_some() || upkept.status_owed;
            let still = last_published < horizon && !owns && !given_up;
            if still && self.free(row.id, now) {
                claims.push(self.claim(row.id, Reason::Still { wakes: upkept.wakes }, now));
            }
        }
        claims
    }

    /// Settles a claim that still holds; then the row owns no due try any more.
    pub fn settle(&mut self, row: &mut Operation, claim: &Claim, now: DateTime<Utc>) {
        let upkept = self.of(claim.id);
        if upkept.claimed_until != Some(claim.until) {
            return;
        }
        let woken = matches!(claim.reason, Reason::Still { .. });
        *upkept = Upkept {
            claimed_until: None,
            requested_at: Some(now),
            wakes: upkept.wakes + u32::from(woken),
            status_owed: upkept.status_owed && claim.reason == Reason::Due,
        };
        self.woken += usize::from(woken);
        row.next_attempt_at = row.next_attempt_at.filter(|at| *at > now);
    }

    pub fn report(&mut self, report: &ConsumptionReport, now: DateTime<Utc>) -> Option<i64> {
        let Partition { topic, id } = &report.partition;
        let epoch = report.epoch.unwrap_or_else(|| {
            self.epochs += 1;
            self.epochs
        });
        let known = self.reported.get(&(topic.to_string(), *id));
        if known.is_some_and(|known| known.epoch > epoch) {
            return None;
        }
        self.reported.insert((topic.to_string(), *id), Reported { epoch, through: report.through, at: now });
        Some(epoch)
    }
}
