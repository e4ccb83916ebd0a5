//! The offsets of one partition in one assignment: what was received, what is finished, how far the finished prefix goes.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

/// Tracks offsets in the order they were received. Gaps are normal: compaction and transactions leave them.
#[derive(Debug, Default)]
pub struct OffsetTracker {
    open: VecDeque<Open>,
    position: Option<i64>,
    last_finished: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Open {
    offset: i64,
    at: Option<DateTime<Utc>>,
    finished: bool,
}

impl OffsetTracker {
    /// Notes a received offset and the time of its record. Offsets rise; one that does not is a redelivery inside the
    /// assignment and is refused.
    pub fn received(&mut self, offset: i64, at: Option<DateTime<Utc>>) -> bool {
        let last = self.open.back().map(|last| last.offset + 1).or(self.position);
        if last.is_some_and(|next| offset < next) {
            return false;
        }
        self.open.push_back(Open { offset, at, finished: false });
        true
    }

    /// Notes that all work of an offset is durable. Returns whether it was open until now.
    pub fn finished(&mut self, offset: i64) -> bool {
        let Ok(index) = self.open.binary_search_by_key(&offset, |open| open.offset) else { return false };
        let newly = !std::mem::replace(&mut self.open[index].finished, true);
        while let Some(done) = self.open.pop_front_if(|open| open.finished) {
            self.position = Some(done.offset + 1);
            self.last_finished = done.at.or(self.last_finished);
        }
        newly
    }

    /// The offset to commit: everything received before it is finished. None before anything is.
    #[must_use]
    pub const fn position(&self) -> Option<i64> {
        self.position
    }

    /// The record time up to which all is finished: that of the first record which is not, or else of the last one that
    /// is. None before that is known.
    #[must_use]
    pub fn through(&self) -> Option<DateTime<Utc>> {
        self.open.front().map_or(self.last_finished, |first| first.at)
    }

    /// Offsets received and not in the finished prefix.
    #[must_use]
    pub fn window(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_position_never_passes_unfinished_work(
            gaps in proptest::collection::vec(1_i64..5, 1..60),
            order in proptest::collection::vec(any::<prop::sample::Index>(), 0..120),
        ) {
            let offsets: Vec<i64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
            let mut tracker = OffsetTracker::default();
            for offset in &offsets {
                prop_assert!(tracker.received(*offset, None));
            }
            let mut unfinished = offsets.clone();
            for index in order {
                let offset = *index.get(&offsets);
                let was_open = unfinished.contains(&offset);
                prop_assert_eq!(tracker.finished(offset), was_open);
                unfinished.retain(|open| *open != offset);
                let lowest = unfinished.first().copied().unwrap_or(i64::MAX);
                prop_assert!(tracker.position().is_none_or(|position| position <= lowest));
            }
            for offset in unfinished {
                tracker.finished(offset);
            }
            prop_assert_eq!(tracker.position(), offsets.last().map(|last| last + 1));
            prop_assert_eq!(tracker.window(), 0);
        }
    }

    #[test]
    fn what_was_received_before_is_refused() {
        let mut tracker = OffsetTracker::default();
        assert!(tracker.received(5, None));
        assert!(!tracker.received(5, None));
        tracker.finished(5);
        assert!(!tracker.received(5, None));
        assert!(tracker.received(9, None));
    }

    #[test]
    fn time_goes_as_far_as_the_first_unfinished_record() {
        let at = |second| DateTime::from_timestamp(second, 0);
        let mut tracker = OffsetTracker::default();
        assert_eq!(tracker.through(), None);
        for offset in [1, 2, 3] {
            tracker.received(offset, at(offset * 10));
        }
        assert_eq!(tracker.through(), at(10));
        tracker.finished(2);
        assert_eq!(tracker.through(), at(10));
        tracker.finished(1);
        assert_eq!(tracker.through(), at(30));
        tracker.finished(3);
        assert_eq!(tracker.through(), at(30));
    }
}
