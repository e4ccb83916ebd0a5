//! The cluster that a fleet mints on: one, for ever.

use std::sync::Arc;

use anyhow::{Context, ensure};
use resilience::{BreakerSettings, Jitter, Policies, PolicyName, PoolSettings};
use solana::{Endpoints, EndpointsSettings};
use store::Store;

use crate::config::SolanaSettings;
use crate::health::Health;

/// What the chain is called among the dependencies.
const CHAIN: &str = "solana-rpc";

/// Connects to the chain's endpoints and checks that they serve the cluster whose genesis hash is on record; the first
/// worker that ever starts puts it there. Endpoints that do not answer are checked before their first use, even if that
/// is all of them. From now on they are watched over, and shown.
///
/// # Errors
/// An endpoint of another cluster, no database that answers, or no endpoint while no cluster is on record.
///
/// # Panics
/// Outside a tokio runtime.
pub async fn join_cluster(
    settings: &SolanaSettings,
    breaker: BreakerSettings,
    store: &Store,
    health: &Health,
) -> anyhow::Result<Arc<Endpoints>> {
    let tries = Policies::default()[PolicyName::SolanaRpcAvailable].attempts;
    let treated = EndpointsSettings {
        timeout: settings.timeout,
        attempts: settings.attempts,
        reads: settings.reads,
        sends: settings.sends,
        pool: PoolSettings { breaker, ..settings.pool() },
        line: health.dependency(CHAIN, tries),
    };
    let endpoints = Endpoints::connect(settings.endpoints.clone(), treated, Arc::new(Jitter::from_os()))?;
    let recorded = store.recorded_identity().await?;
    let check = endpoints.check_cluster(recorded.as_deref()).await.with_context(|| match &recorded {
        Some(recorded) => format!("SOLANA_RPC_ENDPOINTS, of a fleet that mints on the cluster {recorded}"),
        None => "SOLANA_RPC_ENDPOINTS".to_owned(),
    })?;
    let recorded = store.identity(&check.genesis).await?;
    ensure!(
        recorded == check.genesis,
        "SOLANA_RPC_ENDPOINTS serve the cluster of genesis hash {}, but this fleet mints on {recorded}",
        check.genesis
    );
    for error in check.unreachable {
        tracing::warn!(%error, "an endpoint could not be checked; it is before its first use");
    }
    let endpoints = Arc::new(endpoints);
    let shown = Arc::clone(&endpoints);
    health.show_endpoints(CHAIN, move || shown.health());
    tokio::spawn(Arc::clone(&endpoints).watch_over());
    Ok(endpoints)
}
