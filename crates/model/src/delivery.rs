//! Commit, publish, then store the offset: two workers that take turns on one partition with two records.
//!
//! Each record asks for one step of an operation of its own. The row is advanced, the next event published, and only then
//! the record counts as finished; the offset that is stored is the watermark below which every record is finished.

use stateright::{Model, Property};

const WORKERS: usize = 2;
const RECORDS: usize = 2;
/// How often each record may be delivered: enough for a crash at every point of every worker.
const DELIVERIES: u8 = 4;

/// What others have done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryMistake {
    /// The offset is stored when the record is taken.
    OffsetStoredBeforeCommit,
    /// A record whose step was taken already is finished without being published again.
    SkippedWhenAlreadyPast,
    /// The offset behind the latest record that is finished is stored, whatever lies before it.
    OffsetPassesGaps,
    /// The row is advanced whoever advanced it before.
    NoGuard,
}

/// The protocol, with one mistake in it or none.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    /// What is done wrong.
    pub mistake: Option<DeliveryMistake>,
}

/// How far a worker is with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Progress {
    NotDelivered,
    /// Taken, with the row as it was read: advanced already, or not yet.
    Taken {
        already_past: bool,
    },
    Committed,
    Finished,
}

/// Everything there is: the partition's stored offset, the rows, what was published, and how far each worker is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    stored: u8,
    /// How often each row was advanced.
    advanced: [u8; RECORDS],
    published: [bool; RECORDS],
    delivered: [u8; RECORDS],
    /// Who has the partition by now; the other one may not know it yet.
    owner: usize,
    workers: [[Progress; RECORDS]; WORKERS],
}

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The partition goes to the other worker, who begins at the stored offset; the former goes on with what it has.
    Rebalance,
    /// A worker forgets everything and begins again at the stored offset.
    Crash(usize),
    /// The owner takes a record and reads its row.
    Take(usize, usize),
    /// A worker advances the row.
    Commit(usize, usize),
    /// A worker publishes the next event, and the record is finished.
    Publish(usize, usize),
    /// The owner stores the offset.
    Store(usize),
}

impl Delivery {
    fn makes(self, mistake: DeliveryMistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// The offset that a worker may store.
    fn watermark(self, world: &World, worker: usize) -> usize {
        let finished = |record: &usize| world.workers[worker][*record] == Progress::Finished;
        let first = usize::from(world.stored);
        if self.makes(DeliveryMistake::OffsetPassesGaps) {
            return (first..RECORDS).rfind(finished).map_or(first, |record| record + 1);
        }
        (first..RECORDS).find(|record| !finished(record)).unwrap_or(RECORDS)
    }
}

impl Model for Delivery {
    type State = World;
    type Action = Turn;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            stored: 0,
            advanced: [0; RECORDS],
            published: [false; RECORDS],
            delivered: [0; RECORDS],
            owner: 0,
            workers: [[Progress::NotDelivered; RECORDS]; WORKERS],
        }]
    }

    fn actions(&self, world: &World, turns: &mut Vec<Turn>) {
        turns.push(Turn::Rebalance);
        for (worker, progress) in world.workers.iter().enumerate() {
            turns.push(Turn::Crash(worker));
            for (record, progress) in progress.iter().enumerate() {
                match progress {
                    Progress::NotDelivered => {
                        let is_behind = record >= usize::from(world.stored);
                        if worker == world.owner && is_behind && world.delivered[record] < DELIVERIES {
                            turns.push(Turn::Take(worker, record));
                        }
                    }
                    Progress::Taken { .. } => turns.push(Turn::Commit(worker, record)),
                    Progress::Committed => turns.push(Turn::Publish(worker, record)),
                    Progress::Finished => {}
                }
            }
            if worker == world.owner && self.watermark(world, worker) > usize::from(world.stored) {
                turns.push(Turn::Store(worker));
            }
        }
    }

    fn next_state(&self, world: &World, turn: Turn) -> Option<World> {
        let mut next = world.clone();
        match turn {
            Turn::Rebalance => {
                next.owner = (world.owner + 1) % WORKERS;
                // Whoever is given a partition starts at its stored offset; offsets of the former epoch mean nothing any more.
                next.workers[next.owner] = [Progress::NotDelivered; RECORDS];
            }
            Turn::Crash(worker) => next.workers[worker] = [Progress::NotDelivered; RECORDS],
            Turn::Take(worker, record) => {
                next.delivered[record] += 1;
                next.workers[worker][record] = Progress::Taken { already_past: world.advanced[record] > 0 };
                if self.makes(DeliveryMistake::OffsetStoredBeforeCommit) {
                    next.stored = next.stored.max(u8::try_from(record + 1).unwrap_or(u8::MAX));
                }
            }
            Turn::Commit(worker, record) => {
                let Progress::Taken { already_past } = world.workers[worker][record] else { return None };
                let is_past = world.advanced[record] > 0;
                if !is_past || (self.makes(DeliveryMistake::NoGuard) && !already_past) {
                    next.advanced[record] += 1;
                }
                let skips = already_past && self.makes(DeliveryMistake::SkippedWhenAlreadyPast);
                next.workers[worker][record] = if skips { Progress::Finished } else { Progress::Committed };
            }
            Turn::Publish(worker, record) => {
                next.published[record] = true;
                next.workers[worker][record] = Progress::Finished;
            }
            Turn::Store(worker) => {
                next.stored = u8::try_from(self.watermark(world, worker)).unwrap_or(u8::MAX);
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("what lies before the stored offset was published", |_, world: &World| {
                world.published[..usize::from(world.stored)].iter().all(|published| *published)
            }),
            Property::always("what was published was committed", |_, world: &World| {
                world.published.iter().zip(world.advanced).all(|(published, advanced)| !published || advanced > 0)
            }),
            Property::always("a step is taken once", |_, world: &World| world.advanced.iter().all(|times| *times <= 1)),
            Property::sometimes("the partition is consumed to its end", |_, world: &World| {
                usize::from(world.stored) == RECORDS
            }),
        ]
    }
}
