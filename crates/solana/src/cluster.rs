//! The real chain, behind its endpoints.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::{Attempt, MintAddress, Priority, Signature, WalletAddress};
use futures::future::join_all;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use solana_client::rpc_request::RpcRequest;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::transaction as sdk;

use crate::account_reader::{AccountReader, Snapshot, Source, decode};
use crate::audit::SIGNATURES_PER_CALL;
use crate::blockhash::{Blockhash, BlockhashCache};
use crate::chain::{Chain, ChainView, Opinions};
use crate::collection::{self, CollectionState, Collections};
use crate::commitment::Commitment;
use crate::compute::Simulated;
use crate::endpoints::Endpoints;
use crate::expiry::Expiry;
use crate::fee_policy::FeePolicy;
use crate::fees::PriorityFees;
use crate::landing::{Landing, Watch};
use crate::nft::{Holding, MetadataAccount, MintState, NftAccounts};
use crate::purse::Purse;
use crate::refreshed::Refreshed;
use crate::rpc_error::RpcError;
use crate::send_outcome::SendOutcome;
use crate::sending::Sending;
use crate::token_metadata::{MINT_SIZE, NftAddresses, pubkey};
use crate::toll::{self, Toll};
use crate::tracker::ConfirmationTracker;
use crate::wire::{At, ListedAccount, SignatureOfAddress, Simulation, Transaction};
use crate::witness::Witness;
use mpl_token_metadata::accounts::{MasterEdition, Metadata};
use spl_token_interface::ID as TOKEN_PROGRAM;

/// Rent changes with the cluster's features, if ever.
const KEEP_RENT: Duration = Duration::from_hours(1);
/// Calls at most for the list of the transactions at a mint's address.
const MOST_PAGES: usize = 50;
/// Transactions at most, the oldest, that are asked whether they minted it: strangers may have sent lamports before.
const MOST_WITNESSES: usize = 100;

/// A cluster, with all that is shared among those who use it.
#[derive(Debug)]
pub struct Cluster {
    endpoints: Arc<Endpoints>,
    blockhashes: BlockhashCache,
    fees: PriorityFees,
    rent: Refreshed<u64>,
    tracker: ConfirmationTracker,
    confirmed: AccountReader,
    finalized: AccountReader,
    collections: Collections,
    expiry: Expiry,
    sending: Sending,
}

impl Cluster {
    /// Begins to use the cluster behind `endpoints`, paying for a place in a block as the policy has it. Must be called
    /// within a tokio runtime.
    #[must_use]
    pub fn start(endpoints: Arc<Endpoints>, fees: FeePolicy) -> Self {
        let reader = |commitment| AccountReader::start(Source::Any(Arc::clone(&endpoints)), commitment);
        Self {
            blockhashes: BlockhashCache::new(Arc::clone(&endpoints)),
            fees: PriorityFees::new(Arc::clone(&endpoints), fees),
            rent: Refreshed::new(KEEP_RENT),
            tracker: ConfirmationTracker::start(Arc::clone(&endpoints)),
            confirmed: reader(Commitment::Confirmed),
            finalized: reader(Commitment::Finalized),
            collections: Collections::default(),
            expiry: Expiry::start(&endpoints),
            sending: Sending::new(Arc::clone(&endpoints)),
            endpoints,
        }
    }

    /// Asks any endpoint that is well.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, request: RpcRequest, params: Value) -> Result<T, RpcError> {
        Ok(self.endpoints.ask(request, params).await?.value)
    }

    /// Accounts at `finalized`.
    pub(crate) async fn finalized_accounts(
        &self,
        addresses: Vec<Pubkey>,
        min_context_slot: u64,
    ) -> Result<Snapshot, RpcError> {
        self.finalized.read(addresses, min_context_slot).await
    }

    fn reader(&self, commitment: Commitment) -> &AccountReader {
        match commitment {
            Commitment::Confirmed => &self.confirmed,
            Commitment::Finalized => &self.finalized,
        }
    }

    /// One page of what names an account, newest first, `before` that transaction.
    pub(crate) async fn signatures_of(
        &self,
        account: &Pubkey,
        commitment: Commitment,
        before: Option<&str>,
    ) -> Result<Vec<SignatureOfAddress>, RpcError> {
        let mut config = json!({ "commitment": commitment.as_str(), "limit": SIGNATURES_PER_CALL });
        if let Some(before) = before {
            config["before"] = json!(before);
        }
        self.ask(RpcRequest::GetSignaturesForAddress, json!([account.to_string(), config])).await
    }

    /// All that names a mint, newest first; none where that is more than is looked through.
    async fn history_of(&self, mint: &MintAddress) -> Result<Option<Vec<SignatureOfAddress>>, RpcError> {
        let account = pubkey(mint.as_bytes());
        let mut history: Vec<SignatureOfAddress> = Vec::new();
        for _ in 0..MOST_PAGES {
            let before = history.last().map(|oldest| oldest.signature.as_str());
            let page = self.signatures_of(&account, Commitment::Confirmed, before).await?;
            let is_last = page.len() < SIGNATURES_PER_CALL;
            history.extend(page);
            if is_last {
                return Ok(Some(history));
            }
        }
        tracing::warn!(%mint, transactions = history.len(), "a mint has more transactions than are looked through");
        Ok(None)
    }
}

impl ChainView for Cluster {
    async fn landing(&self, watch: Watch, commitment: Commitment, patience: Duration) -> Landing {
        self.tracker.landing(watch, commitment, patience).await
    }

    async fn mint_state(
        &self,
        mint: &MintAddress,
        commitment: Commitment,
        min_context_slot: u64,
    ) -> Result<MintState, RpcError> {
        let mint = pubkey(mint.as_bytes());
        let snapshot = self.reader(commitment).read(vec![mint], min_context_slot).await?;
        let (edition, _) = MasterEdition::find_pda(&mint);
        Ok(MintState::of(snapshot.accounts.first().and_then(Option::as_ref), &edition))
    }

    /// The oldest comes first: strangers may have sent lamports before, and anything may have happened since.
    async fn minted_by(&self, mint: &MintAddress) -> Result<Option<Signature>, RpcError> {
        let Some(history) = self.history_of(mint).await? else { return Ok(None) };
        let succeeded = history.into_iter().rev().filter(|found| found.err.is_none()).take(MOST_WITNESSES);
        for signature in succeeded.filter_map(|found| found.signature.parse::<Signature>().ok()) {
            let witness = self.witness(&signature, mint, Commitment::Confirmed).await?;
            if witness.is_some_and(|witness| witness.minted()) {
                return Ok(Some(signature));
            }
        }
        Ok(None)
    }

    async fn witness(
        &self,
        signature: &Signature,
        mint: &MintAddress,
        commitment: Commitment,
    ) -> Result<Option<Witness>, RpcError> {
        let config = json!({
            "encoding": "json", "commitment": commitment.as_str(), "maxSupportedTransactionVersion": 0,
        });
        let params = json!([signature.to_string(), config]);
        let answer = self.endpoints.ask::<Option<Transaction>>(RpcRequest::GetTransaction, params).await?;
        Ok(answer.value.and_then(|transaction| Witness::of(transaction, mint)))
    }

    async fn nft(
        &self,
        mint: &MintAddress,
        owner: &WalletAddress,
        min_context_slot: u64,
    ) -> Result<NftAccounts, RpcError> {
        let at = NftAddresses::of(mint, owner);
        let addresses = vec![at.mint, at.metadata, at.edition, at.token];
        let snapshot = self.finalized.read(addresses, min_context_slot).await?;
        Ok(NftAccounts::of(at, snapshot.slot, &snapshot.accounts))
    }

    async fn nft_by_each(
        &self,
        mint: &MintAddress,
        owner: &WalletAddress,
        min_context_slot: u64,
    ) -> Vec<Result<NftAccounts, RpcError>> {
        let at = NftAddresses::of(mint, owner);
        let read = self.endpoints.health().into_iter().map(async |endpoint| {
            let source = Source::One(Arc::clone(&self.endpoints), endpoint.label);
            let reader = AccountReader::start(source, Commitment::Finalized);
            let addresses = vec![at.mint, at.metadata, at.edition, at.token];
            let snapshot = reader.read(addresses, min_context_slot).await?;
            Ok(NftAccounts::of(at, snapshot.slot, &snapshot.accounts))
        });
        join_all(read).await
    }

    async fn metadata(&self, mint: &MintAddress) -> Result<Option<MetadataAccount>, RpcError> {
        let (address, _) = Metadata::find_pda(&pubkey(mint.as_bytes()));
        let snapshot = self.finalized.read(vec![address], 0).await?;
        Ok(snapshot.accounts.first().and_then(Option::as_ref).and_then(MetadataAccount::of))
    }

    async fn collection(&self, mint: &MintAddress) -> Result<CollectionState, RpcError> {
        self.collections.get(mint, collection::read(&self.finalized, mint)).await
    }

    async fn holdings(&self, wallet: &WalletAddress) -> Result<Vec<Holding>, RpcError> {
        let config = json!({ "encoding": "base64", "commitment": Commitment::Finalized.as_str() });
        let params = json!([wallet.to_string(), { "programId": TOKEN_PROGRAM.to_string() }, config]);
        let read = |listed: At<Vec<ListedAccount>>| -> Result<Vec<_>, _> {
            listed.value.into_iter().map(|listed| decode(listed.account)).collect()
        };
        let accounts = self.endpoints.ask_for(RpcRequest::GetTokenAccountsByOwner, params, read).await?.value;
        Ok(accounts.iter().filter_map(Holding::of).collect())
    }
}

impl Purse for Cluster {
    async fn balances(&self, accounts: &[Pubkey], min_context_slot: u64) -> Result<Vec<u64>, RpcError> {
        let snapshot = self.confirmed.read(accounts.to_vec(), min_context_slot).await?;
        Ok(snapshot.accounts.into_iter().map(|account| account.map_or(0, |account| account.lamports)).collect())
    }

    async fn rent(&self, bytes: u64) -> Result<u64, RpcError> {
        toll::rent(&self.endpoints, bytes).await
    }
}

impl Chain for Cluster {
    async fn blockhash(&self) -> Result<Blockhash, RpcError> {
        self.blockhashes.get().await
    }

    async fn unit_price(&self, signed_before: u32) -> u64 {
        self.fees.price(signed_before).await
    }

    async fn mint_rent(&self) -> Result<u64, RpcError> {
        self.rent.get(toll::rent(&self.endpoints, MINT_SIZE as u64)).await
    }

    async fn simulate(&self, wire: &[u8]) -> Result<Simulated, RpcError> {
        let config = json!({
            "encoding": "base64", "sigVerify": false, "replaceRecentBlockhash": true,
            "commitment": Commitment::Confirmed.as_str(),
        });
        let params = json!([BASE64.encode(wire), config]);
        let Simulation { err, units_consumed, .. } =
            self.endpoints.ask::<At<Simulation>>(RpcRequest::SimulateTransaction, params).await?.value.value;
        let units = units_consumed.unwrap_or(0);
        Ok(Simulated { units, succeeded: err.is_none() && units > 0 })
    }

    async fn toll(
        &self,
        probe: &sdk::Transaction,
        funded: &[Pubkey],
        lay_there: u64,
    ) -> Result<Option<Toll>, RpcError> {
        let blockhash = self.blockhashes.get().await?.hash;
        toll::ask(&self.endpoints, probe, blockhash, funded, lay_there).await
    }

    async fn send(&self, attempt: &Attempt, priority: Priority, round: u32, preflight: bool) -> SendOutcome {
        self.sending.send(attempt, priority, round > 0, preflight).await
    }

    fn prefer(&self, transaction: &Signature, endpoint: &str) {
        self.sending.prefer(*transaction, endpoint);
    }

    async fn expired(&self, last_valid: u64, mint: &MintAddress, opinions: Opinions) -> Result<bool, RpcError> {
        self.expiry.expired(last_valid, mint, opinions).await
    }
}
