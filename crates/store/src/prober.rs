//! Whether the database answers, asked beside the pool: its connections may all be in the hands of statements that hang, and
//! it waits for a server that refuses.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

/// Keeps one connection for its question. While that one is not answered others ask through new ones.
pub(crate) struct Prober {
    address: PgConnectOptions,
    kept: Mutex<Option<PgConnection>>,
}

impl Prober {
    pub(crate) const fn new(address: PgConnectOptions) -> Self {
        Self { address, kept: Mutex::new(None) }
    }

    /// Ready when the database has answered. Dropped before, its connection is closed.
    pub(crate) async fn ask(&self) -> sqlx::Result<()> {
        let mut connection = match self.replace(None) {
            Some(kept) => kept,
            None => self.address.connect().await?,
        };
        connection.ping().await?;
        drop(self.replace(Some(connection)));
        Ok(())
    }

    /// Closes the connection that it keeps.
    pub(crate) fn rest(&self) {
        drop(self.replace(None));
    }

    fn replace(&self, connection: Option<PgConnection>) -> Option<PgConnection> {
        std::mem::replace(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner), connection)
    }
}

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prober").finish_non_exhaustive()
    }
}
