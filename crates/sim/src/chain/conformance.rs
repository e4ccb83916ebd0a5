//! The chain's conformance suite on the simulated chain, in fair weather; `crates/solana/tests/real_chain.rs` runs it on the
//! real programs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{MintAddress, OperationId};
use solana::{Cluster, FeePolicy, Mints, TokenMetadata};
use solana_sdk::pubkey::Pubkey;
use testkit::conformance::chain::ChainWorld;
use tokio::time::sleep;

use super::{Chain, FINALITY, SLOT, endpoints};
use crate::life::Life;
use crate::process::signer;
use crate::timeline::Timeline;
use crate::weather::{Sky, Weather};

const SEED: u64 = 1;
/// Whatever is in the newest block is final by then, for endpoints that are a slot behind, too.
const SLOTS_TO_FINALITY: u64 = FINALITY + 2;

/// A chain on the runtime's clock, which is paused.
struct Simulated {
    chain: Arc<Chain>,
    cluster: Cluster,
    mints: Mints<TokenMetadata>,
    operations: AtomicU64,
}

impl ChainWorld for Simulated {
    type Chain = Cluster;

    fn fresh() -> Self {
        let (sky, timeline) = (Arc::new(Sky::new(Weather::fair())), Timeline::begin());
        sky.clears_up();
        let chain = Chain::new(SEED, &sky, &timeline);
        let life = Life::begin("suite", SEED, sky, timeline);
        let endpoints = endpoints(&chain, &life, SEED).unwrap();
        Self {
            chain,
            cluster: Cluster::start(endpoints, FeePolicy::default()),
            mints: Mints::new(signer().unwrap(), TokenMetadata),
            operations: AtomicU64::new(0),
        }
    }

    fn chain(&self) -> &Cluster {
        &self.cluster
    }

    fn mints(&self) -> &Mints<TokenMetadata> {
        &self.mints
    }

    fn operation(&self) -> OperationId {
        testkit::operation_id(self.operations.fetch_add(1, Ordering::Relaxed))
    }

    async fn receives(&self, address: &MintAddress, lamports: u64) {
        self.chain.ledger().give(Pubkey::new_from_array(*address.as_bytes()), lamports);
        sleep(SLOT * u32::try_from(SLOTS_TO_FINALITY).unwrap()).await;
    }
}

testkit::chain_conformance!(Simulated, tokio::test(start_paused = true));
