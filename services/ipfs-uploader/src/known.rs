//! Contents known as pinned, within a bound.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Cid;

/// The last ones that were found pinned.
#[derive(Debug)]
pub(crate) struct Known {
    bound: usize,
    cids: Mutex<Cids>,
}

#[derive(Debug, Default)]
struct Cids {
    all: HashSet<Cid>,
    oldest_first: VecDeque<Cid>,
}

impl Known {
    pub fn new(bound: usize) -> Self {
        Self { bound, cids: Mutex::default() }
    }

    pub fn contains(&self, cid: &Cid) -> bool {
        self.lock().all.contains(cid)
    }

    pub fn insert(&self, cid: Cid) {
        let mut cids = self.lock();
        if cids.all.insert(cid.clone()) {
            cids.oldest_first.push_back(cid);
        }
        while cids.oldest_first.len() > self.bound {
            if let Some(oldest) = cids.oldest_first.pop_front() {
                cids.all.remove(&oldest);
            }
        }
    }

    pub fn forget(&self, cid: &Cid) {
        let mut cids = self.lock();
        if cids.all.remove(cid) {
            cids.oldest_first.retain(|known| known != cid);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cids> {
        self.cids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room_and_the_forgotten_are_gone() {
        let known = Known::new(2);
        let cids = ["a", "b", "c"].map(|text| text.repeat(40).parse::<Cid>().unwrap());
        for cid in &cids {
            known.insert(cid.clone());
        }
        assert_eq!(cids.each_ref().map(|cid| known.contains(cid)), [false, true, true]);
        known.forget(&cids[1]);
        known.insert(cids[0].clone());
        assert_eq!(cids.each_ref().map(|cid| known.contains(cid)), [true, false, true]);
    }
}
