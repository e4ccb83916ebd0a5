//! How long a record waits for its next try, and where: short waits in its lane, longer ones in its operation's row.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{Failure, Operation};
use resilience::{Backoff, BackoffPolicy, Jitter};

use crate::processor::Trouble;

/// No wait in a lane is longer, jitter aside: behind the record waits the head of its partition.
const LONGEST_IN_LANE: Duration = Duration::from_secs(5);
/// What follows on the waits in the lane, as they double.
const FIRST_IN_ROW: Duration = Duration::from_secs(8);
/// Dependencies of ours come back: asked soon at first, and never more seldom than every 30 s.
const OF_DEPENDENCIES: BackoffPolicy =
    BackoffPolicy { first: Duration::from_millis(500), factor: 2.0, cap: Duration::from_secs(30), jitter: 0.2 };
/// Somebody else's server: 1 s, 2 s, 4 s and on.
const OF_STRANGERS: BackoffPolicy = BackoffPolicy { first: Duration::from_secs(1), ..OF_DEPENDENCIES };

/// Where the next try waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// In the lane; the record is not done.
    InLane(Duration),
    /// In the row; the record is done.
    InRow(Duration),
}

/// What one record has gone through in its lane.
#[derive(Debug)]
pub struct Tries {
    failed: u32,
    first_failed_at: Option<DateTime<Utc>>,
    jitter: Arc<Jitter>,
}

impl Tries {
    /// None yet.
    #[must_use]
    pub const fn new(jitter: Arc<Jitter>) -> Self {
        Self { failed: 0, first_failed_at: None, jitter }
    }

    /// Notes a try that failed.
    pub fn note(&mut self, now: DateTime<Utc>) {
        self.failed += 1;
        self.first_failed_at.get_or_insert(now);
    }

    /// How many failed.
    #[must_use]
    pub const fn failed(&self) -> u32 {
        self.failed
    }

    /// When the first of them did.
    #[must_use]
    pub const fn first_failed_at(&self) -> Option<DateTime<Utc>> {
        self.first_failed_at
    }

    /// Again in the lane, for what no row can wait for.
    #[must_use]
    pub fn again(&self, failure: Failure) -> Trouble {
        Trouble::Again { failure, pause: self.pause(OF_DEPENDENCIES, self.failed).min(LONGEST_IN_LANE) }
    }

    /// The wait for a dependency of ours. Whoever waited in the row before tries once and goes back there, for its lane has
    /// had its tries: as long again as it has stood by `now`, which doubles from one time to the next.
    pub(crate) fn of_dependency(&self, operation: &Operation, now: DateTime<Utc>) -> Wait {
        if operation.failure.is_none() {
            return Wait::of(self.pause(OF_DEPENDENCIES, self.failed));
        }
        let stood = (now - operation.updated_at).to_std().unwrap_or_default();
        let first = stood.clamp(FIRST_IN_ROW, OF_DEPENDENCIES.cap);
        Wait::InRow(self.pause(BackoffPolicy { first, ..OF_DEPENDENCIES }, 0))
    }

    /// The wait for something foreign, by the attempts on record.
    pub(crate) fn of_stranger(&self, operation: &Operation) -> Wait {
        Wait::of(self.pause(OF_STRANGERS, operation.attempts.unsigned_abs()))
    }

    /// The pause after so many others.
    fn pause(&self, policy: BackoffPolicy, others: u32) -> Duration {
        /// So many doublings pass every cap.
        const ENOUGH: u32 = 16;
        let mut pauses = Backoff::new(policy, Arc::clone(&self.jitter));
        (0..=others.min(ENOUGH)).fold(Duration::ZERO, |_, _| pauses.next_pause())
    }
}

impl Wait {
    fn of(pause: Duration) -> Self {
        if pause > LONGEST_IN_LANE { Self::InRow(pause) } else { Self::InLane(pause) }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use testkit::{operation, operation_id};

    use super::*;

    fn tried(times: u32) -> Tries {
        let mut tries = Tries::new(Arc::new(Jitter::from_seed(1)));
        (0..times).for_each(|_| tries.note(DateTime::UNIX_EPOCH));
        tries
    }

    /// Milliseconds, jitter taken away.
    fn about(wait: Wait) -> (&'static str, u64) {
        let plain = |pause: Duration| {
            let steps = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];
            let close =
                |step: &u64| (*step * 8 / 10..=*step * 12 / 10).contains(&(u64::try_from(pause.as_millis()).unwrap()));
            steps.into_iter().find(close).unwrap_or_else(|| panic!("{pause:?}"))
        };
        match wait {
            Wait::InLane(pause) => ("lane", plain(pause)),
            Wait::InRow(pause) => ("row", plain(pause)),
        }
    }

    #[test]
    fn waits_for_a_dependency_grow_and_leave_the_lane() {
        let fresh = operation(operation_id(1));
        let lane = (0..5).map(|failed| about(tried(failed).of_dependency(&fresh, fresh.updated_at)));
        assert_eq!(
            lane.collect::<Vec<_>>(),
            [("lane", 500), ("lane", 1_000), ("lane", 2_000), ("lane", 4_000), ("row", 8_000)]
        );
        let waited = Operation { failure: Some(Failure::transient("c", "m")), ..fresh };
        let row = [1, 8, 16, 32, 3_600].map(|stood| {
            let now = waited.updated_at + TimeDelta::seconds(stood);
            about(tried(0).of_dependency(&waited, now))
        });
        assert_eq!(row, [("row", 8_000), ("row", 8_000), ("row", 16_000), ("row", 30_000), ("row", 30_000)]);
    }

    #[test]
    fn waits_for_a_stranger_go_by_what_is_on_record() {
        let waits = (0..5).map(|attempts| {
            let operation = Operation { attempts, ..operation(operation_id(1)) };
            about(tried(0).of_stranger(&operation))
        });
        assert_eq!(
            waits.collect::<Vec<_>>(),
            [("lane", 1_000), ("lane", 2_000), ("lane", 4_000), ("row", 8_000), ("row", 16_000)]
        );
    }

    #[test]
    fn nothing_waits_long_in_a_lane() {
        for failed in 0..40 {
            let trouble = tried(failed).again(Failure::transient("c", "m"));
            assert!(matches!(trouble, Trouble::Again { pause, .. } if pause <= LONGEST_IN_LANE), "{trouble:?}");
        }
    }
}
