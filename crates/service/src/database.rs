//! The database that a process starts with.

use std::sync::Arc;

use resilience::{Policies, PolicyName};
use store::{PoolSettings, Store};

use crate::config::WorkerConfig;
use crate::health::Health;

/// Connects. A server that is starting up is waited for, a schema that is behind is not: it would only fail later, one
/// statement after the other.
///
/// # Errors
/// A database that does not answer, or whose schema this release does not know.
pub async fn open_store(settings: &PoolSettings) -> anyhow::Result<Arc<Store>> {
    store::describe_metrics();
    let store = Store::connect(settings).await?;
    anyhow::ensure!(store.schema_is_current().await?, "the database's schema is behind: run mintctl migrate");
    Ok(Arc::new(store))
}

/// As [`open_store`], for a worker: from now on the database is watched over, and shown.
///
/// # Errors
/// Likewise.
///
/// # Panics
/// Outside a tokio runtime.
pub async fn open_worker_store(config: &WorkerConfig, health: &Health) -> anyhow::Result<Arc<Store>> {
    let tries = Policies::default()[PolicyName::DatabaseHealthy].attempts;
    let line = health.dependency("database", tries);
    let store = open_store(&PoolSettings { breaker: config.breaker, line, ..config.database.clone() }).await?;
    tokio::spawn(Arc::clone(&store).watch_over());
    Ok(store)
}
