//! The offsets of one partition in one assignment: what was received, what is finished, how far the finished prefix goes.

use std::collections::VecDeque;

/// Tracks offsets in the order they were received. Gaps are normal: compaction and transactions leave them.
#[derive(Debug, Default)]
pub struct OffsetTracker {
    open: VecDeque<(i64, bool)>,
    position: Option<i64>,
}

impl OffsetTracker {
    /// Notes a received offset. Offsets rise; one that does not is a redelivery inside the assignment and is refused.
    pub fn received(&mut self, offset: i64) -> bool {
        let last = self.open.back().map(|(last, _)| last + 1).or(self.position);
        if last.is_some_and(|next| offset < next) {
            return false;
        }
        self.open.push_back((offset, false));
        true
    }

    /// Notes that all work of an offset is durable. Returns whether it was open until now.
    pub fn finished(&mut self, offset: i64) -> bool {
        let Ok(index) = self.open.binary_search_by_key(&offset, |(offset, _)| *offset) else { return false };
        let newly = !std::mem::replace(&mut self.open[index].1, true);
        while let Some((offset, true)) = self.open.front() {
            self.position = Some(offset + 1);
            self.open.pop_front();
        }
        newly
    }

    /// The offset to commit: everything received before it is finished. None before anything is.
    #[must_use]
    pub const fn position(&self) -> Option<i64> {
        self.position
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
                prop_assert!(tracker.received(*offset));
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
        assert!(tracker.received(5));
        assert!(!tracker.received(5));
        tracker.finished(5);
        assert!(!tracker.received(5));
        assert!(tracker.received(9));
    }
}
