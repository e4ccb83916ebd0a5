//! The worker put together.

use std::sync::Arc;

use anyhow::ensure;
use domain::{SystemClock, WalletAddress};
use service::config::{FundingSettings, SubmitterConfig};
use service::{Process, Worker, join_cluster, open_worker_store, record_mint_keys};
use solana::{Cluster, Mints, TokenMetadata, Treasury};

use crate::funding::{FundingKeeper, PayerFunds};
use crate::rotation::recorded_rotation;
use crate::{Minter, metrics};

/// What the payers' funds are called among the dependencies.
const FUNDS: &str = "payer-funds";

/// Runs the worker until the process is told to end.
///
/// # Errors
/// Keys, database, chain or broker that cannot be used at the start, or a worker that cannot go on.
pub async fn run(config: SubmitterConfig, process: Process) -> anyhow::Result<()> {
    solana::describe_metrics();
    metrics::describe();
    let signer = config.keys.open().await?;
    let store = open_worker_store(&config.worker, &process.health).await?;
    record_mint_keys(&store, signer.masters()).await?;
    let endpoints = join_cluster(&config.solana, config.worker.breaker, &store, &process.health).await?;
    let (database_open, rpc_open) = (store.open(), endpoints.open());
    // What a retired payer lacks keeps nobody waiting any more.
    for payer in signer.payers().retired() {
        store.payer_resumes(&WalletAddress::from_bytes(payer.to_bytes())).await?;
    }
    let payers: Vec<_> = signer.payers().addresses().collect();
    let FundingSettings { policy, treasury } = config.funding;
    let is_payer = |treasury: &Treasury| payers.contains(&treasury.address());
    ensure!(!treasury.as_ref().is_some_and(is_payer), "MINT_TREASURY_KEYPAIR: it is a payer's");
    let funds = Arc::new(PayerFunds::shown_on(process.health.dependency(FUNDS, 1)));
    let purse = Cluster::start(Arc::clone(&endpoints), config.fees);
    let keeper =
        FundingKeeper::new(purse, Arc::clone(&store), SystemClock, policy, treasury, payers, Arc::clone(&funds));
    tokio::spawn(process.stop.clone().run_until_cancelled_owned(keeper.run()));
    let chain = Cluster::start(endpoints, config.fees);
    let rotation = recorded_rotation(&store, signer.masters(), &chain).await?;
    let burns = Arc::clone(&store);
    let mut worker = Worker::new(process, config.worker.kafka, config.worker.limits, store)?;
    worker.needs(database_open);
    worker.needs(rpc_open);
    worker.needs(funds.open());
    let minter = Minter::new(chain, Mints::new(signer, TokenMetadata), burns, SystemClock);
    worker.step(minter.funded_by(funds).rotated(rotation))?;
    worker.run().await
}
