//! One blockhash for everybody who signs within two seconds.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use solana_client::rpc_request::RpcRequest;
use solana_sdk::hash::Hash;

use crate::commitment::Commitment;
use crate::endpoints::Endpoints;
use crate::refreshed::Refreshed;
use crate::rpc_error::RpcError;
use crate::wire::{At, LatestBlockhash};

/// A blockhash lives for about 60 s; two of them are lost to a transaction at most.
const KEEP: Duration = Duration::from_secs(2);

/// What a transaction is signed with, and until when it is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blockhash {
    /// The hash.
    pub hash: Hash,
    /// The last block height at which a transaction with it can land.
    pub last_valid_block_height: u64,
    /// The slot it was read at.
    pub context_slot: u64,
    /// Label of the endpoint that gave it.
    pub endpoint: Arc<str>,
}

/// The shared blockhash, at `confirmed`. It is fetched only while somebody signs.
#[derive(Debug)]
pub(crate) struct BlockhashCache {
    endpoints: Arc<Endpoints>,
    shared: Refreshed<Blockhash>,
}

impl BlockhashCache {
    pub(crate) const fn new(endpoints: Arc<Endpoints>) -> Self {
        Self { endpoints, shared: Refreshed::new(KEEP) }
    }

    pub(crate) async fn get(&self) -> Result<Blockhash, RpcError> {
        self.shared.get(self.fetch()).await
    }

    async fn fetch(&self) -> Result<Blockhash, RpcError> {
        let params = json!([Commitment::Confirmed.config()]);
        let read = |At { context, value }: At<LatestBlockhash>| {
            let hash: Hash = value.blockhash.parse().map_err(|error| format!("blockhash: {error}"))?;
            Ok((hash, value.last_valid_block_height, context.slot))
        };
        let answer = self.endpoints.ask_for(RpcRequest::GetLatestBlockhash, params, read).await?;
        let (hash, last_valid_block_height, context_slot) = answer.value;
        Ok(Blockhash { hash, last_valid_block_height, context_slot, endpoint: answer.endpoint })
    }
}
