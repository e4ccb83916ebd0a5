//! The minting transaction as a witness: what it gave to whom, whatever became of it since.

use domain::{MintAddress, WalletAddress};

use crate::on_chain_error::OnChainError;
use crate::wire::{TokenBalance, Transaction};

/// A transaction that landed, as far as it concerns one mint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The slot it landed in.
    pub slot: u64,
    /// Why it changed nothing.
    pub error: Option<OnChainError>,
    /// Whether it was the one that made the tokens: there were none before.
    pub first: bool,
    /// Who held how many tokens of the mint when it was done.
    pub holders: Vec<(WalletAddress, u64)>,
}

impl Witness {
    pub(crate) fn of(transaction: Transaction, mint: &MintAddress) -> Option<Self> {
        let meta = transaction.meta?;
        Some(Self {
            slot: transaction.slot,
            error: meta.err.as_ref().map(OnChainError::read),
            first: holders(meta.pre_token_balances, mint).iter().all(|(_, amount)| *amount == 0),
            holders: holders(meta.post_token_balances, mint),
        })
    }

    /// Whether this transaction made the mint's one token.
    #[must_use]
    pub fn minted(&self) -> bool {
        self.error.is_none() && self.first && self.holders.iter().map(|(_, amount)| amount).sum::<u64>() == 1
    }

    /// Whether this transaction made the mint's one token for `owner`.
    #[must_use]
    pub fn minted_for(&self, owner: &WalletAddress) -> bool {
        self.minted() && self.holders.contains(&(*owner, 1))
    }
}

fn holders(balances: Option<Vec<TokenBalance>>, mint: &MintAddress) -> Vec<(WalletAddress, u64)> {
    let mint = mint.to_string();
    let of_mint = balances.unwrap_or_default().into_iter().filter(|balance| balance.mint == mint);
    of_mint
        .filter_map(|balance| Some((balance.owner?.parse().ok()?, balance.ui_token_amount.amount.parse().ok()?)))
        .collect()
}
