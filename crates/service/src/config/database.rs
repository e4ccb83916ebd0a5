//! Where the database is.

use secrecy::{ExposeSecret, SecretString};
use store::PoolSettings;
use url::Url;

use super::env::Env;
use super::table;

/// A worker's pool.
pub fn database_settings(env: &mut Env) -> PoolSettings {
    let settings = base(env);
    let min_connections = env.number(&table::DB_POOL_MIN, 0..=1_000);
    let max_connections = env.number(&table::DB_POOL_MAX, 1..=1_000);
    if min_connections > max_connections {
        env.problem("DB_POOL_MIN: more than DB_POOL_MAX");
    }
    PoolSettings { min_connections, max_connections, ..settings }
}

/// A few connections, opened when they are needed: enough for a command, which had rather fail than wait.
pub fn small_database_settings(env: &mut Env) -> PoolSettings {
    PoolSettings {
        min_connections: 0,
        max_connections: 2,
        acquire_timeout: std::time::Duration::from_secs(10),
        ..base(env)
    }
}

fn base(env: &mut Env) -> PoolSettings {
    PoolSettings { application: env.program().name().to_owned(), ..PoolSettings::new(url(env)) }
}

fn url(env: &mut Env) -> SecretString {
    let url = env.secret(&table::DATABASE_URL);
    let text = url.expose_secret();
    let understood = Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"));
    if !text.is_empty() && !understood {
        env.problem("DATABASE_URL: not a postgres:// URL");
    }
    url
}
