//! What the steps ask of the chain. [`crate::Cluster`] answers for real; a simulated one may stand in its place.

use std::future::Future;
use std::time::Duration;

use domain::{Attempt, MintAddress, Priority, Signature, WalletAddress};
use solana_sdk::pubkey::Pubkey;
use solana_sdk::transaction::Transaction;

use crate::blockhash::Blockhash;
use crate::collection::CollectionState;
use crate::commitment::Commitment;
use crate::compute::Simulated;
use crate::landing::{Landing, Watch};
use crate::nft::{Holding, MetadataAccount, MintState, NftAccounts};
use crate::rpc_error::RpcError;
use crate::send_outcome::SendOutcome;
use crate::toll::Toll;
use crate::witness::Witness;

/// Looks at the chain.
pub trait ChainView: Send + Sync + 'static {
    /// Waits until the watched transaction has landed for sure as `commitment` means it, for at most `patience`.
    fn landing(&self, watch: Watch, commitment: Commitment, patience: Duration)
    -> impl Future<Output = Landing> + Send;

    /// Whether the NFT exists, as of a slot that is not before `min_context_slot` (0: any).
    fn mint_state(
        &self,
        mint: &MintAddress,
        commitment: Commitment,
        min_context_slot: u64,
    ) -> impl Future<Output = Result<MintState, RpcError>> + Send;

    /// The transaction that minted it, found by the mint's address.
    fn minted_by(&self, mint: &MintAddress) -> impl Future<Output = Result<Option<Signature>, RpcError>> + Send;

    /// What a transaction did to a mint; none where the chain does not know it at `commitment`.
    fn witness(
        &self,
        signature: &Signature,
        mint: &MintAddress,
        commitment: Commitment,
    ) -> impl Future<Output = Result<Option<Witness>, RpcError>> + Send;

    /// The four accounts of an NFT at `finalized`, as of a slot that is not before `min_context_slot`.
    fn nft(
        &self,
        mint: &MintAddress,
        owner: &WalletAddress,
        min_context_slot: u64,
    ) -> impl Future<Output = Result<NftAccounts, RpcError>> + Send;

    /// The same as each endpoint by itself has it, for whoever doubts one answer. A chain that is only one has one view.
    fn nft_by_each(
        &self,
        mint: &MintAddress,
        owner: &WalletAddress,
        min_context_slot: u64,
    ) -> impl Future<Output = Vec<Result<NftAccounts, RpcError>>> + Send {
        async move { vec![self.nft(mint, owner, min_context_slot).await] }
    }

    /// The metadata account at `finalized`: all that somebody needs who knows no more than the mint.
    fn metadata(&self, mint: &MintAddress) -> impl Future<Output = Result<Option<MetadataAccount>, RpcError>> + Send;

    /// What lies at the address of a collection, at `finalized`. The answer may be a minute old, for all that is minted into
    /// one collection asks the same.
    fn collection(&self, mint: &MintAddress) -> impl Future<Output = Result<CollectionState, RpcError>> + Send;

    /// What a wallet holds of the token program's tokens at `finalized`: where somebody begins who knows the wallet alone.
    fn holdings(&self, wallet: &WalletAddress) -> impl Future<Output = Result<Vec<Holding>, RpcError>> + Send;
}

/// Signs for and sends to the chain, too.
pub trait Chain: ChainView {
    /// The shared blockhash, at `confirmed`.
    fn blockhash(&self) -> impl Future<Output = Result<Blockhash, RpcError>> + Send;

    /// The price of a compute unit, micro-lamports, for an operation that was signed so many times before.
    fn unit_price(&self, signed_before: u32) -> impl Future<Output = u64> + Send;

    /// What a mint account has to hold to be free of rent, lamports.
    fn mint_rent(&self) -> impl Future<Output = Result<u64, RpcError>> + Send;

    /// Tries out an unsigned transaction.
    fn simulate(&self, wire: &[u8]) -> impl Future<Output = Result<Simulated, RpcError>> + Send;

    /// What a transaction takes from its payer beside the priority fee, by trying out `probe`, an unsigned one without a
    /// price, which creates the accounts at `funded`. At the first of these `lay_there` lamports lie already. None where
    /// it would fail, or the chain does not tell.
    fn toll(
        &self,
        probe: &Transaction,
        funded: &[Pubkey],
        lay_there: u64,
    ) -> impl Future<Output = Result<Option<Toll>, RpcError>> + Send;

    /// Sends the bytes of an attempt that is on record. Those of a critical operation may go past a breaker that is
    /// bypassed. In another `round` another endpoint comes first. With `preflight` the endpoint tries it out before
    /// it passes it on.
    fn send(
        &self,
        attempt: &Attempt,
        priority: Priority,
        round: u32,
        preflight: bool,
    ) -> impl Future<Output = SendOutcome> + Send;

    /// From now on the first send of that transaction goes through the endpoint of that label, where there is one and it is
    /// in use. A chain without endpoints has nothing to do.
    fn prefer(&self, _transaction: &Signature, _endpoint: &str) {}

    /// Whether nothing that was good until that block height can land any more, and the mint is absent: the finalized
    /// height is two blocks past it, and the mint is absent at `finalized` as of that height's slot, on as many endpoints
    /// as `opinions` asks for.
    fn expired(
        &self,
        last_valid_block_height: u64,
        mint: &MintAddress,
        opinions: Opinions,
    ) -> impl Future<Output = Result<bool, RpcError>> + Send;
}

/// How many endpoints have to agree that an attempt expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opinions {
    /// Two, where two are configured.
    Two,
    /// One: the other one has been of no help for too long.
    One,
}
