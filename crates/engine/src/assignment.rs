//! The partitions this process owns now. The consumer thread and the runner share it; no call waits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use domain::Record;

use crate::offsets::OffsetTracker;
use crate::ports::Partition;

/// How much of one partition may be in hand at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Records received and not in the finished prefix.
    pub records: usize,
    /// Bytes of unfinished records.
    pub bytes: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self { records: 2_000, bytes: 16 << 20 }
    }
}

/// The right to finish one received record. Of an earlier assignment it is worth nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    partition: Partition,
    epoch: u64,
    offset: i64,
    bytes: usize,
}

impl Ticket {
    /// Where the record came from.
    #[must_use]
    pub const fn partition(&self) -> &Partition {
        &self.partition
    }
}

/// A record on its way to the runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What was read.
    pub record: Record,
    /// What finishes it.
    pub ticket: Ticket,
}

/// How far an owned partition was consumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumed {
    /// Which one.
    pub partition: Partition,
    /// Another one with every assignment in this process.
    pub epoch: u64,
    /// The record time up to which all is finished, where that is known.
    pub through: Option<DateTime<Utc>>,
    /// Whether records are in hand.
    pub busy: bool,
}

/// Partitions that have to be paused or resumed, because their window filled or emptied, or all work is held.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// To be paused.
    pub pause: Vec<Partition>,
    /// To be resumed.
    pub resume: Vec<Partition>,
}

#[derive(Debug)]
struct Owned {
    epoch: u64,
    tracker: OffsetTracker,
    bytes: usize,
    stored: Option<i64>,
    paused: bool,
}

/// Owned partitions, each under the epoch in which it was assigned.
#[derive(Debug, Default)]
pub struct Assignment {
    window: Window,
    /// In order, so that a run under a seed is the same again.
    owned: Mutex<BTreeMap<Partition, Owned>>,
    epochs: AtomicU64,
    held: AtomicBool,
}

impl Assignment {
    /// Owns nothing yet.
    #[must_use]
    pub fn new(window: Window) -> Arc<Self> {
        Arc::new(Self { window, ..Self::default() })
    }

    /// Takes partitions over, each under a new epoch, unpaused.
    pub fn assigned(&self, partitions: impl IntoIterator<Item = Partition>) {
        let mut owned = self.lock();
        for partition in partitions {
            let epoch = self.epochs.fetch_add(1, Ordering::Relaxed);
            let fresh = Owned { epoch, tracker: OffsetTracker::default(), bytes: 0, stored: None, paused: false };
            owned.insert(partition, fresh);
        }
    }

    /// Gives partitions up and returns where the next owner goes on: the positions to commit, unless the partitions were
    /// lost. What still runs finishes without effect.
    pub fn revoked<'a>(&self, partitions: impl IntoIterator<Item = &'a Partition>) -> Vec<(Partition, i64)> {
        let mut owned = self.lock();
        let given_up = partitions.into_iter().filter_map(|partition| owned.remove_entry(partition));
        given_up.filter_map(|(partition, owned)| Some((partition, owned.tracker.position()?))).collect()
    }

    /// Notes a received record; none where its partition is not ours any more or the record was received before.
    pub fn received(&self, record: &Record) -> Option<Ticket> {
        let partition = Partition { topic: record.topic.as_str().into(), id: record.partition };
        let mut owned = self.lock();
        let entry = owned.get_mut(&partition)?;
        if !entry.tracker.received(record.offset, record.timestamp) {
            return None;
        }
        let bytes = record.size();
        entry.bytes += bytes;
        Some(Ticket { epoch: entry.epoch, offset: record.offset, partition, bytes })
    }

    /// Whether a ticket is still worth something: its partition has been ours ever since.
    pub fn holds(&self, ticket: &Ticket) -> bool {
        self.lock().get(&ticket.partition).is_some_and(|entry| entry.epoch == ticket.epoch)
    }

    /// Notes that all work of a record is durable.
    pub fn finished(&self, ticket: &Ticket) {
        let mut owned = self.lock();
        if let Some(entry) = owned.get_mut(&ticket.partition)
            && entry.epoch == ticket.epoch
            && entry.tracker.finished(ticket.offset)
        {
            entry.bytes -= ticket.bytes;
        }
    }

    /// Positions that moved since the last call: to be stored.
    pub fn progress(&self) -> Vec<(Partition, i64)> {
        let mut owned = self.lock();
        let moved = owned.iter_mut().filter_map(|(partition, entry)| {
            let position = entry.tracker.position()?;
            (entry.stored.replace(position) != Some(position)).then(|| (partition.clone(), position))
        });
        moved.collect()
    }

    /// What has to be paused or resumed since the last call. A full window pauses, half a window resumes: a pause throws
    /// away what was fetched ahead, so it must not flutter. While work is held everything is paused, whenever it was
    /// assigned.
    pub fn flow(&self) -> Flow {
        let held = self.is_held();
        let mut flow = Flow::default();
        for (partition, entry) in &mut *self.lock() {
            let (records, bytes) = (entry.tracker.window(), entry.bytes);
            let full = records >= self.window.records || bytes >= self.window.bytes;
            let relaxed = records <= self.window.records / 2 && bytes <= self.window.bytes / 2;
            if !entry.paused && (full || held) {
                entry.paused = true;
                flow.pause.push(partition.clone());
            } else if entry.paused && relaxed && !held {
                entry.paused = false;
                flow.resume.push(partition.clone());
            }
        }
        flow
    }

    /// Takes no more records from now on, or takes them again: for a dependency that all of this work needs. What is in
    /// hand stays in hand, and the partitions stay ours.
    pub fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Relaxed);
    }

    /// Whether no more records are taken.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    /// How far each partition owned now was consumed.
    pub fn consumed(&self) -> Vec<Consumed> {
        let owned = self.lock();
        let consumed = owned.iter().map(|(partition, entry)| Consumed {
            partition: partition.clone(),
            epoch: entry.epoch,
            through: entry.tracker.through(),
            busy: entry.tracker.window() > 0,
        });
        consumed.collect()
    }

    /// Whether a partition is owned now.
    pub fn owns(&self, partition: &Partition) -> bool {
        self.lock().contains_key(partition)
    }

    /// Every partition owned now.
    pub fn partitions(&self) -> Vec<Partition> {
        self.lock().keys().cloned().collect()
    }

    /// Records received and not in a finished prefix, over all partitions.
    pub fn in_hand(&self) -> usize {
        self.lock().values().map(|entry| entry.tracker.window()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Partition, Owned>> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition() -> Partition {
        Partition { topic: "t".into(), id: 0 }
    }

    fn record(offset: i64) -> Record {
        Record {
            topic: "t".into(),
            partition: 0,
            offset,
            timestamp: None,
            key: None,
            value: Some(vec![0; 10]),
            headers: vec![],
        }
    }

    #[test]
    fn a_late_finish_of_an_earlier_epoch_does_nothing() {
        let assignment = Assignment::new(Window::default());
        assignment.assigned([partition()]);
        let late = assignment.received(&record(0)).unwrap();
        assert_eq!(assignment.revoked([&partition()]), []);
        assignment.assigned([partition()]);
        let again = assignment.received(&record(0)).unwrap();
        assert!(!assignment.holds(&late) && assignment.holds(&again));
        assignment.finished(&late);
        assert_eq!(assignment.progress(), []);
        assignment.finished(&again);
        assert_eq!(assignment.progress(), [(partition(), 1)]);
        assert_eq!(assignment.progress(), []);
    }

    #[test]
    fn a_revoke_hands_the_finished_prefix_over() {
        let assignment = Assignment::new(Window::default());
        assignment.assigned([partition()]);
        let tickets: Vec<_> = (0..3).map(|offset| assignment.received(&record(offset)).unwrap()).collect();
        assignment.finished(&tickets[0]);
        assignment.finished(&tickets[2]);
        assert_eq!(assignment.revoked([&partition()]), [(partition(), 1)]);
        assert!(assignment.received(&record(3)).is_none());
    }

    #[test]
    fn a_full_window_pauses_and_half_a_window_resumes() {
        let assignment = Assignment::new(Window { records: 4, bytes: 1_000 });
        assignment.assigned([partition()]);
        let tickets: Vec<_> = (0..4).map(|offset| assignment.received(&record(offset)).unwrap()).collect();
        assert_eq!(assignment.flow().pause, [partition()]);
        assignment.finished(&tickets[0]);
        assert_eq!(assignment.flow(), Flow::default());
        assignment.finished(&tickets[1]);
        assert_eq!(assignment.flow().resume, [partition()]);
    }

    #[test]
    fn while_work_is_held_everything_is_paused_whenever_it_was_assigned() {
        let assignment = Assignment::new(Window { records: 4, bytes: 1_000 });
        let later = Partition { topic: "t".into(), id: 1 };
        assignment.assigned([partition()]);
        assignment.hold(true);
        assert_eq!(assignment.flow().pause, [partition()]);
        assignment.assigned([later.clone()]);
        assert_eq!(assignment.flow(), Flow { pause: vec![later.clone()], resume: vec![] });
        assignment.revoked([&later]);
        assignment.assigned([later.clone()]);
        assert_eq!(assignment.flow().pause, std::slice::from_ref(&later), "it comes back, and is paused again");
        // What was on its way is still taken, and its window counts.
        let tickets: Vec<_> = (0..4).map(|offset| assignment.received(&record(offset)).unwrap()).collect();
        assignment.hold(false);
        assert_eq!(assignment.flow(), Flow { pause: vec![], resume: vec![later] });
        assignment.finished(&tickets[0]);
        assignment.finished(&tickets[1]);
        assert_eq!(assignment.flow().resume, [partition()]);
        assert_eq!(assignment.flow(), Flow::default());
    }

    #[test]
    fn bytes_fill_a_window_too() {
        let assignment = Assignment::new(Window { records: 100, bytes: 20 });
        assignment.assigned([partition()]);
        let tickets: Vec<_> = (0..2).map(|offset| assignment.received(&record(offset)).unwrap()).collect();
        assert_eq!(assignment.flow().pause, [partition()]);
        for ticket in &tickets {
            assignment.finished(ticket);
        }
        assert_eq!(assignment.flow().resume, [partition()]);
        assert_eq!(assignment.in_hand(), 0);
    }
}
