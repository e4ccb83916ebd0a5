//! What came of the operations of one row.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::State;

use crate::demo::{Journey, created_at};

use super::rows::Row;
use super::trouble::Over;

/// What came of the operations that were published before, during and after one trouble.
#[derive(Debug)]
pub struct Outcome {
    /// The trouble.
    pub row: Row,
    /// How long it lasted.
    pub lasted: Duration,
    /// Operations published.
    pub operations: usize,
    /// Poison records published among them.
    pub poison: usize,
    /// Operations that ended VERIFIED.
    pub verified: usize,
    /// Operations that nobody ever told of.
    pub lost: usize,
    /// Operations that were accepted and have not come to an end.
    pub stuck: usize,
    /// NFTs beyond one per operation.
    pub duplicates: usize,
    /// Records in the dead letter topics.
    pub dead_lettered: usize,
    /// What the referee found, beyond what is counted above.
    pub wrong: Vec<String>,
    /// The longest that an operation took beyond what is usual.
    pub worst_delay: Duration,
    /// From the end of the trouble until every operation was through that had been published in the meantime, beyond
    /// what is usual.
    pub drained_after: Duration,
    /// Requests that reached what was faulty, where somebody counts them.
    pub reached: Option<u64>,
}

impl Outcome {
    /// Counts; what referee and dead letters say comes later.
    pub(super) fn of(row: Row, journeys: &[Journey], usual: Duration, over: &Over) -> Self {
        let count = |of: &dyn Fn(&Journey) -> bool| journeys.iter().filter(|journey| of(journey)).count();
        let longest = |from: &dyn Fn(&Journey) -> DateTime<Utc>| {
            let taken = journeys.iter().filter_map(|journey| took(journey, from(journey)));
            taken.max().unwrap_or_default().saturating_sub(usual)
        };
        Self {
            row,
            lasted: (over.at - over.since).to_std().unwrap_or_default(),
            operations: journeys.len(),
            poison: 0,
            verified: count(&|journey| journey.reached.contains_key(&State::Verified)),
            lost: count(&|journey| journey.latest.is_none()),
            stuck: count(&|journey| journey.latest.is_some() && !journey.ended()),
            duplicates: 0,
            dead_lettered: 0,
            wrong: Vec::new(),
            worst_delay: longest(&published_at),
            drained_after: longest(&|journey| published_at(journey).max(over.at)),
            reached: over.reached,
        }
    }

    /// Whether every operation became one right NFT and every poison record a dead letter.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.verified == self.operations
            && self.duplicates == 0
            && self.wrong.is_empty()
            && self.dead_lettered == self.poison
    }
}

/// The median time from published to verified.
pub(super) fn usual(journeys: &[Journey]) -> Duration {
    let mut times: Vec<_> = journeys.iter().filter_map(|journey| took(journey, published_at(journey))).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn published_at(journey: &Journey) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(created_at(journey.order.event.operation_id)).unwrap_or_default()
}

/// From some time until it was verified.
fn took(journey: &Journey, from: DateTime<Utc>) -> Option<Duration> {
    let verified = *journey.reached.get(&State::Verified)?;
    Some((verified - from).to_std().unwrap_or_default())
}
