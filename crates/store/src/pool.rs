//! The connections, and how a statement is sent.

use std::fmt;
use std::future::Future;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use engine::StoreError;
use resilience::{BreakerSettings, Dependency, HealthBoard, Jitter, Policies, PolicyName};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgPool};
use tokio::time::{Instant, sleep, timeout};

use crate::errors::{is_conflict, is_lost_connection, no_answer, store_error};
use crate::metrics;
use crate::prober::Prober;
use crate::watching::Watch;

/// How many connections, and how long anything may take.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// `postgres://user:password@host:port/database`, with `?sslmode=…` where TLS is wanted.
    pub url: SecretString,
    /// What the server's list of connections calls this one.
    pub application: String,
    /// Connections kept open.
    pub min_connections: u32,
    /// Connections at most, beside the one of [`Store::watch_over`].
    pub max_connections: u32,
    /// What is more than the minimum is closed when it was idle this long.
    pub idle_timeout: Duration,
    /// How long a statement waits for a connection.
    pub acquire_timeout: Duration,
    /// How long a statement may take, waiting for locks included: a connection that died without a word is noticed.
    pub statement_timeout: Duration,
    /// When the database is left alone for a while.
    pub breaker: BreakerSettings,
    /// Where it is written down how it answers.
    pub line: Dependency,
}

impl PoolSettings {
    /// The defaults of R-50: 5 to 20 connections, 10 s idle, 30 s to acquire one.
    pub fn new(url: impl Into<SecretString>) -> Self {
        Self {
            url: url.into(),
            application: "mintfleet".into(),
            min_connections: 5,
            max_connections: 20,
            idle_timeout: Duration::from_secs(10),
            acquire_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(30),
            breaker: BreakerSettings::default(),
            line: HealthBoard::default().dependency("database", 1),
        }
    }
}

/// A connection that rested longer than this is tried before it is used; a younger one is trusted, for a try costs a
/// round trip.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// How long that may take. A connection that a firewall forgot would never tell.
const PING: Duration = Duration::from_secs(2);

/// The database. Share it behind an `Arc`.
pub struct Store {
    pub(crate) pool: PgPool,
    pub(crate) prober: Prober,
    statement_timeout: Duration,
    policies: Policies,
    jitter: Arc<Jitter>,
    pub(crate) watch: Arc<Watch>,
}

impl Store {
    /// Connects; waits for a server that is starting up, until `acquire_timeout`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the address is none or nobody answers there. No error shows the password.
    pub async fn connect(settings: &PoolSettings) -> Result<Self, StoreError> {
        let address = PgConnectOptions::from_str(settings.url.expose_secret())
            .map_err(|error| store_error(&error))?
            .application_name(&settings.application);
        let watch = Arc::new(Watch::new(settings.breaker, settings.line.clone()));
        let released = Arc::clone(&watch);
        let pool = PgPoolOptions::new()
            .min_connections(settings.min_connections)
            .max_connections(settings.max_connections)
            .idle_timeout(settings.idle_timeout)
            .acquire_timeout(settings.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, rest| {
                Box::pin(async move {
                    if rest.idle_for > TRUSTED_FOR {
                        timeout(PING, connection.ping()).await.map_err(|_| hangs())??;
                    }
                    Ok(true)
                })
            })
            // What comes back from a database that is out may hang for minutes, and with it its place in the pool.
            .after_release(move |_, _| {
                let out = released.is_out();
                Box::pin(async move { Ok(!out) })
            })
            .connect_with(address.clone())
            .await
            .map_err(|error| store_error(&error))?;
        let (policies, jitter) = (Policies::default(), Arc::new(Jitter::from_os()));
        watch.found();
        let prober = Prober::new(address);
        Ok(Self { pool, prober, statement_timeout: settings.statement_timeout, policies, jitter, watch })
    }

    /// Closes every connection once its statement is done.
    pub async fn close(&self) {
        self.prober.rest();
        self.pool.close().await;
    }

    /// Sends a statement, unless the database is out; and again where it lost a deadlock or a serialization conflict, or
    /// its connection. It is given up when the database goes out meanwhile. It may have been executed all the same:
    /// every statement is safe to repeat.
    pub(crate) async fn run<T, F>(
        &self,
        statement: &'static str,
        send: impl Fn() -> F + Send + Sync,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, sqlx::Error>> + Send,
    {
        let limit = self.statement_timeout;
        let (mut conflicts, mut lost) = (0, 0);
        loop {
            let (permit, began) = (self.watch.admit().await?, Instant::now());
            metrics::sent(statement);
            let answer = tokio::select! {
                biased;
                answer = timeout(limit, send()) => answer.map_err(|_| no_answer(limit)),
                out = self.watch.goes_out() => return Err(out),
            };
            self.watch.heard(permit, began.elapsed(), answer.as_ref());
            let error = match answer? {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let pause = if is_conflict(&error) {
                conflicts += 1;
                self.policies[PolicyName::DatabaseConflict].pause_after(conflicts, &self.jitter)
            } else if is_lost_connection(&error) {
                lost += 1;
                self.policies[PolicyName::DatabaseConnection].pause_after(lost, &self.jitter)
            } else {
                None
            };
            let Some(pause) = pause else { return Err(store_error(&error)) };
            sleep(pause).await;
        }
    }
}

fn hangs() -> sqlx::Error {
    sqlx::Error::Io(io::ErrorKind::TimedOut.into())
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("connections", &self.pool.size()).finish_non_exhaustive()
    }
}
