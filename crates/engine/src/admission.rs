//! Who may be at work: at most so many tries at once. Where more wait, they are let in by the weight of their priority,
//! and retry work has no more than its share of the places while fresh work waits. What waits is a record and little
//! else, so that thousands may.

mod turns;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::Priority;
use tokio::sync::oneshot;

use self::turns::Turns;
use crate::work::Work;

/// The places of one consumer group.
#[derive(Debug, Clone)]
pub struct Admission {
    state: Arc<Mutex<State>>,
}

/// A place: free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    state: Arc<Mutex<State>>,
    work: Work,
    refused: bool,
}

/// While a place is free, nobody waits.
#[derive(Debug)]
struct State {
    free: usize,
    /// Places that retry work has, and
    retries: usize,
    /// those it may have while fresh work waits.
    retries_at_most: usize,
    /// The turns of all work.
    turns: Turns,
    /// The turns of retry work, by which it is known which retry is next: who is held back by the share keeps its turn.
    retry_turns: Turns,
    /// Who waits: of each [`Work`], of each [`Priority`].
    lines: [[VecDeque<Waiting>; Priority::ALL.len()]; 2],
    arrivals: u64,
}

#[derive(Debug)]
struct Waiting {
    arrival: u64,
    place: oneshot::Sender<Place>,
}

impl Admission {
    /// As many places. While fresh work waits, so many per cent of them at most are for retry work, and one at least: a
    /// retry must not starve either.
    #[must_use]
    pub fn new(places: usize, retry_percent: u8) -> Self {
        let state = State {
            free: places,
            retries: 0,
            retries_at_most: (places * usize::from(retry_percent) / 100).max(1),
            turns: Turns::default(),
            retry_turns: Turns::default(),
            lines: Default::default(),
            arrivals: 0,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for a place. Whoever stops waiting loses nothing but its turn.
    ///
    /// # Panics
    /// Never: whoever waits is told before its line goes.
    pub async fn enter(&self, priority: Priority, work: Work) -> Place {
        let place = {
            let mut state = lock(&self.state);
            if state.free > 0 {
                state.take(work);
                return Place { state: Arc::clone(&self.state), work, refused: false };
            }
            state.wait(priority, work)
        };
        place.await.expect("places outlive whoever waits for one")
    }
}

impl State {
    fn take(&mut self, work: Work) {
        self.free -= 1;
        self.retries += usize::from(work == Work::Retry);
    }

    fn give_back(&mut self, work: Work) {
        self.free += 1;
        self.retries -= usize::from(work == Work::Retry);
    }

    fn wait(&mut self, priority: Priority, work: Work) -> oneshot::Receiver<Place> {
        let (sender, place) = oneshot::channel();
        let waiting = Waiting { arrival: self.arrivals, place: sender };
        self.arrivals += 1;
        self.lines[work as usize][priority as usize].push_back(waiting);
        place
    }

    /// Gives a place to the one whose turn comes first: of those, to the highest priority, and there to who came first.
    fn next(&mut self) -> Option<(Work, oneshot::Sender<Place>)> {
        let fresh = self.turns.first(&self.lines[Work::Fresh as usize]);
        let retry = self.retry_turns.first(&self.lines[Work::Retry as usize]);
        let retries_may = fresh.is_none() || self.retries < self.retries_at_most;
        let fresh = fresh.map(|priority| (priority, Work::Fresh));
        let retry = retry.filter(|_| retries_may).map(|priority| (priority, Work::Retry));
        let order = |(priority, work): &(Priority, Work)| {
            let arrival = self.lines[*work as usize][*priority as usize].front().map(|waiting| waiting.arrival);
            (self.turns.of(*priority), *priority, arrival)
        };
        let (priority, work) = fresh.into_iter().chain(retry).min_by_key(order)?;
        let waiting = self.lines[work as usize][priority as usize].pop_front()?;
        self.turns.take(priority);
        if work == Work::Retry {
            self.retry_turns.take(priority);
        }
        self.take(work);
        Some((work, waiting.place))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.refused {
            return;
        }
        let mut leaving = self.work;
        loop {
            let next = {
                let mut state = lock(&self.state);
                state.give_back(leaving);
                state.next()
            };
            let Some((work, waiting)) = next else { return };
            let place = Self { state: Arc::clone(&self.state), work, refused: false };
            match waiting.send(place) {
                Ok(()) => return,
                // It waits no more.
                Err(mut place) => place.refused = true,
            }
            leaving = work;
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
