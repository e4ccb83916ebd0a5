//! The sign-again protocol: two workers, two attempts and two endpoints around one operation.
//!
//! Heights are counted in blocks. A transaction lands up to its last valid height; what lies [`world::FINALITY`] blocks behind
//! the tip is final; what is younger can be dropped by a fork, and land again. An endpoint may be as far behind as it likes,
//! and a status may be missing at any time, so nothing is ever concluded from one.

mod world;

use stateright::{Model, Property};

use world::{ATTEMPTS, Attempt, ENDPOINTS, Knowledge, Row, Stage, Turn, Verdict, WORKERS, World};

/// For how many blocks behind its own a blockhash is valid.
const VALIDITY: u8 = 1;
/// Blocks beyond the last valid one that must be final before an attempt is given up.
const MARGIN: u8 = 1;
/// Enough for two attempts one after the other, and some time to spare.
const LAST_TIP: u8 = 7;

/// How the address of an NFT is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MintKey {
    /// From the operation: the same for every attempt, so that the chain itself refuses a second mint.
    Derived,
    /// Drawn anew for every attempt.
    Fresh,
}

/// What others have done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignMistake {
    /// An attempt is given up because its status is not known.
    GivenUpAfterNullStatus,
    /// An attempt is given up because its blockhash is not valid any more.
    GivenUpAfterInvalidBlockhash,
    /// That there is no mint is read before the height is, and may be older.
    AbsenceReadBeforeHeight,
    /// The transaction is sent before it is on record.
    StoredAfterSend,
    /// Rows are written whatever version they have by now.
    NoGuard,
    /// An operation fails although an attempt may still land.
    FailedWhileUndecided,
    /// A sleeper who knows the version from before FAILED still finds it.
    FailedKeepsVersion,
}

/// The protocol, with one mistake in it or none.
#[derive(Debug, Clone, Copy)]
pub struct SignAgain {
    /// How the NFT's address is chosen.
    pub key: MintKey,
    /// What is done wrong.
    pub mistake: Option<SignMistake>,
}

impl SignAgain {
    fn makes(self, mistake: SignMistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn may_land(self, world: &World, attempt: usize) -> bool {
        let in_time = world.sent[attempt].is_some_and(|last_valid| world.tip <= last_valid);
        let free = world.nfts() == 0 || self.key == MintKey::Fresh;
        in_time && world.landed[attempt].is_none() && free
    }

    /// Whether a final height tells that an attempt cannot land any more.
    fn too_late(world: &World, attempt: Attempt) -> bool {
        world.final_height() >= attempt.last_valid + MARGIN
    }

    /// Whether an endpoint may show that there is no mint. One that was told a height shows nothing older.
    fn shows_absence(self, world: &World, knowledge: &Knowledge, attempt: Attempt, endpoint: usize) -> bool {
        if self.makes(SignMistake::AbsenceReadBeforeHeight) {
            // From however long ago.
            return true;
        }
        let not_older_than = attempt.last_valid + MARGIN;
        knowledge.too_late[endpoint] && world.landed.iter().flatten().all(|height| *height > not_older_than)
    }

    fn may_give_up(self, world: &World, knowledge: &Knowledge, attempt: Attempt) -> bool {
        match self.mistake {
            Some(SignMistake::GivenUpAfterNullStatus) => true,
            Some(SignMistake::GivenUpAfterInvalidBlockhash) => world.tip > attempt.last_valid,
            _ => knowledge.too_late == [true; ENDPOINTS] && knowledge.absent == [true; ENDPOINTS],
        }
    }

    /// Writes the row where it still is what the worker knows, and lets the worker read it again.
    fn write(self, world: &mut World, worker: usize, change: impl FnOnce(&mut Row)) -> Option<()> {
        let knowledge = world.workers[worker].take()?;
        if world.row.version != knowledge.row.version && !self.makes(SignMistake::NoGuard) {
            return None;
        }
        change(&mut world.row);
        world.row.version += 1;
        Some(())
    }

    /// What a worker may do, knowing what it knows: perhaps long ago.
    fn work(self, world: &World, worker: usize, knowledge: &Knowledge, turns: &mut Vec<Turn>) {
        if knowledge.row.stage != Stage::Pending {
            return;
        }
        if (0..ATTEMPTS).any(|attempt| world.is_final(attempt)) {
            turns.push(Turn::Confirm(worker));
        }
        let Some((index, attempt)) = knowledge.row.undecided() else {
            if knowledge.row.next_attempt().is_some() {
                turns.extend([Turn::Sign(worker, 0), Turn::Sign(worker, 1)]);
            }
            turns.push(Turn::Fail(worker));
            return;
        };
        if world.sent[index].is_none() {
            turns.push(Turn::Send(worker));
        }
        for endpoint in 0..ENDPOINTS {
            if !knowledge.too_late[endpoint] && Self::too_late(world, attempt) {
                turns.push(Turn::SeeHeight(worker, endpoint));
            }
            if !knowledge.absent[endpoint] && self.shows_absence(world, knowledge, attempt, endpoint) {
                turns.push(Turn::SeeAbsence(worker, endpoint));
            }
        }
        if self.may_give_up(world, knowledge, attempt) {
            turns.push(Turn::GiveUp(worker));
        }
        if self.makes(SignMistake::FailedWhileUndecided) {
            turns.push(Turn::Fail(worker));
        }
    }
}

impl Model for SignAgain {
    type State = World;
    type Action = Turn;

    fn init_states(&self) -> Vec<World> {
        let row = Row { version: 0, stage: Stage::Pending, attempts: [None; ATTEMPTS] };
        let (sent, landed) = ([None; ATTEMPTS], [None; ATTEMPTS]);
        vec![World { tip: 0, sent, landed, row, workers: [None; WORKERS] }]
    }

    fn actions(&self, world: &World, turns: &mut Vec<Turn>) {
        if world.tip < LAST_TIP {
            turns.push(Turn::Block);
        }
        for attempt in 0..ATTEMPTS {
            if self.may_land(world, attempt) {
                turns.push(Turn::Land(attempt));
            }
            if world.landed[attempt].is_some() && !world.is_final(attempt) {
                turns.push(Turn::Fork(attempt));
            }
        }
        for (worker, knowledge) in world.workers.iter().enumerate() {
            match knowledge {
                None => turns.push(Turn::Read(worker)),
                Some(knowledge) => {
                    turns.push(Turn::Crash(worker));
                    self.work(world, worker, knowledge, turns);
                }
            }
        }
    }

    fn next_state(&self, world: &World, turn: Turn) -> Option<World> {
        let mut next = world.clone();
        match turn {
            Turn::Block => next.tip += 1,
            Turn::Land(attempt) => next.landed[attempt] = Some(next.tip),
            Turn::Fork(attempt) => next.landed[attempt] = None,
            Turn::Crash(worker) => next.workers[worker] = None,
            Turn::Read(worker) => {
                let (too_late, absent) = ([false; ENDPOINTS], [false; ENDPOINTS]);
                next.workers[worker] = Some(Knowledge { row: next.row, too_late, absent });
            }
            Turn::Sign(worker, age) => {
                let last_valid = (next.tip + VALIDITY).saturating_sub(age);
                let mut known = next.workers[worker]?;
                let index = known.row.next_attempt()?;
                if self.makes(SignMistake::StoredAfterSend) && next.sent[index].is_none() {
                    next.sent[index] = Some(last_valid);
                    return Some(next);
                }
                let attempt = Attempt { last_valid, verdict: Verdict::Undecided };
                self.write(&mut next, worker, |row| row.attempts[index] = Some(attempt))?;
                // Whoever has recorded it goes on to send it, without another look.
                known.row.attempts[index] = Some(attempt);
                known.row.version = next.row.version;
                next.workers[worker] = Some(known);
            }
            Turn::Send(worker) => {
                let (index, attempt) = next.workers[worker]?.row.undecided()?;
                next.sent[index] = Some(attempt.last_valid);
            }
            Turn::SeeHeight(worker, endpoint) => next.workers[worker].as_mut()?.too_late[endpoint] = true,
            Turn::SeeAbsence(worker, endpoint) => next.workers[worker].as_mut()?.absent[endpoint] = true,
            Turn::GiveUp(worker) => {
                let (index, attempt) = next.workers[worker]?.row.undecided()?;
                let expired = Attempt { verdict: Verdict::Expired, ..attempt };
                self.write(&mut next, worker, |row| row.attempts[index] = Some(expired))?;
            }
            Turn::Confirm(worker) => {
                let landed = (0..ATTEMPTS).find(|attempt| world.is_final(*attempt))?;
                self.write(&mut next, worker, |row| {
                    row.stage = Stage::Minted;
                    if let Some(attempt) = &mut row.attempts[landed] {
                        attempt.verdict = Verdict::Landed;
                    }
                })?;
            }
            Turn::Fail(worker) => {
                self.write(&mut next, worker, |row| row.stage = Stage::Failed)?;
                if self.makes(SignMistake::FailedKeepsVersion) {
                    next.row.version -= 1;
                }
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("at most one NFT", |_, world: &World| world.nfts() <= 1),
            Property::always("what has failed is not minted", |_, world: &World| {
                world.row.stage != Stage::Failed || world.nfts() == 0
            }),
            Property::always("what was given up does not land", |_, world: &World| {
                let given_up = |attempt: &Option<Attempt>| attempt.is_some_and(|a| a.verdict == Verdict::Expired);
                world
                    .row
                    .attempts
                    .iter()
                    .zip(world.landed)
                    .all(|(attempt, landed)| landed.is_none() || !given_up(attempt))
            }),
            Property::always("what was sent is on record", |_, world: &World| {
                let on_record = |(sent, attempt): (&Option<u8>, &Option<Attempt>)| match (sent, attempt) {
                    (None, _) => true,
                    (Some(last_valid), Some(attempt)) => attempt.last_valid == *last_valid,
                    (Some(_), None) => false,
                };
                world.sent.iter().zip(&world.row.attempts).all(on_record)
            }),
            Property::always("one attempt at a time", |_, world: &World| {
                let undecided = world.row.attempts.iter().flatten().filter(|a| a.verdict == Verdict::Undecided);
                undecided.count() <= 1
            }),
            Property::sometimes("the first attempt mints", |_, world: &World| {
                world.row.stage == Stage::Minted && world.is_final(0)
            }),
            Property::sometimes("the second attempt mints", |_, world: &World| {
                world.row.stage == Stage::Minted && world.is_final(1)
            }),
            Property::sometimes("an operation fails after both", |_, world: &World| {
                world.row.stage == Stage::Failed && world.row.next_attempt().is_none()
            }),
        ]
    }
}
