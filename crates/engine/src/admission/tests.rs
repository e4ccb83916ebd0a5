use std::mem;

use futures::FutureExt;
use futures::future::BoxFuture;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// Whoever is inside and whoever waits, each in the order in which they came.
struct House {
    admission: Admission,
    inside: Vec<(Guest, Place)>,
    waiting: Vec<(Guest, BoxFuture<'static, Place>)>,
}

type Guest = (Priority, Work);

impl House {
    fn new(places: usize, retry_percent: u8) -> Self {
        Self { admission: Admission::new(places, retry_percent), inside: Vec::new(), waiting: Vec::new() }
    }

    /// Every place is taken, by fresh bulk.
    fn full(places: usize, retry_percent: u8) -> Self {
        let mut house = Self::new(places, retry_percent);
        (0..places).for_each(|_| house.comes(Priority::Bulk, Work::Fresh));
        assert_eq!(house.inside.len(), places);
        house
    }

    fn comes(&mut self, priority: Priority, work: Work) {
        let admission = self.admission.clone();
        let turn = async move { admission.enter(priority, work).await }.boxed();
        self.waiting.push(((priority, work), turn));
        self.let_in();
    }

    /// Answers with who came in instead.
    fn leaves(&mut self, at: usize) -> Option<Guest> {
        drop(self.inside.remove(at));
        let before = self.inside.len();
        self.let_in();
        self.inside.get(before).map(|(guest, _)| *guest)
    }

    fn let_in(&mut self) {
        for (guest, mut turn) in mem::take(&mut self.waiting) {
            match (&mut turn).now_or_never() {
                Some(place) => self.inside.push((guest, place)),
                None => self.waiting.push((guest, turn)),
            }
        }
    }

    /// So many times the one leaves who is inside for longest. Answers with who came in, one after the other.
    fn goes_round(&mut self, times: usize) -> Vec<Guest> {
        (0..times).map(|_| self.leaves(0).expect("a free place goes to somebody")).collect()
    }

    fn retries(&self) -> usize {
        self.inside.iter().filter(|((_, work), _)| *work == Work::Retry).count()
    }

    fn fresh_waits(&self) -> bool {
        self.waiting.iter().any(|((_, work), _)| *work == Work::Fresh)
    }

    /// Everybody leaves. Answers with the places that are free then.
    fn empties(mut self) -> usize {
        self.waiting.clear();
        self.inside.clear();
        let state = lock(&self.admission.state);
        assert_eq!(state.retries, 0);
        state.free
    }
}

fn of_priority(guests: &[Guest], priority: Priority) -> usize {
    guests.iter().filter(|(other, _)| *other == priority).count()
}

#[test]
fn a_full_house_is_shared_by_weight() {
    let mut house = House::full(1, 30);
    for priority in [Priority::Bulk, Priority::Normal, Priority::Critical].repeat(12) {
        house.comes(priority, Work::Fresh);
    }
    let lap = house.goes_round(12);
    assert_eq!(Priority::ALL.map(|priority| of_priority(&lap, priority)), [8, 3, 1]);
    assert_eq!(lap[0].0, Priority::Critical);
    assert_eq!(house.empties(), 1);
}

#[test]
fn an_idle_priority_saves_no_turns_up() {
    let mut house = House::full(1, 30);
    (0..50).for_each(|_| house.comes(Priority::Bulk, Work::Fresh));
    house.goes_round(50);
    for priority in [Priority::Critical, Priority::Bulk].repeat(18) {
        house.comes(priority, Work::Fresh);
    }
    assert_eq!(of_priority(&house.goes_round(19), Priority::Bulk), 2);
}

#[test]
fn who_stops_waiting_leaves_its_place_to_the_next() {
    let mut house = House::full(1, 30);
    house.comes(Priority::Critical, Work::Fresh);
    house.comes(Priority::Bulk, Work::Retry);
    drop(house.waiting.remove(0));
    assert_eq!(house.goes_round(1), [(Priority::Bulk, Work::Retry)]);
    assert_eq!(house.empties(), 1);
}

#[test]
fn retry_work_has_its_share_and_more_only_while_nobody_fresh_waits() {
    let mut house = House::full(10, 30);
    (0..30).for_each(|_| house.comes(Priority::Normal, Work::Retry));
    (0..20).for_each(|_| house.comes(Priority::Normal, Work::Fresh));
    let mut rounds = 0;
    while house.fresh_waits() {
        house.goes_round(1);
        rounds += 1;
        assert!(house.retries() <= 3, "{} after {rounds}", house.retries());
    }
    assert_eq!(rounds, 29, "three retries among ten");
    house.goes_round(10);
    assert_eq!(house.retries(), 10);
    assert_eq!(house.empties(), 10);
}

#[test]
fn a_critical_retry_goes_before_fresh_work_of_less_weight() {
    let mut house = House::full(10, 30);
    for _ in 0..10 {
        house.comes(Priority::Bulk, Work::Fresh);
        house.comes(Priority::Normal, Work::Fresh);
    }
    house.comes(Priority::Critical, Work::Retry);
    assert_eq!(house.goes_round(1), [(Priority::Critical, Work::Retry)]);
}

fn work() -> impl Strategy<Value = Work> {
    select(vec![Work::Fresh, Work::Retry])
}

fn priority() -> impl Strategy<Value = Priority> {
    select(Priority::ALL.to_vec())
}

/// The turns until bulk has one: 8 critical ones and 3 normal ones come before it, and where turns tie, one more of each.
const LAP: usize = 14;

#[derive(Debug, Clone)]
enum Step {
    Comes(Priority, Work),
    Leaves(Index),
    GivesUp(Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (priority(), work()).prop_map(|(priority, work)| Step::Comes(priority, work)),
        2 => any::<Index>().prop_map(Step::Leaves),
        1 => any::<Index>().prop_map(Step::GivesUp),
    ]
}

proptest! {
    /// No place is lost, made, or idle while anybody waits; and no retry beyond the share is let in while fresh work waits.
    #[test]
    fn places_are_few_and_never_idle(
        places in 1_usize..8,
        percent in 1_u8..=100,
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let at_most = (places * usize::from(percent) / 100).max(1);
        let mut house = House::new(places, percent);
        for step in steps {
            let retries = house.retries();
            match step {
                Step::Comes(priority, work) => house.comes(priority, work),
                Step::Leaves(index) if !house.inside.is_empty() => {
                    house.leaves(index.index(house.inside.len()));
                }
                Step::GivesUp(index) if !house.waiting.is_empty() => {
                    drop(house.waiting.remove(index.index(house.waiting.len())));
                }
                Step::Leaves(_) | Step::GivesUp(_) => {}
            }
            prop_assert!(house.inside.len() <= places);
            prop_assert!(house.waiting.is_empty() || house.inside.len() == places);
            let let_in = house.retries() > retries;
            prop_assert!(!let_in || !house.fresh_waits() || house.retries() <= at_most);
        }
        prop_assert_eq!(house.empties(), places);
    }

    /// Whatever else comes, again and again: bulk gets in, tried before or not. A retry has its lap among retries, each of
    /// which waits until another one has left, and then for its turn.
    #[test]
    fn bulk_never_starves(
        places in 1_usize..8,
        percent in 1_u8..=100,
        bulk in work(),
        others in prop::collection::vec((select(vec![Priority::Critical, Priority::Normal]), work()), 1..40),
    ) {
        let mut house = House::full(places, percent);
        for (priority, work) in &others {
            house.comes(*priority, *work);
        }
        let patience = if bulk == Work::Fresh { LAP } else { LAP * (LAP + places) };
        let mut others = others.iter().cycle();
        for _ in 0..3 {
            house.comes(Priority::Bulk, bulk);
            let came = others.by_ref().take(patience).any(|(priority, work)| {
                house.comes(*priority, *work);
                house.leaves(0) == Some((Priority::Bulk, bulk))
            });
            prop_assert!(came, "not among the next {}", patience);
        }
    }
}
