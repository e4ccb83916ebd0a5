//! The worker put together.

use std::sync::Arc;
use std::time::Duration;

use resilience::{BreakerSettings, Policies, PolicyName};
use service::config::VerifierConfig;
use service::{Health, Process, Worker, join_cluster, open_gateways, open_worker_store};
use solana::{Cluster, FeePolicy};
use url::Url;

use crate::clearing::clear_attempt_bytes;
use crate::reconcile::reconcile;
use crate::{PARTNER_API, PartnerApi, PartnerApiError, Reconciler, ReconcilerSettings, Verifier};

/// What moved within this is left to the workers: they have it in hand.
const RESTED: Duration = Duration::from_mins(10);
/// Between two calls of the reconciler, of which each asks for a hundred mints.
const PAUSE: Duration = Duration::from_secs(2);

/// Runs the worker until the process is told to end.
///
/// # Errors
/// Database, chain or broker that cannot be used at the start, or a worker that cannot go on.
pub async fn run(config: VerifierConfig, process: Process) -> anyhow::Result<()> {
    solana::describe_metrics();
    ipfs::describe_metrics();
    let partner = config.partner.map(|url| partner(url.0, config.worker.breaker, &process.health)).transpose()?;
    let gateways = open_gateways(&config.gateways, config.worker.breaker, &process.health)?;
    let store = open_worker_store(&config.worker, &process.health).await?;
    let endpoints = join_cluster(&config.solana, config.worker.breaker, &store, &process.health).await?;
    let (database_open, rpc_open) = (store.open(), endpoints.open());
    let creators = config.payers.addresses;
    let (by, of) = ("reconciler".to_owned(), creators.clone());
    let settings = ReconcilerSettings { creators: of, fix: true, rested: RESTED, pause: PAUSE, by };
    let reconciler =
        Reconciler::new(Cluster::start(Arc::clone(&endpoints), FeePolicy::NOTHING), Arc::clone(&store), settings);
    tokio::spawn(process.stop.clone().run_until_cancelled_owned(reconcile(reconciler, config.reconcile_every)));
    let chain = Cluster::start(endpoints, FeePolicy::NOTHING);
    let clearing = clear_attempt_bytes(Arc::clone(&store), config.attempt_bytes_kept);
    tokio::spawn(process.stop.clone().run_until_cancelled_owned(clearing));
    let mut worker = Worker::new(process, config.worker.kafka, config.worker.limits, store)?;
    worker.needs(database_open);
    worker.needs(rpc_open);
    worker.step(Verifier::new(chain, gateways, creators).asking(partner))?;
    worker.run().await
}

fn partner(url: Url, breaker: BreakerSettings, health: &Health) -> Result<PartnerApi, PartnerApiError> {
    let line = health.dependency(PARTNER_API, Policies::default()[PolicyName::PartnerVerification].attempts);
    let partner = PartnerApi::new(url, breaker, line)?;
    health.show_endpoints(PARTNER_API, partner.health());
    Ok(partner)
}
