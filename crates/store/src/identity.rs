//! Which chain this fleet mints on.

use engine::StoreError;

use crate::pool::Store;

impl Store {
    /// Records the genesis hash of the chain, once for all, and answers the one on record: where it is another one, the
    /// endpoint that gave `genesis_hash` belongs to another cluster.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn identity(&self, genesis_hash: &str) -> Result<String, StoreError> {
        self.run("identity_record", || {
            sqlx::query!("INSERT INTO fleet_identity (genesis_hash) VALUES ($1) ON CONFLICT DO NOTHING", genesis_hash)
                .execute(&self.pool)
        })
        .await?;
        let recorded = self.recorded_identity().await?;
        Ok(recorded.unwrap_or_else(|| genesis_hash.to_owned()))
    }

    /// The genesis hash on record; none before the first worker started.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn recorded_identity(&self) -> Result<Option<String>, StoreError> {
        let select = || sqlx::query_scalar!("SELECT genesis_hash FROM fleet_identity").fetch_optional(&self.pool);
        self.run("identity", select).await
    }
}
