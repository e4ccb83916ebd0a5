//! What keeps the keeper from a round.

use engine::StoreError;
use solana::RpcError;

/// A round that was not finished. The next one begins anew.
#[derive(Debug, thiserror::Error)]
pub enum FundingError {
    /// The chain did not answer.
    #[error(transparent)]
    Chain(#[from] RpcError),
    /// The database did not answer.
    #[error(transparent)]
    Ledger(#[from] StoreError),
}
