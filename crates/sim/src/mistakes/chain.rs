//! Mistakes about what proves that a transaction is dead: made in what the chain is taken to have said.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Attempt, MintAddress, Priority, Signature, WalletAddress};
use serde_json::{Value, json};
use solana::{
    Blockhash, Chain, ChainView, Cluster, CollectionState, Commitment, Endpoints, FeePolicy, Holding, Landing,
    MetadataAccount, MintState, NftAccounts, Opinions, Pubkey, RpcError, SendOutcome, Simulated, Toll, Transaction,
    Watch, Witness,
};
use solana_client::rpc_request::RpcRequest;

use super::Mistake;

/// The real chain client, misread.
#[derive(Debug)]
pub struct MistakenChain {
    cluster: Cluster,
    endpoints: Arc<Endpoints>,
    /// With which blockhash something was sent that is good until a height.
    sent_with: Mutex<HashMap<u64, String>>,
    mistake: Option<Mistake>,
}

impl MistakenChain {
    /// The chain behind `endpoints`, read right where there is no mistake.
    #[must_use]
    pub fn start(endpoints: Arc<Endpoints>, mistake: Option<Mistake>) -> Self {
        let cluster = Cluster::start(Arc::clone(&endpoints), FeePolicy::NOTHING);
        Self { cluster, endpoints, sent_with: Mutex::default(), mistake }
    }

    fn sent_with(&self) -> MutexGuard<'_, HashMap<u64, String>> {
        self.sent_with.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn blockhash_is_invalid(&self, last_valid_block_height: u64) -> Result<bool, RpcError> {
        let Some(blockhash) = self.sent_with().get(&last_valid_block_height).cloned() else { return Ok(false) };
        let params = json!([blockhash, { "commitment": "processed" }]);
        let answer = self.endpoints.ask::<Value>(RpcRequest::IsBlockhashValid, params).await?;
        Ok(answer.value["value"] == false)
    }

    /// Its status was null a moment ago, and now the height is past its last valid one: each is true, and the transaction
    /// may have landed between the two.
    async fn is_past(&self, last_valid_block_height: u64) -> Result<bool, RpcError> {
        let params = json!([{ "commitment": "processed" }]);
        let answer = self.endpoints.ask::<Value>(RpcRequest::GetEpochInfo, params).await?;
        Ok(answer.value["blockHeight"].as_u64() > Some(last_valid_block_height))
    }
}

impl ChainView for MistakenChain {
    /// Whoever takes a null status for proof, or asks for the blockhash, does not wait for 181 slots.
    async fn landing(&self, watch: Watch, commitment: Commitment, patience: Duration) -> Landing {
        let hasty = matches!(
            self.mistake,
            Some(
                Mistake::SignsAfterNullStatus | Mistake::SignsAfterInvalidBlockhash | Mistake::ReadsStatusBeforeHeight
            )
        );
        match self.cluster.landing(watch, commitment, patience).await {
            Landing::Unknown { .. } if hasty && commitment == Commitment::Confirmed => {
                Landing::Unknown { tip: Some(u64::MAX) }
            }
            landing => landing,
        }
    }

    async fn mint_state(
        &self,
        mint: &MintAddress,
        commitment: Commitment,
        min_context_slot: u64,
    ) -> Result<MintState, RpcError> {
        self.cluster.mint_state(mint, commitment, min_context_slot).await
    }

    async fn minted_by(&self, mint: &MintAddress) -> Result<Option<Signature>, RpcError> {
        self.cluster.minted_by(mint).await
    }

    async fn witness(
        &self,
        signature: &Signature,
        mint: &MintAddress,
        commitment: Commitment,
    ) -> Result<Option<Witness>, RpcError> {
        self.cluster.witness(signature, mint, commitment).await
    }

    async fn nft(
        &self,
        mint: &MintAddress,
        owner: &WalletAddress,
        min_context_slot: u64,
    ) -> Result<NftAccounts, RpcError> {
        self.cluster.nft(mint, owner, min_context_slot).await
    }

    async fn metadata(&self, mint: &MintAddress) -> Result<Option<MetadataAccount>, RpcError> {
        self.cluster.metadata(mint).await
    }

    async fn collection(&self, mint: &MintAddress) -> Result<CollectionState, RpcError> {
        self.cluster.collection(mint).await
    }

    async fn holdings(&self, wallet: &WalletAddress) -> Result<Vec<Holding>, RpcError> {
        self.cluster.holdings(wallet).await
    }
}

impl Chain for MistakenChain {
    async fn blockhash(&self) -> Result<Blockhash, RpcError> {
        self.cluster.blockhash().await
    }

    async fn unit_price(&self, signed_before: u32) -> u64 {
        self.cluster.unit_price(signed_before).await
    }

    async fn mint_rent(&self) -> Result<u64, RpcError> {
        self.cluster.mint_rent().await
    }

    async fn simulate(&self, wire: &[u8]) -> Result<Simulated, RpcError> {
        self.cluster.simulate(wire).await
    }

    async fn toll(&self, probe: &Transaction, funded: &[Pubkey], lay_there: u64) -> Result<Option<Toll>, RpcError> {
        self.cluster.toll(probe, funded, lay_there).await
    }

    async fn send(&self, attempt: &Attempt, priority: Priority, round: u32, preflight: bool) -> SendOutcome {
        self.sent_with().insert(attempt.last_valid_block_height, attempt.blockhash.clone());
        self.cluster.send(attempt, priority, round, preflight).await
    }

    fn prefer(&self, transaction: &Signature, endpoint: &str) {
        self.cluster.prefer(transaction, endpoint);
    }

    async fn expired(&self, last_valid: u64, mint: &MintAddress, opinions: Opinions) -> Result<bool, RpcError> {
        match self.mistake {
            Some(Mistake::SignsAfterNullStatus) => Ok(true),
            Some(Mistake::SignsAfterInvalidBlockhash) => self.blockhash_is_invalid(last_valid).await,
            Some(Mistake::ReadsStatusBeforeHeight) => self.is_past(last_valid).await,
            Some(
                Mistake::StoresAfterSend
                | Mistake::FreshKeyPerRetry
                | Mistake::StoresOffsetFirst
                | Mistake::SkipsPublish
                | Mistake::NoGuard
                | Mistake::FailsUndecided
                | Mistake::InsertsAfterFailed,
            )
            | None => self.cluster.expired(last_valid, mint, opinions).await,
        }
    }
}
