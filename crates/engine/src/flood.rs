//! The flood guard: where most of what a partition brings is poison, something is wrong with who writes it or with us, not
//! with the records. Then the partition stands still until a person has looked, and its dead letters stay readable.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::metrics;
use crate::ports::Partition;

/// When poison is a flood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloodLimit {
    /// How many of a partition's last records are looked at. Fewer are no flood, whatever they are.
    pub records: usize,
    /// So many per cent of them may be poison, from 1 to 100. At 100 there is no guard.
    pub percent: u8,
}

/// What each partition has brought of late.
#[derive(Debug)]
pub struct FloodGuard {
    limit: FloodLimit,
    partitions: Mutex<HashMap<Partition, Seen>>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Seen {
    /// Oldest first; true is poison.
    last: VecDeque<bool>,
    poison: usize,
    stopped: bool,
}

impl FloodGuard {
    /// Nothing has been seen yet.
    #[must_use]
    pub fn new(limit: FloodLimit) -> Arc<Self> {
        Arc::new(Self { limit, partitions: Mutex::default(), changed: Notify::new() })
    }

    /// Notes a record that was no poison.
    pub fn good(&self, partition: &Partition) {
        self.note(partition, false);
    }

    /// Waits until a poison record of the partition may be put aside: at once, unless it stands still.
    pub async fn poison(&self, partition: &Partition) {
        loop {
            // Registered before the question, so that an answer in between is not missed.
            let changed = self.changed.notified();
            if self.lets_through(partition) {
                return;
            }
            changed.await;
        }
    }

    /// The partitions that stand still.
    #[must_use]
    pub fn stopped(&self) -> Vec<Partition> {
        let partitions = self.lock();
        let mut stopped: Vec<_> =
            partitions.iter().filter(|(_, seen)| seen.stopped).map(|(partition, _)| partition.clone()).collect();
        stopped.sort();
        stopped
    }

    /// Lets every partition go on, each with a clean slate: a person has looked. Answers with those that stood still.
    pub fn release(&self) -> Vec<Partition> {
        let stopped = self.stopped();
        self.lock().clear();
        self.changed.notify_waiters();
        stopped
    }

    fn lets_through(&self, partition: &Partition) -> bool {
        if self.lock().get(partition).is_some_and(|seen| seen.stopped) {
            return false;
        }
        !self.note(partition, true)
    }

    /// Whether the partition stands still now.
    fn note(&self, partition: &Partition, poison: bool) -> bool {
        let mut partitions = self.lock();
        let seen = partitions.entry(partition.clone()).or_default();
        seen.last.push_back(poison);
        seen.poison += usize::from(poison);
        if seen.last.len() > self.limit.records {
            seen.poison -= usize::from(seen.last.pop_front().unwrap_or(false));
        }
        if !seen.stopped && poison && self.limit.is_exceeded(seen) {
            seen.stopped = true;
            metrics::flooded(&partition.topic);
            tracing::error!(
                kafka.topic = %partition.topic,
                kafka.partition = partition.id,
                poison = seen.poison,
                records = seen.last.len(),
                "flood of poison: the partition stands still until somebody looked and asks for POST /floods/release"
            );
        }
        seen.stopped
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Partition, Seen>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FloodLimit {
    fn is_exceeded(&self, seen: &Seen) -> bool {
        let records = seen.last.len();
        records >= self.records && seen.poison * 100 > records * usize::from(self.percent)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const LIMIT: FloodLimit = FloodLimit { records: 10, percent: 50 };

    fn partition(id: i32) -> Partition {
        Partition { topic: "t".into(), id }
    }

    fn passes(guard: &FloodGuard, id: i32) -> bool {
        guard.poison(&partition(id)).now_or_never().is_some()
    }

    #[test]
    fn some_poison_among_good_records_is_no_flood() {
        let guard = FloodGuard::new(LIMIT);
        for _ in 0..100 {
            guard.good(&partition(0));
            assert!(passes(&guard, 0));
        }
        assert_eq!(guard.stopped(), []);
    }

    #[test]
    fn a_flood_stops_its_partition_and_no_other_until_somebody_looked() {
        let guard = FloodGuard::new(LIMIT);
        assert_eq!((0..50).filter(|_| passes(&guard, 0)).count(), 9);
        assert!(passes(&guard, 1));
        assert_eq!(guard.stopped(), [partition(0)]);
        let flooded = partition(0);
        let mut waiting = guard.poison(&flooded).boxed();
        assert!((&mut waiting).now_or_never().is_none());
        assert_eq!(guard.release(), [partition(0)]);
        assert!(waiting.now_or_never().is_some());
        assert_eq!(guard.stopped(), []);
    }

    #[test]
    fn at_a_hundred_per_cent_there_is_no_guard() {
        let guard = FloodGuard::new(FloodLimit { percent: 100, ..LIMIT });
        assert_eq!((0..50).filter(|_| passes(&guard, 0)).count(), 50);
    }
}
