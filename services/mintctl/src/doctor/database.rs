//! Is the database there, and is its schema ours?

use domain::{Clock, SystemClock};
use service::config;
use store::Store;

use super::row::Row;
use crate::output;
use crate::run::read;

const WHAT: &str = "database";

pub async fn examine() -> Vec<Row> {
    let settings = match read(config::small_database_settings) {
        Ok(settings) => settings,
        Err(error) => return Row::configuration(WHAT, error),
    };
    let store = match Store::connect(&settings).await {
        Ok(store) => store,
        Err(error) => return vec![Row::fail(WHAT, error, "start PostgreSQL, or correct DATABASE_URL")],
    };
    let mut rows = vec![version(&store).await, schema(&store).await];
    rows.extend(pauses(&store).await);
    rows
}

async fn version(store: &Store) -> Row {
    const OLDEST: u32 = 17;
    match store.server_version().await {
        Ok(version) => {
            let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
            let found = format!("PostgreSQL {version}");
            match major {
                Some(major) if major < OLDEST => Row::warn(WHAT, found, "the fleet is tested with PostgreSQL 17"),
                _ => Row::ok(WHAT, found),
            }
        }
        Err(error) => Row::fail(WHAT, error, "see the database's log"),
    }
}

/// Payers that sign nothing for want of funds. Where the database cannot tell, its own rows say why.
async fn pauses(store: &Store) -> Vec<Row> {
    let pauses = store.pauses(SystemClock.now()).await.unwrap_or_default();
    let open = pauses.into_iter().filter(|pause| pause.ended_at.is_none());
    open.map(|pause| {
        let found = format!("signs nothing since {} ({})", output::time(pause.began_at), pause.reason.as_str());
        Row::fail(format!("payer {}", pause.payer), found, pause.reason.remedy())
    })
    .collect()
}

async fn schema(store: &Store) -> Row {
    const SCHEMA: &str = "database schema";
    match store.schema_is_current().await {
        Ok(true) => Row::ok(SCHEMA, "up to date"),
        Ok(false) => Row::fail(SCHEMA, "behind this release", "run mintctl migrate"),
        Err(error) => Row::fail(SCHEMA, error, "see the database's log"),
    }
}
