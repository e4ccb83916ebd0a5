//! What there is in the model, and what can happen to it.

/// Blocks from the tip to what is final.
pub(super) const FINALITY: u8 = 1;
pub(super) const WORKERS: usize = 2;
pub(super) const ATTEMPTS: usize = 2;
pub(super) const ENDPOINTS: usize = 2;

/// Everything there is: the chain, the operation's row, and what each worker knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub(super) tip: u8,
    /// Last valid height of each transaction that was sent.
    pub(super) sent: [Option<u8>; ATTEMPTS],
    /// The height at which each transaction lies, on the fork that holds at present.
    pub(super) landed: [Option<u8>; ATTEMPTS],
    pub(super) row: Row,
    pub(super) workers: [Option<Knowledge>; WORKERS],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    Pending,
    Minted,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Verdict {
    Undecided,
    Expired,
    Landed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Attempt {
    pub(super) last_valid: u8,
    pub(super) verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(super) version: u8,
    pub(super) stage: Stage,
    pub(super) attempts: [Option<Attempt>; ATTEMPTS],
}

/// The row as a worker read it some time ago, and what endpoints have told the worker since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Knowledge {
    pub(super) row: Row,
    /// Endpoints that have shown a height at which the undecided attempt cannot land any more.
    pub(super) too_late: [bool; ENDPOINTS],
    /// Endpoints that have shown that there is no mint.
    pub(super) absent: [bool; ENDPOINTS],
}

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// A block is added.
    Block,
    /// A transaction lands in the block at the tip.
    Land(usize),
    /// A fork without the block in which a transaction lay.
    Fork(usize),
    /// A worker forgets everything.
    Crash(usize),
    /// A worker reads the row.
    Read(usize),
    /// A worker signs with a blockhash that is that many blocks old, and records it.
    Sign(usize, u8),
    /// A worker sends what is undecided, for the first time or again.
    Send(usize),
    /// An endpoint shows a worker a final height.
    SeeHeight(usize, usize),
    /// An endpoint shows a worker that there is no mint.
    SeeAbsence(usize, usize),
    /// A worker records that the undecided attempt is dead.
    GiveUp(usize),
    /// A worker sees a final mint and records it.
    Confirm(usize),
    /// A worker records that the operation has failed.
    Fail(usize),
}

impl Row {
    pub(super) fn undecided(self) -> Option<(usize, Attempt)> {
        let attempts = self.attempts.iter().enumerate();
        let mut known = attempts.filter_map(|(index, attempt)| attempt.map(|attempt| (index, attempt)));
        known.find(|(_, attempt)| attempt.verdict == Verdict::Undecided)
    }

    pub(super) fn next_attempt(self) -> Option<usize> {
        self.attempts.iter().position(Option::is_none)
    }
}

impl World {
    pub(super) fn final_height(&self) -> u8 {
        self.tip.saturating_sub(FINALITY)
    }

    pub(super) fn is_final(&self, attempt: usize) -> bool {
        self.landed[attempt].is_some_and(|height| height <= self.final_height())
    }

    pub(super) fn nfts(&self) -> usize {
        self.landed.iter().flatten().count()
    }
}
