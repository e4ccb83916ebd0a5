//! A PostgreSQL database of a test's own.

use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use uuid::Uuid;

/// Where the migrations are: read when a database is made, so that a new one needs no build.
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");

/// A fresh, migrated database on the server that `DATABASE_URL` names. Dropped with this value.
#[derive(Debug)]
pub struct Database {
    name: String,
    server: PgConnectOptions,
}

impl Database {
    /// Makes one.
    ///
    /// # Panics
    /// Without `DATABASE_URL`, or where its server refuses: a test cannot do without.
    pub async fn fresh() -> Self {
        Self::create().await.unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Makes one.
    ///
    /// # Errors
    /// Without `DATABASE_URL`, or where its server refuses.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks where the tests' PostgreSQL is")]
    pub async fn create() -> Result<Self> {
        let url = std::env::var("DATABASE_URL")
            .context("DATABASE_URL is not set: run `make test`, which brings a PostgreSQL up and says where it is")?;
        let server = PgConnectOptions::from_str(&url).context("DATABASE_URL")?;
        let name = format!("test_{}", Uuid::now_v7().simple());
        let mut connection = server.connect().await.context("cannot connect to DATABASE_URL")?;
        execute(&mut connection, format!("CREATE DATABASE {name}")).await?;
        let database = Self { name, server };
        let mut connection = database.options().connect().await?;
        Migrator::new(Path::new(MIGRATIONS)).await?.run(&mut connection).await?;
        connection.close().await?;
        Ok(database)
    }

    /// How to connect to it, password included.
    #[must_use]
    pub fn url(&self) -> String {
        self.options().to_url_lossy().into()
    }

    fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }
}

impl Drop for Database {
    /// On a thread of its own, for a test's runtime may be ending.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || drop_database(&server, &name));
        if !matches!(dropping.join(), Ok(Ok(()))) {
            eprintln!("the database {} stays behind", self.name);
        }
    }
}

fn drop_database(server: &PgConnectOptions, name: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = server.connect().await?;
        execute(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
    })
}

async fn execute(connection: &mut PgConnection, sql: String) -> Result<()> {
    // The only thing put into it is a name that was made here.
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}
