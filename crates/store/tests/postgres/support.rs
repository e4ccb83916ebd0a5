//! What the tests share: a store on a fresh database, and a way round it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{Cid, MintCost, NftRecord, OperationId, Signature, Verdict};
use sqlx::{AssertSqlSafe, PgPool};
use store::{OperationReport, PoolSettings, Store};
pub use testkit::conformance::store::count_committed;
use testkit::conformance::store::{Bookkeeping, Happened, Scene, StoreWorld};
pub use testkit::transitions::*;
use testkit::{Database, PinState};

/// A store on a database of its own, with operations in it.
pub type Fixture = Scene<Postgres>;

/// A store on a database of its own, and a way round it.
pub struct Postgres {
    pub store: Arc<Store>,
    /// As a person with a prompt has it.
    pub sql: PgPool,
    pub database: Database,
}

impl Postgres {
    /// Types a statement by hand.
    pub async fn execute(&self, sql: impl Into<String>) -> Result<u64, String> {
        let result = sqlx::query(AssertSqlSafe(sql.into())).execute(&self.sql).await;
        result.map(|done| done.rows_affected()).map_err(|error| error.to_string())
    }

    /// Types a statement that has to work.
    pub async fn must_execute(&self, sql: impl Into<String>) {
        let sql = sql.into();
        self.execute(sql.clone()).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Changes one operation's row by hand.
    async fn change(&self, id: OperationId, change: &str) {
        let sql = format!("UPDATE minting_operations SET {change} WHERE id = '{id}'");
        assert_eq!(self.execute(sql).await, Ok(1), "{change}");
    }

    async fn report(&self, id: OperationId) -> OperationReport {
        self.store.operation(id).await.unwrap().expect("the operation has a row")
    }
}

/// Every time in the database that is not frozen.
const TIMES: [(&str, &[&str]); 4] = [
    ("minting_operations", &["next_attempt_at", "claimed_until", "requested_at", "updated_at"]),
    ("consumed_through", &["through", "reported_at"]),
    ("pinned_content", &["claimed_until", "pinned_at", "unpinned_at"]),
    ("nfts", &["verified_at"]),
];

impl StoreWorld for Postgres {
    type Store = Store;

    async fn fresh() -> Self {
        let database = Database::fresh().await;
        let store = connect(&database).await;
        let sql = PgPool::connect(&database.url()).await.unwrap();
        Self { store, sql, database }
    }

    fn store(&self) -> &Arc<Store> {
        &self.store
    }

    async fn another_store(&self) -> Arc<Store> {
        connect(&self.database).await
    }

    async fn pass(&self, time: Duration) {
        for (table, columns) in TIMES {
            let shift = |column: &&str| format!("{column} = {column} - interval '{} seconds'", time.as_secs());
            let shifts: Vec<_> = columns.iter().map(shift).collect();
            self.must_execute(format!("UPDATE {table} SET {}", shifts.join(", "))).await;
        }
    }

    async fn attempts(&self, id: OperationId) -> Vec<(i64, Signature, Option<Verdict>)> {
        let attempts = self.report(id).await.attempts.into_iter();
        attempts.map(|attempt| (attempt.version, attempt.signature, attempt.verdict)).collect()
    }

    async fn costs(&self, id: OperationId) -> Vec<Option<MintCost>> {
        self.report(id).await.attempts.into_iter().map(|attempt| attempt.cost).collect()
    }

    async fn history(&self, id: OperationId) -> Vec<Happened> {
        let line = |entry: store::HistoryEntry| Happened {
            kind: entry.kind,
            version: entry.version,
            from: entry.from,
            to: entry.to,
        };
        self.report(id).await.history.into_iter().map(line).collect()
    }

    async fn nft(&self, id: OperationId) -> Option<(NftRecord, Option<DateTime<Utc>>)> {
        self.report(id).await.nft.map(|nft| (nft.record, nft.verified_at))
    }

    async fn bookkeeping(&self, id: OperationId) -> Bookkeeping {
        let (claimed, requested, wakes, status_owed): (bool, bool, i32, bool) = sqlx::query_as(
            "SELECT claimed_until IS NOT NULL, requested_at IS NOT NULL, wakes, status_owed
             FROM minting_operations WHERE id = $1",
        )
        .bind(*id.as_uuid())
        .fetch_one(&self.sql)
        .await
        .unwrap();
        Bookkeeping { claimed, requested, wakes: wakes.unsigned_abs(), status_owed }
    }

    async fn contents_held(&self) -> usize {
        let held: i64 = sqlx::query_scalar("SELECT count(*) FROM pinned_content WHERE state = 'pinned'")
            .fetch_one(&self.sql)
            .await
            .unwrap();
        usize::try_from(held).unwrap()
    }

    async fn type_pin(&self, cid: &Cid, provider: &str, state: PinState) {
        let place = format!("WHERE cid = '{cid}' AND provider = '{provider}'");
        let state = state.as_str();
        let sql = format!(
            "UPDATE pinned_content SET state = '{state}',
                 unpinned_at = CASE '{state}' WHEN 'unpinning' THEN clock_timestamp() ELSE unpinned_at END {place}"
        );
        assert_eq!(self.execute(sql).await, Ok(1));
    }

    async fn roll_back(&self, id: OperationId) {
        self.change(id, "state = 'ROLLED_BACK', previous_state = state, version = version + 1").await;
    }

    async fn owe_status(&self, id: OperationId) {
        self.change(id, "status_owed = true").await;
    }

    async fn wear(&self, id: OperationId) {
        let worn = format!(
            "attempts = 3, next_attempt_at = '{0}', claimed_until = '{0}', wakes = 2, requested_at = now(),
             status_owed = true, needs_review = 'look', failure_class = 'transient', failure_code = 'c',
             failure_message = 'm'",
            later()
        );
        self.change(id, &worn).await;
    }
}

async fn connect(database: &Database) -> Arc<Store> {
    let settings = PoolSettings { min_connections: 0, max_connections: 5, ..PoolSettings::new(database.url()) };
    Arc::new(Store::connect(&settings).await.unwrap())
}

/// Asks again until the answer is yes, for ten seconds at most.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let deadline = Duration::from_secs(10);
    tokio::time::timeout(deadline, waiting).await.unwrap_or_else(|_| panic!("not within {deadline:?}: {what}"));
}

/// Ready once so many sessions wait for a lock.
pub async fn somebody_waits(sql: &PgPool, sessions: i64) {
    eventually("a session waits for a lock", || async { waiting(sql).await >= sessions }).await;
}

/// Ready once no session waits for a lock.
pub async fn nobody_waits(sql: &PgPool) {
    eventually("no session waits for a lock", || async { waiting(sql).await == 0 }).await;
}

async fn waiting(sql: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    .fetch_one(sql)
    .await
    .unwrap()
}
