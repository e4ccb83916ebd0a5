//! Lanes: one running record per key, in the order they came; keys do not wait for each other.

use std::collections::{HashMap, VecDeque};

/// Who waits behind whom.
#[derive(Debug)]
pub struct Lanes<T> {
    busy: HashMap<Vec<u8>, VecDeque<T>>,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self { busy: HashMap::new() }
    }
}

impl<T> Lanes<T> {
    /// Lets an item into its lane: back at once where the lane is free (it is busy then), later otherwise.
    pub fn enter(&mut self, lane: &[u8], item: T) -> Option<T> {
        if let Some(waiting) = self.busy.get_mut(lane) {
            waiting.push_back(item);
            return None;
        }
        self.busy.insert(lane.to_vec(), VecDeque::new());
        Some(item)
    }

    /// Notes that the running item of a lane ended; back comes the next one, which is to run now.
    pub fn leave(&mut self, lane: &[u8]) -> Option<T> {
        let next = self.busy.get_mut(lane)?.pop_front();
        if next.is_none() {
            self.busy.remove(lane);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_runs_in_order_and_others_do_not_wait() {
        let mut lanes = Lanes::default();
        assert_eq!(lanes.enter(b"a", 1), Some(1));
        assert_eq!(lanes.enter(b"a", 2), None);
        assert_eq!(lanes.enter(b"b", 3), Some(3));
        assert_eq!(lanes.leave(b"a"), Some(2));
        assert_eq!(lanes.leave(b"a"), None);
        assert_eq!(lanes.enter(b"a", 4), Some(4));
        assert_eq!(lanes.busy.len(), 2);
    }
}
