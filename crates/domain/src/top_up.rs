//! Money for a payer.

use crate::{Attempt, MintAddress, WalletAddress};

/// A transfer from the treasury to a payer: one signed transaction, on record before its first send, which lands once or
/// never. Another top-up is another transaction, signed when the fate of this one is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUp {
    /// Who gives.
    pub treasury: WalletAddress,
    /// Who gets.
    pub payer: WalletAddress,
    /// How much.
    pub lamports: u64,
    /// A token account that the transaction leaves behind where it lands, at an address that no other one can take. It is
    /// to a top-up what the mint is to an attempt to mint: its absence, read late enough, shows that it never landed.
    pub marker: MintAddress,
    /// The transaction.
    pub attempt: Attempt,
}

/// Why a payer that is low is not topped up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shortage {
    /// There is no treasury to do it from.
    NoTreasury,
    /// The treasury holds too little.
    TreasuryEmpty,
    /// More than the day's limit would leave the treasury.
    DayLimitReached,
    /// For minutes no top-up has landed: one after the other expires, or nobody tells whether the last one still can.
    Undecided,
}

impl Shortage {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::NoTreasury, Self::TreasuryEmpty, Self::DayLimitReached, Self::Undecided];

    /// The name in the database, in metrics and as a failure's code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoTreasury => "no-treasury",
            Self::TreasuryEmpty => "treasury-empty",
            Self::DayLimitReached => "day-limit-reached",
            Self::Undecided => "top-up-undecided",
        }
    }

    /// What a person has to do about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::NoTreasury => "send the payer SOL, or configure MINT_TREASURY_KEYPAIR",
            Self::TreasuryEmpty => "send the treasury SOL, or the payer itself",
            Self::DayLimitReached => "send the payer SOL, raise MINT_TREASURY_LAMPORTS_PER_DAY, or wait",
            Self::Undecided => {
                "see that two of SOLANA_RPC_ENDPOINTS answer and what the submitter logs of top-ups, or send the payer SOL"
            }
        }
    }
}
