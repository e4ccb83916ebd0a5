//! A transaction as a witness: what it gave to whom or took from whom, whatever became of it since.

use domain::{MintAddress, WalletAddress};

use crate::creation::Creation;
use crate::on_chain_error::OnChainError;
use crate::wire::{TokenBalance, Transaction};

/// A transaction that landed, as far as it concerns one mint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The slot it landed in.
    pub slot: u64,
    /// Why it changed nothing.
    pub error: Option<OnChainError>,
    /// Who held how many tokens of the mint before it.
    pub before: Vec<(WalletAddress, u64)>,
    /// Who held how many when it was done.
    pub holders: Vec<(WalletAddress, u64)>,
    /// How it made the mint, where it did.
    pub creation: Option<Creation>,
}

impl Witness {
    pub(crate) fn of(transaction: Transaction, mint: &MintAddress) -> Option<Self> {
        let creation = Creation::of(&transaction, mint);
        let meta = transaction.meta?;
        // Half of the balances is no witness: what is missing would pass for burned.
        if meta.pre_token_balances.is_some() != meta.post_token_balances.is_some() {
            return None;
        }
        Some(Self {
            slot: transaction.slot,
            error: meta.err.as_ref().map(OnChainError::read),
            before: holders(meta.pre_token_balances, mint),
            holders: holders(meta.post_token_balances, mint),
            creation,
        })
    }

    /// Whether this transaction made the mint's one token.
    #[must_use]
    pub fn minted(&self) -> bool {
        self.error.is_none() && total(&self.before) == 0 && total(&self.holders) == 1
    }

    /// Whether this transaction made the mint's one token for `owner`.
    #[must_use]
    pub fn minted_for(&self, owner: &WalletAddress) -> bool {
        self.minted() && self.holders.contains(&(*owner, 1))
    }

    /// How many of the mint's tokens that wallet held less when it was done.
    #[must_use]
    pub fn taken_from(&self, wallet: &WalletAddress) -> u64 {
        let held = |holders: &[(WalletAddress, u64)]| {
            total(&holders.iter().copied().filter(|(holder, _)| holder == wallet).collect::<Vec<_>>())
        };
        held(&self.before).saturating_sub(held(&self.holders))
    }

    /// How many of the mint's tokens were less when it was done: what left one account and came to no other is burned.
    #[must_use]
    pub fn burned(&self) -> u64 {
        total(&self.before).saturating_sub(total(&self.holders))
    }
}

fn total(holders: &[(WalletAddress, u64)]) -> u64 {
    holders.iter().fold(0, |sum, (_, amount)| sum.saturating_add(*amount))
}

fn holders(balances: Option<Vec<TokenBalance>>, mint: &MintAddress) -> Vec<(WalletAddress, u64)> {
    let mint = mint.to_string();
    let of_mint = balances.unwrap_or_default().into_iter().filter(|balance| balance.mint == mint);
    of_mint
        .filter_map(|balance| Some((balance.owner?.parse().ok()?, balance.ui_token_amount.amount.parse().ok()?)))
        .collect()
}
