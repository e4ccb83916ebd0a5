//! What minting costs.

use std::iter::Sum;
use std::ops::Add;

use crate::Verdict;

/// What a transaction that mints takes from its payer, lamports. Known when it is signed, from what the chain says then of
/// rents and fees; how much of it is really spent depends on how it ends: see [`MintCost::spent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MintCost {
    /// The network's fee for its signatures.
    pub base_fee: u64,
    /// What is offered for a place in a block: compute unit limit times price, rounded up.
    pub priority_fee: u64,
    /// What the accounts that it creates hold to be free of rent, less what lay there before.
    pub rent: u64,
    /// What the program that mints asks for itself.
    pub protocol_fee: u64,
}

impl MintCost {
    /// All of it.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.floor().saturating_add(self.priority_fee)
    }

    /// What no policy can save: all but the priority fee.
    #[must_use]
    pub const fn floor(self) -> u64 {
        self.base_fee.saturating_add(self.rent).saturating_add(self.protocol_fee)
    }

    /// The part that is spent when the transaction ends so: all where it minted, the fees where it landed and failed, none
    /// where it never landed.
    #[must_use]
    pub const fn spent(self, verdict: Verdict) -> Self {
        match verdict {
            Verdict::Finalized => self,
            Verdict::FailedOnChain => Self { rent: 0, protocol_fee: 0, ..self },
            Verdict::Expired => Self { base_fee: 0, priority_fee: 0, rent: 0, protocol_fee: 0 },
        }
    }
}

impl Add for MintCost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            base_fee: self.base_fee.saturating_add(other.base_fee),
            priority_fee: self.priority_fee.saturating_add(other.priority_fee),
            rent: self.rent.saturating_add(other.rent),
            protocol_fee: self.protocol_fee.saturating_add(other.protocol_fee),
        }
    }
}

impl Sum for MintCost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_transaction_ends_decides_what_it_costs() {
        let cost = MintCost { base_fee: 10_000, priority_fee: 7, rent: 5_000_000, protocol_fee: 10_000_000 };
        let spent = |verdict| cost.spent(verdict).total();
        assert_eq!(Verdict::ALL.map(spent), [15_010_007, 10_007, 0]);
        assert_eq!(cost.floor(), 15_010_000);
        let both: MintCost = [cost, cost.spent(Verdict::FailedOnChain)].into_iter().sum();
        assert_eq!((both.total(), both.priority_fee, both.rent), (15_020_014, 14, 5_000_000));
    }
}
