//! An attempt to mint: one signed transaction. Sending its bytes again is no new attempt.

use crate::{MintCost, Signature, WalletAddress};

/// A signed transaction as `mint_attempts` holds it, written before its first send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The payer's signature: the transaction's name.
    pub signature: Signature,
    /// The bytes that are sent, bincode wire form.
    pub wire: Vec<u8>,
    /// Who paid for it, and is the creator of what it mints; none where that was not written down yet.
    pub payer: Option<WalletAddress>,
    /// The blockhash it was signed with, base58.
    pub blockhash: String,
    /// The last block height at which it can land.
    pub last_valid_block_height: u64,
    /// The slot at which the blockhash was read: `minContextSlot` of the send.
    pub context_slot: u64,
    /// Price per compute unit, micro-lamports.
    pub compute_unit_price: u64,
    /// Label of the endpoint that gave the blockhash.
    pub endpoint: String,
    /// What it costs where it lands; none where the chain did not tell.
    pub cost: Option<MintCost>,
}

/// How an attempt ended. None of them can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Landed without error, finalized: the NFT exists.
    Finalized,
    /// Landed with an error, finalized: it minted nothing.
    FailedOnChain,
    /// Can no longer land, and the mint is absent.
    Expired,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 3] = [Self::Finalized, Self::FailedOnChain, Self::Expired];

    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finalized => "finalized",
            Self::FailedOnChain => "failed-on-chain",
            Self::Expired => "expired",
        }
    }
}

/// An attempt whose fate is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecidedAttempt {
    /// Which one.
    pub signature: Signature,
    /// What became of it.
    pub verdict: Verdict,
}
