//! The schema of the database, and whether it is ours.

use std::collections::HashMap;

use domain::{Failure, FailureClass};
use engine::StoreError;
use sqlx::migrate::{MigrateError, Migrator};

use crate::errors::{is_undefined_table, store_error};
use crate::pool::Store;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

impl Store {
    /// Brings the schema up to date. Safe to call from several processes at once.
    ///
    /// # Errors
    /// The database's trouble, or a schema that is not of this program's making.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        MIGRATIONS.run(&self.pool).await.map_err(|error| match error {
            MigrateError::Execute(error) => store_error(&error),
            other => StoreError::Unavailable(Failure::new(FailureClass::Outage, "database-migration", other)),
        })
    }

    /// Whether every migration that this program knows was applied as it knows it. A newer schema is current too: it is
    /// a newer release's, which keeps what this one needs.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn schema_is_current(&self) -> Result<bool, StoreError> {
        let applied = self
            .run("schema", || {
                sqlx::query!("SELECT version, checksum FROM _sqlx_migrations WHERE success").fetch_all(&self.pool)
            })
            .await;
        let applied: HashMap<i64, Vec<u8>> = match applied {
            Ok(rows) => rows.into_iter().map(|row| (row.version, row.checksum)).collect(),
            Err(error) if is_undefined_table(&error) => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(MIGRATIONS.iter().all(|ours| applied.get(&ours.version).is_some_and(|sum| **sum == *ours.checksum)))
    }

    /// The server's version, such as `17.6`.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn server_version(&self) -> Result<String, StoreError> {
        self.run("server_version", || {
            sqlx::query_scalar!(r#"SELECT current_setting('server_version') AS "version!""#).fetch_one(&self.pool)
        })
        .await
    }
}
