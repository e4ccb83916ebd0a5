//! The chain behind RPC endpoints.

use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::sync::Notify;

use crate::{
    Progress,
    chain::{Chain, ChainOptions},
    faults::Switch,
    kit::{Cache, token_metadata_program},
    ports::Ports,
    rpc_front::{RpcFront, Upstream},
};

/// An empty chain, which lives in memory and ends when this is dropped.
#[derive(Debug)]
pub struct ChainServer {
    chain: Chain,
    endpoints: Vec<RpcFront>,
}

impl ChainServer {
    /// Starts the chain with the Token Metadata `program` on it, and an RPC endpoint at each of `addresses`. Its complaints
    /// go to standard error.
    ///
    /// # Errors
    /// It does not start, or an address is taken.
    pub async fn start(addresses: &[SocketAddr], slot: Duration, program: &[u8]) -> Result<Self> {
        let mut ports = Ports::new();
        let options = ChainOptions {
            rpc_port: ports.take()?,
            websocket_port: ports.take()?,
            slot,
            payer: None,
            token_metadata: program,
        };
        let chain = Chain::start(options, io::stderr()).await?;
        let upstream = Arc::new(Upstream::new(chain.rpc(), chain.history())?);
        let mut endpoints = Vec::new();
        for (number, address) in (1..).zip(addresses) {
            let front =
                RpcFront::start(format!("rpc-{number}"), *address, Arc::clone(&upstream), &Switch::default()).await;
            endpoints.push(front.with_context(|| address.to_string())?);
        }
        Ok(Self { chain, endpoints })
    }

    /// Each endpoint as `SOLANA_RPC_ENDPOINTS` has it.
    #[must_use]
    pub fn entries(&self) -> Vec<String> {
        self.endpoints.iter().map(RpcFront::entry).collect()
    }

    /// Resolves when the chain has come to an end although nobody told it to.
    #[must_use]
    pub fn ended(&self) -> Arc<Notify> {
        self.chain.ended()
    }
}

/// The Token Metadata program, from the cache (`$HOME/.cache/mintfleet` where none is given); only where it is not there
/// yet, cargo fetches it. Blocks.
///
/// # Errors
/// It cannot be fetched, or is not what was reviewed.
pub fn fetch_program(cache: Option<&Path>, progress: &Progress) -> Result<Vec<u8>> {
    token_metadata_program(&Cache::open(cache)?, progress)
}
