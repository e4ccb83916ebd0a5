//! What the suite asks of a chain besides the port.

use std::future::Future;

use domain::{MintAddress, OperationId};
use solana::{Chain, Mints, TokenMetadata};

/// A chain on which the suite mints as the fleet does, and where a stranger does what a stranger can.
pub trait ChainWorld: Sized + 'static {
    /// What is tested.
    type Chain: Chain;

    /// A chain: one of the case's own, or one that it shares with others that know nothing of it.
    fn fresh() -> Self;

    /// As a worker has it.
    fn chain(&self) -> &Self::Chain;

    /// Who signs, with more than enough to pay for it.
    fn mints(&self) -> &Mints<TokenMetadata>;

    /// An operation that nobody had before.
    fn operation(&self) -> OperationId;

    /// A stranger sends lamports to an address where there is nothing: enough of them to be free of rent. Ready once that is
    /// final.
    fn receives(&self, address: &MintAddress, lamports: u64) -> impl Future<Output = ()>;
}
