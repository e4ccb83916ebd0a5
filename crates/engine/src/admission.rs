//! Who may be at work: at most so many tries at once, and where more wait, they are let in by the weight of their
//! priority. What waits is a record and little else, so that thousands may.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::Priority;
use tokio::sync::oneshot;

/// A priority's turn comes again after this, divided by its weight: all weights divide it.
const LAP: u32 = 24;

/// The places of one consumer group.
#[derive(Debug, Clone)]
pub struct Admission {
    state: Arc<Mutex<State>>,
}

/// A place: free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    state: Arc<Mutex<State>>,
    given_back: bool,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// The turn of whoever was let in last.
    turn: u64,
    /// In the order of [`Priority::ALL`].
    queues: [Queue; Priority::ALL.len()],
}

#[derive(Debug, Default)]
struct Queue {
    next_turn: u64,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

impl Admission {
    /// As many places.
    #[must_use]
    pub fn new(places: usize) -> Self {
        let state = State { free: places, turn: 0, queues: Default::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for a place. Whoever stops waiting loses nothing but its turn.
    ///
    /// # Panics
    /// Never: whoever waits is told before its queue goes.
    pub async fn enter(&self, priority: Priority) -> Place {
        let turn = {
            let mut state = lock(&self.state);
            let nobody_waits = state.queues.iter().all(|queue| queue.waiting.is_empty());
            if state.free > 0 && nobody_waits {
                state.free -= 1;
                return Place { state: Arc::clone(&self.state), given_back: false };
            }
            state.wait(priority)
        };
        turn.await.expect("places outlive whoever waits for one")
    }
}

impl State {
    fn wait(&mut self, priority: Priority) -> oneshot::Receiver<Place> {
        let (place, turn) = oneshot::channel();
        let now = self.turn;
        let queue = &mut self.queues[priority as usize];
        if queue.waiting.is_empty() {
            // Turns that nobody was there to take are not saved up.
            queue.next_turn = queue.next_turn.max(now);
        }
        queue.waiting.push_back(place);
        turn
    }

    /// The one whose turn comes first; of those, the highest priority.
    fn next(&mut self) -> Option<oneshot::Sender<Place>> {
        let queues = self.queues.iter_mut().zip(Priority::ALL);
        let (queue, priority) =
            queues.filter(|(queue, _)| !queue.waiting.is_empty()).min_by_key(|(queue, _)| queue.next_turn)?;
        self.turn = queue.next_turn;
        queue.next_turn += u64::from(LAP / priority.weight());
        queue.waiting.pop_front()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.given_back {
            return;
        }
        loop {
            let next = {
                let mut state = lock(&self.state);
                let Some(next) = state.next() else {
                    state.free += 1;
                    return;
                };
                next
            };
            let place = Self { state: Arc::clone(&self.state), given_back: false };
            match next.send(place) {
                Ok(()) => return,
                // It waits no more.
                Err(mut refused) => refused.given_back = true,
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use futures::FutureExt;
    use futures::future::BoxFuture;

    use super::*;

    fn waiting(admission: &Admission, priority: Priority) -> BoxFuture<'static, Place> {
        let admission = admission.clone();
        let mut turn = async move { admission.enter(priority).await }.boxed();
        assert!((&mut turn).now_or_never().is_none(), "no place is free");
        turn
    }

    /// Who comes in, in order, as places are given back one by one.
    fn order(
        admission: &Admission,
        mut place: Place,
        mut waiting: Vec<(Priority, BoxFuture<'static, Place>)>,
    ) -> Vec<Priority> {
        let mut order = Vec::new();
        while !waiting.is_empty() {
            drop(place);
            let came = waiting.iter_mut().enumerate().find_map(|(at, (_, turn))| Some((at, turn.now_or_never()?)));
            let (at, next) = came.expect("a free place goes to somebody");
            place = next;
            order.push(waiting.remove(at).0);
        }
        drop(place);
        assert_eq!(lock(&admission.state).free, 1);
        order
    }

    #[test]
    fn a_full_house_is_shared_by_weight() {
        let admission = Admission::new(1);
        let place = admission.enter(Priority::Bulk).now_or_never().expect("a free place");
        let all = [Priority::Bulk, Priority::Normal, Priority::Critical];
        let everybody = (0..24).flat_map(|_| all.map(|priority| (priority, waiting(&admission, priority)))).collect();
        let order = order(&admission, place, everybody);
        let count = |priority| order[..24].iter().filter(|other| **other == priority).count();
        assert_eq!(all.map(count), [2, 6, 16]);
        assert_eq!(order[0], Priority::Critical);
    }

    #[test]
    fn an_idle_priority_saves_no_turns_up() {
        let admission = Admission::new(1);
        let place = admission.enter(Priority::Bulk).now_or_never().expect("a free place");
        let bulk = (0..50).map(|_| (Priority::Bulk, waiting(&admission, Priority::Bulk))).collect();
        order(&admission, place, bulk);
        let place = admission.enter(Priority::Bulk).now_or_never().expect("a free place");
        let both = [Priority::Critical, Priority::Bulk];
        let everybody = (0..18).flat_map(|_| both.map(|priority| (priority, waiting(&admission, priority)))).collect();
        let order = order(&admission, place, everybody);
        assert_eq!(order[..19].iter().filter(|priority| **priority == Priority::Bulk).count(), 2);
    }

    #[test]
    fn who_stops_waiting_leaves_its_place_to_the_next() {
        let admission = Admission::new(1);
        let place = admission.enter(Priority::Normal).now_or_never().expect("a free place");
        let gone = waiting(&admission, Priority::Critical);
        let mut next = waiting(&admission, Priority::Bulk);
        drop(gone);
        drop(place);
        let place = (&mut next).now_or_never().expect("its turn");
        drop(place);
        assert_eq!(lock(&admission.state).free, 1);
    }

    proptest::proptest! {
        #[test]
        fn places_are_neither_lost_nor_made(places in 1_usize..5, steps in proptest::collection::vec(0_u8..6, 0..200)) {
            let admission = Admission::new(places);
            let (mut inside, mut queue) = (Vec::new(), HashMap::new());
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    0..=2 => {
                        let priority = Priority::ALL[usize::from(step)];
                        let admission = admission.clone();
                        queue.insert(number, async move { admission.enter(priority).await }.boxed());
                    }
                    3 => drop(inside.pop()),
                    4 => { queue.retain(|waiter, _| waiter % 2 == 0); }
                    _ => {}
                }
                queue.retain(|_, turn| turn.now_or_never().map(|place| inside.push(place)).is_none());
                proptest::prop_assert!(inside.len() <= places);
                proptest::prop_assert!(queue.is_empty() || inside.len() == places);
            }
            inside.clear();
            queue.clear();
            proptest::prop_assert_eq!(lock(&admission.state).free, places);
        }
    }
}
