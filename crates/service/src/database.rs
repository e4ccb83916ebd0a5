//! The database that a worker starts with.

use std::sync::Arc;

use store::{PoolSettings, Store};

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
