//! The tables of `migrations/`, with their constraints and triggers.

use chrono::{DateTime, Utc};
use domain::{
    Attempt, Cid, ContentHash, MintAddress, NftRecord, Operation, OperationId, OperationKind, Signature, State, Verdict,
};
use engine::StoreError;

use super::refusal::{CHECK, RAISED, UNIQUE, refused};
use super::table::{Table, Undo};

/// A row of `minting_operations`.
#[derive(Debug, Clone)]
pub struct OperationRow {
    /// As the domain knows it; its open attempt is not kept here.
    pub operation: Operation,
    pub content_hash: ContentHash,
    pub claimed_until: Option<DateTime<Utc>>,
    pub requested_at: Option<DateTime<Utc>>,
    pub wakes: u32,
    pub status_owed: bool,
}

/// A row of `mint_attempts`.
#[derive(Debug, Clone)]
pub struct RecordedAttempt {
    /// Whose.
    pub operation: OperationId,
    /// The operation's version that it brought.
    pub version: i64,
    /// The transaction.
    pub attempt: Attempt,
    /// None while it is open.
    pub verdict: Option<Verdict>,
}

/// A row of `operation_events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationEvent {
    /// Such as `transition`.
    pub kind: &'static str,
    /// The operation's version then.
    pub version: i64,
    /// Where it stood.
    pub from: Option<State>,
    /// Where it came to, where it moved.
    pub to: Option<State>,
    /// When.
    pub at: DateTime<Utc>,
}

/// A row of `nfts`.
#[derive(Debug, Clone)]
pub struct NftRow {
    pub operation: OperationId,
    pub record: NftRecord,
    pub verified_at: Option<DateTime<Utc>>,
}

/// Where a content stands at a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinState {
    /// Somebody has the upload in hand, or had.
    Pending,
    /// It is held.
    Pinned,
    /// It is being given up.
    Unpinning,
    /// It was given up.
    Unpinned,
}

impl PinState {
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Pinned => "pinned",
            Self::Unpinning => "unpinning",
            Self::Unpinned => "unpinned",
        }
    }
}

/// A row of `pinned_content`.
#[derive(Debug, Clone)]
pub struct PinRow {
    pub state: PinState,
    pub claimed_until: Option<DateTime<Utc>>,
    pub unpinned_at: Option<DateTime<Utc>>,
}

/// A row of `consumed_through`.
#[derive(Debug, Clone)]
pub struct ConsumedRow {
    pub epoch: i64,
    pub through: DateTime<Utc>,
    pub reported_at: DateTime<Utc>,
}

/// All of them. Changed by one statement at a time, see [`super::Tables`].
#[derive(Debug, Default)]
pub struct Rows {
    pub operations: Table<OperationId, OperationRow>,
    pub attempts: Table<Signature, RecordedAttempt>,
    pub nfts: Table<MintAddress, NftRow>,
    pub pins: Table<(Cid, String), PinRow>,
    pub consumed: Table<(String, i32), ConsumedRow>,
    /// Who holds the claim on which burned NFT.
    pub burns: Table<MintAddress, OperationId>,
    events: Table<(OperationId, u64), OperationEvent>,
    /// The unique index over mint addresses.
    mints: Table<MintAddress, OperationId>,
    /// The unique index over open attempts.
    open: Table<OperationId, Signature>,
    /// The unique indexes over the signatures and the operations of `nfts`.
    minting: Table<Signature, ()>,
    recorded: Table<OperationId, MintAddress>,
    /// Sequences, which no failure takes back.
    pub epochs: i64,
    events_so_far: u64,
}

impl Rows {
    /// The row as the domain sees it, open attempt included.
    pub fn operation(&self, id: OperationId) -> Option<Operation> {
        let open_attempt = self.open_attempt(id).map(|row| row.attempt.clone());
        Some(Operation { open_attempt, ..self.operations.get(&id)?.operation.clone() })
    }

    /// The attempt that is not decided.
    pub fn open_attempt(&self, id: OperationId) -> Option<&RecordedAttempt> {
        self.attempts.get(self.open.get(&id)?)
    }

    /// Updates a row as far as triggers and constraints allow.
    pub fn update(&mut self, mut row: OperationRow) -> Result<(), StoreError> {
        let id = row.operation.id;
        let Some(OperationRow { operation: old, content_hash, .. }) = self.operations.get(&id) else { return Ok(()) };
        if old.version != row.operation.version {
            begin_step_anew(&mut row);
        }
        let new = &row.operation;
        let (state, version) = (old.state, old.version);
        let same = (&old.user_id, old.priority, old.event_at) == (&new.user_id, new.priority, new.event_at);
        if !same || *content_hash != row.content_hash {
            return Err(refused(RAISED, format_args!("operation {id}: frozen columns may not change")));
        }
        let given_up = gives_claim_up(old, new);
        if old.mint_address.is_some() && old.mint_address != new.mint_address && !given_up {
            return Err(refused(RAISED, format_args!("operation {id}: frozen columns may not change: mint_address")));
        }
        let moves = (state, version) != (new.state, new.version);
        if moves && !given_up && !state.may_become(new.state) {
            return Err(refused(RAISED, format_args!("operation {id} may not go from {state} to {}", new.state)));
        }
        if moves && new.version != version + 1 {
            return Err(refused(RAISED, format_args!("operation {id} goes from {state} with another version")));
        }
        if let Some(mint) = new.mint_address.filter(|_| old.mint_address.is_none()) {
            if self.mints.get(&mint).is_some_and(|holder| *holder != id) {
                return Err(refused(UNIQUE, "minting_operations_mint_address_key"));
            }
            self.mints.put(mint, id);
        }
        if let Some(mint) = old.mint_address.filter(|_| given_up) {
            self.mints.delete(&mint);
        }
        self.operations.put(id, row);
        Ok(())
    }

    /// Records a signed transaction.
    pub fn sign(&mut self, row: RecordedAttempt) -> Result<(), StoreError> {
        let signature = row.attempt.signature;
        if row.attempt.wire.is_empty() {
            return Err(refused(CHECK, "mint_attempts_wire_check"));
        }
        if self.attempts.get(&signature).is_some() || self.open.get(&row.operation).is_some() {
            return Err(refused(UNIQUE, format_args!("attempt {signature} of operation {}", row.operation)));
        }
        self.refuse_unpaid(&row)?;
        self.open.put(row.operation, signature);
        self.attempts.put(signature, row);
        Ok(())
    }

    /// Decides the open attempt of an operation. A verdict is never changed: a decided attempt is not open.
    pub fn decide(&mut self, id: OperationId, verdict: impl FnOnce(&Signature) -> Verdict) {
        if let Some(row) = self.open_attempt(id).cloned() {
            let signature = row.attempt.signature;
            self.attempts.put(signature, RecordedAttempt { verdict: Some(verdict(&signature)), ..row });
            self.open.delete(&id);
        }
    }

    /// Writes the finished record.
    pub fn record(&mut self, operation: OperationId, record: &NftRecord) -> Result<(), StoreError> {
        let (mint, signature) = (record.mint, record.signature);
        let taken = self.nfts.get(&mint).is_some()
            || self.minting.get(&signature).is_some()
            || self.recorded.get(&operation).is_some();
        if taken {
            return Err(refused(UNIQUE, format_args!("nfts: {mint}, {signature}")));
        }
        self.minting.put(signature, ());
        self.recorded.put(operation, mint);
        self.nfts.put(mint, NftRow { operation, record: record.clone(), verified_at: None });
        Ok(())
    }

    /// The finished record counts from now on.
    pub fn verify(&mut self, operation: OperationId, now: DateTime<Utc>) {
        let Some(mint) = self.recorded.get(&operation).copied() else { return };
        if let Some(row) = self.nfts.get(&mint).cloned() {
            self.nfts.put(mint, NftRow { verified_at: Some(now), ..row });
        }
    }

    /// Adds to an operation's history.
    pub fn tell(&mut self, id: OperationId, event: OperationEvent) {
        self.events_so_far += 1;
        self.events.put((id, self.events_so_far), event);
    }

    /// What happened to an operation, in order.
    pub fn history(&self, id: OperationId) -> impl Iterator<Item = &OperationEvent> {
        self.events.range((id, 0)..=(id, u64::MAX)).map(|(_, event)| event)
    }

    /// The statement is committed.
    pub fn keep(&mut self) {
        self.tables().into_iter().for_each(Undo::keep);
    }

    /// The statement failed: nothing of it remains.
    pub fn take_back(&mut self) {
        self.tables().into_iter().for_each(Undo::take_back);
    }

    fn tables(&mut self) -> [&mut dyn Undo; 11] {
        let Self { operations, attempts, nfts, pins, consumed, burns, events, mints, open, minting, recorded, .. } =
            self;
        [operations, attempts, nfts, pins, consumed, burns, events, mints, open, minting, recorded]
    }
}

/// The one change of an address that there is: an upgrade that ended without an NFT leaves its burn to another.
fn gives_claim_up(old: &Operation, new: &Operation) -> bool {
    old.content.kind == OperationKind::Upgrade
        && old.state.ended_without_nft()
        && (new.state, new.version) == (old.state, old.version + 1)
        && old.mint_address.is_some()
        && new.mint_address.is_none()
}

/// What the step before had gone through is nothing to the next one.
fn begin_step_anew(row: &mut OperationRow) {
    row.operation.attempts = 0;
    row.operation.next_attempt_at = None;
    row.claimed_until = None;
    row.requested_at = None;
    row.wakes = 0;
}
