//! What a superuser can do to the fleet's sessions.
//!
//! It knows two of the fleet's tables, and that a statement which moves an operation names `minting_operations` before
//! `operation_events`: PostgreSQL locks tables in the order in which a statement names them, before it touches a row.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection, query_scalar, raw_sql};
use tokio::time::{Instant, sleep};

/// How long a trap stays set for somebody to walk into.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Sessions of its own, past the proxy.
#[derive(Debug, Clone)]
pub(crate) struct Saboteur {
    url: String,
}

impl Saboteur {
    /// With a superuser's URL. Nothing is connected yet.
    pub(crate) const fn new(url: String) -> Self {
        Self { url }
    }

    /// Terminates every session but its own, of all databases. Answers how many there were.
    pub(super) async fn kill_sessions(&self) -> sqlx::Result<u64> {
        let mut session = self.connect().await?;
        // First found, then terminated: in one condition the planner could put the cheap function first, and end us too.
        let killed: i64 = query_scalar(
            "WITH others AS MATERIALIZED (
                 SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())
             SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM others",
        )
        .fetch_one(&mut session)
        .await?;
        Ok(killed.unsigned_abs())
    }

    /// Takes the second table that a transition needs, waits for sessions that hold the first and want it, and asks for
    /// the first. Whoever began to wait first finds the deadlock and is its victim: they did, and our own
    /// `deadlock_timeout` never comes. Answers how many walked in.
    pub(super) async fn deadlock(&self) -> sqlx::Result<u64> {
        let mut session = self.connect().await?;
        raw_sql(
            "SET deadlock_timeout = '1h'; SET lock_timeout = '10s';
             BEGIN; LOCK TABLE operation_events IN SHARE MODE",
        )
        .execute(&mut session)
        .await?;
        let waiting = somebody_waits(&mut session).await?;
        if waiting > 0 {
            raw_sql("LOCK TABLE minting_operations IN SHARE MODE").execute(&mut session).await?;
        }
        raw_sql("ROLLBACK").execute(&mut session).await?;
        Ok(waiting)
    }

    /// From now on every session of this database sees one snapshot per transaction, as [`Self::overtake`] needs.
    pub(super) async fn freeze_snapshots(&self) -> sqlx::Result<()> {
        self.isolate("SET default_transaction_isolation = 'repeatable read'").await
    }

    /// Undoes [`Self::freeze_snapshots`].
    pub(super) async fn unfreeze_snapshots(&self) -> sqlx::Result<()> {
        self.isolate("RESET default_transaction_isolation").await
    }

    /// Rewrites rows in work as they are, and commits when somebody waits for one of them: for them the row has changed
    /// since their snapshot. Answers how many waited.
    pub(super) async fn overtake(&self) -> sqlx::Result<u64> {
        let mut session = self.connect().await?;
        // A row that is rewritten as it is passes no trigger of ours and changes nothing for anybody.
        raw_sql(
            "SET default_transaction_isolation = 'read committed'; SET session_replication_role = replica;
             BEGIN;
             UPDATE minting_operations SET updated_at = updated_at WHERE id IN (
                 SELECT id FROM minting_operations WHERE state NOT IN ('VERIFIED', 'FAILED', 'ROLLED_BACK')
                 LIMIT 1000 FOR UPDATE SKIP LOCKED)",
        )
        .execute(&mut session)
        .await?;
        let waiting = somebody_waits(&mut session).await?;
        raw_sql("COMMIT").execute(&mut session).await?;
        Ok(waiting)
    }

    async fn isolate(&self, setting: &str) -> sqlx::Result<()> {
        let mut session = self.connect().await?;
        let database: String = query_scalar("SELECT quote_ident(current_database())").fetch_one(&mut session).await?;
        raw_sql(AssertSqlSafe(format!("ALTER DATABASE {database} {setting}"))).execute(&mut session).await?;
        session.close().await?;
        // Those that are connected already keep what they began with.
        self.kill_sessions().await.map(drop)
    }

    async fn connect(&self) -> sqlx::Result<PgConnection> {
        PgConnection::connect(&self.url).await
    }
}

/// How many sessions wait for a lock that this one holds, as soon as any does.
async fn somebody_waits(session: &mut PgConnection) -> sqlx::Result<u64> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let waiting: i64 = query_scalar(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))",
        )
        .fetch_one(&mut *session)
        .await?;
        if waiting > 0 || Instant::now() > deadline {
            return Ok(waiting.unsigned_abs());
        }
        sleep(LOOK_EVERY).await;
    }
}
