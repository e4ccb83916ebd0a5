//! The ledger that all endpoints share: blocks, what landed in them, and what a fork takes back.
//!
//! Nothing here runs by itself: whoever looks at the ledger brings it up to the slot that the virtual clock has reached.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use solana_sdk::hash::Hash;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::TransactionError;

use super::accounts::Kind;
use super::program::{self, Found, Nft};
use super::transaction::MintTransaction;
use crate::dice::Dice;
use crate::weather::Sky;

/// Blocks for which a blockhash is good.
pub const BLOCKHASH_LIFE: u64 = 150;
/// Slots after which a block is final: no fork reaches further back.
pub const FINALITY: u64 = 32;
/// Slots after which a block is confirmed, and may still be taken back here.
pub const CONFIRMATION: u64 = 2;
/// The first slot of the runs, and how many blocks there were before.
const GENESIS: (u64, u64) = (1_000, 900);
/// One slot in so many has no block.
const SKIPPED: f64 = 0.05;
/// A late transaction lands at most so many slots past its last valid block, where nobody takes it any more.
const TOO_LATE: u64 = 30;

/// A block.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// Blocks before it.
    pub height: u64,
    /// Its hash.
    pub hash: Hash,
}

/// A transaction in a block.
#[derive(Debug, Clone)]
pub struct Landed {
    /// In which.
    pub slot: u64,
    /// Why it changed nothing.
    pub error: Option<TransactionError>,
    /// What it is.
    pub transaction: Arc<MintTransaction>,
    /// Until this slot every endpoint denies that it has a status.
    pub hidden_until: u64,
}

/// What happened on the ledger, for the timeline.
#[derive(Debug, Clone)]
pub enum Happening {
    /// A transaction landed.
    Landed(Arc<MintTransaction>, u64, Option<TransactionError>),
    /// A block should have taken it, and its blockhash is too old or of another fork.
    TooLate(Arc<MintTransaction>, u64),
    /// A fork took back what had landed.
    TakenBack(Arc<MintTransaction>, u64),
}

/// The chain as it is, of which every endpoint shows its own view.
#[derive(Debug)]
pub struct Ledger {
    dice: Dice,
    sky: Arc<Sky>,
    seed: u64,
    forks: u64,
    tip: u64,
    blocks: BTreeMap<u64, Block>,
    heights: BTreeMap<Hash, u64>,
    due: BTreeMap<u64, Vec<Arc<MintTransaction>>>,
    landed: BTreeMap<Signature, Landed>,
    of_slot: BTreeMap<u64, Vec<Signature>>,
    of_mint: BTreeMap<Pubkey, BTreeSet<Signature>>,
    nfts: BTreeMap<Pubkey, Nft>,
    addresses: BTreeMap<Pubkey, (Pubkey, Kind)>,
    /// What strangers sent where: the slot, and lamports.
    gifts: BTreeMap<Pubkey, (u64, u64)>,
    known: BTreeMap<Signature, Arc<MintTransaction>>,
    happened: Vec<Happening>,
}

impl Ledger {
    /// A ledger with some hundreds of blocks and nothing in them.
    #[must_use]
    pub fn new(seed: u64, sky: Arc<Sky>) -> Self {
        let (tip, height) = GENESIS;
        let mut ledger = Self {
            dice: Dice::of(seed, "ledger"),
            sky,
            seed,
            forks: 0,
            tip: tip - 2 * BLOCKHASH_LIFE,
            blocks: BTreeMap::new(),
            heights: BTreeMap::new(),
            due: BTreeMap::new(),
            landed: BTreeMap::new(),
            of_slot: BTreeMap::new(),
            of_mint: BTreeMap::new(),
            nfts: BTreeMap::new(),
            addresses: BTreeMap::new(),
            gifts: BTreeMap::new(),
            known: BTreeMap::new(),
            happened: Vec::new(),
        };
        ledger.put_block(ledger.tip, height - 2 * BLOCKHASH_LIFE);
        ledger.advance(0);
        ledger
    }

    /// Goes on until so many slots have passed since the run began.
    pub fn advance(&mut self, passed: u64) {
        while self.tip < GENESIS.0 + passed {
            self.tip += 1;
            self.next_slot();
        }
    }

    /// The newest slot.
    #[must_use]
    pub const fn tip(&self) -> u64 {
        self.tip
    }

    /// The newest block at a slot.
    #[must_use]
    pub fn block(&self, slot: u64) -> Option<&Block> {
        self.blocks.range(..=slot).next_back().map(|(_, block)| block)
    }

    /// The height of the block that a blockhash names, as of a slot.
    #[must_use]
    pub fn height_of(&self, hash: &Hash, slot: u64) -> Option<u64> {
        let height = *self.heights.get(hash)?;
        self.block(slot).is_some_and(|block| height <= block.height).then_some(height)
    }

    /// What a transaction came to.
    #[must_use]
    pub fn landed(&self, signature: &Signature) -> Option<&Landed> {
        self.landed.get(signature)
    }

    /// The NFT of a mint, as of a slot.
    #[must_use]
    pub fn nft(&self, mint: &Pubkey, slot: u64) -> Option<&Nft> {
        self.nfts.get(mint).filter(|nft| nft.slot <= slot)
    }

    /// The NFT that an address belongs to, and which of its accounts it is, as of a slot.
    #[must_use]
    pub fn account(&self, address: &Pubkey, slot: u64) -> Option<(&Nft, Kind)> {
        let (mint, kind) = self.addresses.get(address)?;
        Some((self.nft(mint, slot)?, *kind))
    }

    /// Lamports that a stranger sent to an address, as of a slot.
    #[must_use]
    pub fn gift(&self, address: &Pubkey, slot: u64) -> Option<u64> {
        self.gifts.get(address).filter(|(sent, _)| *sent <= slot).map(|(_, lamports)| *lamports)
    }

    /// What lies at the address of a mint, as of a slot.
    #[must_use]
    pub fn found(&self, mint: &Pubkey, slot: u64) -> Found {
        match self.nft(mint, slot) {
            Some(_) => Found::Nft,
            None => self.gift(mint, slot).map_or(Found::Nothing, Found::Lamports),
        }
    }

    /// Every NFT.
    pub fn nfts(&self) -> impl Iterator<Item = &Nft> {
        self.nfts.values()
    }

    /// Every transaction that any endpoint ever took.
    pub fn taken(&self) -> impl Iterator<Item = &Arc<MintTransaction>> {
        self.known.values()
    }

    /// Transactions that name a mint and have landed by a slot, newest first.
    #[must_use]
    pub fn transactions_of(&self, mint: &Pubkey, slot: u64) -> Vec<&Landed> {
        let signatures = self.of_mint.get(mint).into_iter().flatten();
        let mut landed: Vec<_> = signatures
            .filter_map(|signature| self.landed.get(signature))
            .filter(|landed| landed.slot <= slot)
            .collect();
        landed.sort_by_key(|landed| std::cmp::Reverse(landed.slot));
        landed
    }

    /// Reads wire bytes, once for each transaction.
    ///
    /// # Errors
    /// As [`MintTransaction::read`].
    pub fn read(&self, wire: &[u8]) -> Result<Arc<MintTransaction>, String> {
        let signature: Option<Signature> = wire.get(1..65).and_then(|bytes| bytes.try_into().ok());
        if let Some(known) = signature.and_then(|signature| self.known.get(&signature)) {
            return Ok(Arc::clone(known));
        }
        MintTransaction::read(wire).map(Arc::new)
    }

    /// Tries a transaction out as of a slot.
    #[must_use]
    pub fn try_out(&self, transaction: &MintTransaction, slot: u64) -> Option<TransactionError> {
        if self.landed.get(&transaction.signature).is_some_and(|landed| landed.slot <= slot) {
            return Some(TransactionError::AlreadyProcessed);
        }
        let age = self.height_of(&transaction.blockhash, slot).zip(self.block(slot));
        if age.is_none_or(|(height, block)| height + BLOCKHASH_LIFE < block.height) {
            return Some(TransactionError::BlockhashNotFound);
        }
        program::run(transaction, |mint| self.found(mint, slot)).err()
    }

    /// An endpoint takes a transaction and passes it on: it lands soon, late, too late or never.
    pub fn take(&mut self, transaction: &Arc<MintTransaction>) {
        self.known.insert(transaction.signature, Arc::clone(transaction));
        for creation in transaction.creations() {
            self.of_mint.entry(creation.mint).or_default().insert(transaction.signature);
        }
        if self.sky.strikes(&self.dice, |weather| weather.transaction_dropped) {
            return;
        }
        let late = self.sky.strikes(&self.dice, |weather| weather.transaction_late);
        let delay = if late { self.dice.below(self.slots_left(transaction)) } else { self.dice.below(4) };
        self.due.entry(self.tip + 1 + delay).or_default().push(Arc::clone(transaction));
    }

    /// A stranger sends lamports to an address where there is nothing. No weather does that yet.
    #[cfg(test)]
    pub fn give(&mut self, address: Pubkey, lamports: u64) {
        let slot = self.tip;
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(address.as_ref());
        let signature = Signature::from(signature);
        let transaction = MintTransaction { signature, blockhash: Hash::default(), steps: vec![] };
        self.of_mint.entry(address).or_default().insert(signature);
        let landed = Landed { slot, error: None, transaction: Arc::new(transaction), hidden_until: 0 };
        self.landed.insert(signature, landed);
        self.gifts.insert(address, (slot, lamports));
    }

    /// What happened since the last call.
    pub fn happened(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happened)
    }

    /// Slots in which it may be due: those that its blockhash has left, and some more.
    fn slots_left(&self, transaction: &MintTransaction) -> u64 {
        let now = self.block(self.tip).map_or(0, |block| block.height);
        let last = self.heights.get(&transaction.blockhash).map_or(now, |height| height + BLOCKHASH_LIFE);
        last.saturating_sub(now) + TOO_LATE
    }

    fn next_slot(&mut self) {
        let due = self.due.remove(&self.tip).unwrap_or_default();
        if self.dice.chance(SKIPPED) {
            self.due.entry(self.tip + 1).or_default().extend(due);
        } else {
            let height = self.block(self.tip).map_or(0, |block| block.height + 1);
            self.put_block(self.tip, height);
            for transaction in due {
                self.land(transaction);
            }
        }
        if self.sky.strikes(&self.dice, |weather| weather.fork) {
            let depth = 1 + self.dice.below(FINALITY - 1);
            self.fork(self.tip + 1 - depth);
        }
    }

    fn put_block(&mut self, slot: u64, height: u64) {
        let digest = Sha256::new()
            .chain_update(self.seed.to_le_bytes())
            .chain_update(self.forks.to_le_bytes())
            .chain_update(slot.to_le_bytes())
            .finalize();
        let block = Block { height, hash: Hash::new_from_array(digest.into()) };
        self.heights.insert(block.hash, height);
        if let Some(replaced) = self.blocks.insert(slot, block) {
            self.heights.remove(&replaced.hash);
        }
    }

    fn land(&mut self, transaction: Arc<MintTransaction>) {
        if self.landed.contains_key(&transaction.signature) {
            return;
        }
        let slot = self.tip;
        let height = self.heights.get(&transaction.blockhash).copied();
        let now = self.block(slot).map_or(0, |block| block.height);
        if height.is_none_or(|height| height + BLOCKHASH_LIFE < now) {
            self.happened.push(Happening::TooLate(transaction, slot));
            return;
        }
        let error = match program::run(&transaction, |mint| self.found(mint, slot)) {
            Ok(made) => {
                for nft in made {
                    self.put_nft(Nft { slot, ..nft });
                }
                None
            }
            Err(error) => Some(error),
        };
        let hidden = self.sky.strikes(&self.dice, |weather| weather.status_hidden);
        let hidden_until = if hidden { slot + self.dice.below(2 * BLOCKHASH_LIFE) } else { 0 };
        self.happened.push(Happening::Landed(Arc::clone(&transaction), slot, error.clone()));
        self.of_slot.entry(slot).or_default().push(transaction.signature);
        self.landed.insert(transaction.signature, Landed { slot, error, transaction, hidden_until });
    }

    fn put_nft(&mut self, nft: Nft) {
        let mint = nft.creation.mint;
        self.addresses.extend(nft.addresses().map(|(address, kind)| (address, (mint, kind))));
        self.nfts.insert(mint, nft);
    }

    /// The blocks from that slot on are other ones: what was in them is forgotten, or lands again later. Their hashes may be
    /// other ones too; then what was signed with them never lands.
    fn fork(&mut self, from: u64) {
        self.forks += 1;
        for (_, signatures) in self.of_slot.split_off(&from) {
            for signature in signatures {
                let Some(taken) = self.landed.remove(&signature) else { continue };
                for creation in taken.transaction.creations() {
                    if self.nfts.get(&creation.mint).is_some_and(|nft| nft.signature == signature) {
                        self.nfts.remove(&creation.mint);
                    }
                }
                self.happened.push(Happening::TakenBack(Arc::clone(&taken.transaction), taken.slot));
                if self.dice.chance(0.5) {
                    let slot = self.tip + 1 + self.dice.below(self.slots_left(&taken.transaction));
                    self.due.entry(slot).or_default().push(taken.transaction);
                }
            }
        }
        if self.dice.chance(0.5) {
            let blocks: Vec<_> = self.blocks.range(from..).map(|(slot, block)| (*slot, block.height)).collect();
            for (slot, height) in blocks {
                self.put_block(slot, height);
            }
        }
    }
}
