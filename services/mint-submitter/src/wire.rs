//! The worker put together.

use std::sync::Arc;

use domain::SystemClock;
use service::config::SubmitterConfig;
use service::{Process, Worker, join_cluster, open_worker_store};
use solana::{Cluster, MintSigner, Mints, TokenMetadata};

use crate::Minter;

/// Runs the worker until the process is told to end.
///
/// # Errors
/// Keys, database, chain or broker that cannot be used at the start, or a worker that cannot go on.
pub async fn run(config: SubmitterConfig, process: Process) -> anyhow::Result<()> {
    solana::describe_metrics();
    let keys = config.keys;
    let signer = MintSigner::load(&keys.payer_keypair, &keys.master_secret, keys.key_id)?;
    let store = open_worker_store(&config.worker, &process.health).await?;
    let endpoints = join_cluster(&config.solana, config.worker.breaker, &store, &process.health).await?;
    let (database_open, rpc_open) = (store.open(), endpoints.open());
    let chain = Cluster::start(endpoints, config.fees);
    let burns = Arc::clone(&store);
    let mut worker = Worker::new(process, config.worker.kafka, config.worker.limits, store)?;
    worker.needs(database_open);
    worker.needs(rpc_open);
    worker.step(Minter::new(chain, Mints::new(signer, TokenMetadata), burns, SystemClock))?;
    worker.run().await
}
