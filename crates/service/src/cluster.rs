//! The cluster that a fleet mints on: one, for ever.

use std::sync::Arc;

use anyhow::{Context, ensure};
use resilience::Jitter;
use solana::Endpoints;
use store::Store;

use crate::config::SolanaSettings;

/// Connects to the chain's endpoints and checks that they serve the cluster whose genesis hash is on record; the first
/// worker that ever starts puts it there.
///
/// # Errors
/// An endpoint of another cluster, or no endpoint or database that answers.
pub async fn join_cluster(settings: &SolanaSettings, store: &Store) -> anyhow::Result<Arc<Endpoints>> {
    let addresses = settings.endpoints.iter().map(|endpoint| (endpoint.label.clone(), endpoint.url.clone()));
    let endpoints = Endpoints::connect(addresses, settings.timeout, settings.attempts, Arc::new(Jitter::from_os()))?;
    let check = endpoints.check_cluster(None).await.context("SOLANA_RPC_ENDPOINTS")?;
    let recorded = store.identity(&check.genesis).await?;
    ensure!(
        recorded == check.genesis,
        "SOLANA_RPC_ENDPOINTS serve the cluster of genesis hash {}, but this fleet mints on {recorded}",
        check.genesis
    );
    for error in check.unreachable {
        tracing::warn!(%error, "an endpoint could not be checked; it is before its first use");
    }
    Ok(Arc::new(endpoints))
}
