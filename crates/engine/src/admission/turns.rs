//! Whose turn it is among priorities.

use std::collections::VecDeque;

use domain::Priority;

/// A priority's turn comes again after this, divided by its weight: all weights divide it.
const LAP: u32 = 24;

/// When the turn of each priority comes next, in the order of [`Priority::ALL`].
#[derive(Debug, Default)]
pub(super) struct Turns([u64; Priority::ALL.len()]);

impl Turns {
    /// When the turn of a priority comes.
    pub(super) const fn of(&self, priority: Priority) -> u64 {
        self.0[priority as usize]
    }

    /// Whose turn comes first, of those in whose line somebody waits; the highest priority, where several do.
    pub(super) fn first<T>(&self, lines: &[VecDeque<T>; Priority::ALL.len()]) -> Option<Priority> {
        let waiting = Priority::ALL.into_iter().filter(|priority| !lines[*priority as usize].is_empty());
        waiting.min_by_key(|priority| self.of(*priority))
    }

    /// Takes a turn. Those before it, which nobody was there to take, are not saved up.
    pub(super) fn take(&mut self, priority: Priority) {
        let turn = self.of(priority);
        for next in &mut self.0 {
            *next = turn.max(*next);
        }
        self.0[priority as usize] += u64::from(LAP / priority.weight());
    }
}
