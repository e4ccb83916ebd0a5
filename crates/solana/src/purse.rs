//! Who holds how much.

use std::future::Future;

use solana_sdk::pubkey::Pubkey;

use crate::rpc_error::RpcError;

/// Looks at money. [`crate::Cluster`] answers for real.
pub trait Purse: Send + Sync + 'static {
    /// Lamports of each of these accounts (100 at most) at `confirmed`, in one call, as of a slot that is not before
    /// `min_context_slot` (0: any).
    fn balances(
        &self,
        accounts: &[Pubkey],
        min_context_slot: u64,
    ) -> impl Future<Output = Result<Vec<u64>, RpcError>> + Send;

    /// What an account of that many bytes has to hold to be free of rent, lamports.
    fn rent(&self, bytes: u64) -> impl Future<Output = Result<u64, RpcError>> + Send;
}
