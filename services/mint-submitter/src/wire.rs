//! The worker put together.

use std::sync::Arc;

use anyhow::ensure;
use domain::SystemClock;
use service::config::{FundingSettings, SubmitterConfig};
use service::{Process, Worker, join_cluster, open_worker_store};
use solana::{Cluster, MintSigner, Mints, TokenMetadata, Treasury};

use crate::funding::{FundingKeeper, PayerFunds};
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
    let keys = config.keys;
    let signer = MintSigner::load(&keys.payer_keypair, &keys.master_secret, keys.key_id)?;
    let store = open_worker_store(&config.worker, &process.health).await?;
    let endpoints = join_cluster(&config.solana, config.worker.breaker, &store, &process.health).await?;
    let (database_open, rpc_open) = (store.open(), endpoints.open());
    let payers = vec![signer.payer()];
    let FundingSettings { policy, treasury } = config.funding;
    let is_payer = |treasury: &Treasury| payers.contains(&treasury.address());
    ensure!(!treasury.as_ref().is_some_and(is_payer), "MINT_TREASURY_KEYPAIR: it is a payer's");
    let funds = Arc::new(PayerFunds::shown_on(process.health.dependency(FUNDS, 1)));
    let purse = Cluster::start(Arc::clone(&endpoints), config.fees);
    let keeper =
        FundingKeeper::new(purse, Arc::clone(&store), SystemClock, policy, treasury, payers, Arc::clone(&funds));
    tokio::spawn(process.stop.clone().run_until_cancelled_owned(keeper.run()));
    let chain = Cluster::start(endpoints, config.fees);
    let burns = Arc::clone(&store);
    let mut worker = Worker::new(process, config.worker.kafka, config.worker.limits, store)?;
    worker.needs(database_open);
    worker.needs(rpc_open);
    worker.needs(funds.open());
    let minter = Minter::new(chain, Mints::new(signer, TokenMetadata), burns, SystemClock);
    worker.step(minter.funded_by(funds))?;
    worker.run().await
}
