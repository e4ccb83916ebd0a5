//! PostgreSQL, through its proxy and by what a superuser does.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use devstack::faults::FaultKind;
use sqlx::{Connection, PgConnection, query, query_scalar};
use tokio::time::{Instant, timeout};

use crate::rig::{Rig, until};

/// As a worker moves an operation: both tables in one statement, in this order.
const MOVE: &str = "WITH moved AS (UPDATE minting_operations SET needs_review = needs_review RETURNING id, version)
     INSERT INTO operation_events (operation_id, kind, version) SELECT id, 'touched', version FROM moved";
const OPERATION: &str = "INSERT INTO minting_operations
         (id, kind, user_id, wallet, content, content_hash, priority, event_at)
     VALUES (gen_random_uuid(), 'unlock', 'u', 'w', '{}', decode(repeat('00', 32), 'hex'), 'normal', now())";

pub async fn fails(rig: &Rig) -> Result<()> {
    query(OPERATION).execute(&mut connect(rig).await?).await?;
    slow_and_silent(rig).await?;
    cut_and_killed(rig).await?;
    refused(rig).await?;
    ends_with(rig, FaultKind::Deadlock, "40P01").await?;
    ends_with(rig, FaultKind::SerializationFailure, "40001").await?;
    until("sessions are as they were", async || {
        let Ok(mut session) = connect(rig).await else { return Ok(false) };
        let isolation: Result<String, _> =
            query_scalar("SHOW default_transaction_isolation").fetch_one(&mut session).await;
        Ok(isolation.is_ok_and(|isolation| isolation == "read committed"))
    })
    .await
}

async fn connect(rig: &Rig) -> sqlx::Result<PgConnection> {
    PgConnection::connect(&rig.env["DATABASE_URL"]).await
}

async fn one(session: &mut PgConnection) -> sqlx::Result<i32> {
    query_scalar("SELECT 1").fetch_one(session).await
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

async fn slow_and_silent(rig: &Rig) -> Result<()> {
    let mut session = connect(rig).await?;
    rig.set("postgres", FaultKind::Delay(Duration::from_millis(200))).await?;
    let asked = Instant::now();
    one(&mut session).await?;
    ensure!(asked.elapsed() >= Duration::from_millis(200));
    rig.clear("postgres")?;

    rig.set("postgres", FaultKind::Hang).await?;
    let mut question = Box::pin(one(&mut session));
    ensure!(timeout(Duration::from_millis(200), &mut question).await.is_err(), "nothing passes");
    rig.clear("postgres")?;
    timeout(Duration::from_secs(10), question).await.context("what was held passes afterwards")??;
    Ok(())
}

async fn cut_and_killed(rig: &Rig) -> Result<()> {
    let mut session = connect(rig).await?;
    rig.set("postgres", FaultKind::Cut(None)).await?;
    let error = one(&mut session).await.err().context("the connection is cut")?;
    ensure!(matches!(error, sqlx::Error::Io(_)), "{error:?}");

    let mut session = connect(rig).await?;
    rig.set("postgres", FaultKind::Kill(None)).await?;
    let error = one(&mut session).await.err().context("the session is killed")?;
    ensure!(code(&error).as_deref() == Some("57P01"), "by an administrator: {error:?}");

    rig.set("postgres", FaultKind::Kill(Some(Duration::from_millis(50)))).await?;
    for times in [1, 2] {
        let session = connect(rig).await;
        rig.until_struck("postgres", times).await?;
        drop(session);
    }
    rig.clear("postgres")?;
    one(&mut connect(rig).await?).await?;
    Ok(())
}

async fn refused(rig: &Rig) -> Result<()> {
    rig.set("postgres", FaultKind::Refused).await?;
    until("nobody listens", async || {
        let error = connect(rig).await.err();
        Ok(error.is_some_and(
            |error| matches!(error, sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused),
        ))
    })
    .await?;
    rig.clear("postgres")?;
    until("it listens again", async || Ok(connect(rig).await.is_ok())).await
}

/// Moves the operation again and again, until that ends as it should.
async fn ends_with(rig: &Rig, kind: FaultKind, expected: &str) -> Result<()> {
    rig.set("postgres", kind).await?;
    until(&format!("a statement ends with {expected}"), async || {
        let moved = async { query(MOVE).execute(&mut connect(rig).await?).await };
        Ok(moved.await.is_err_and(|error: sqlx::Error| code(&error).as_deref() == Some(expected)))
    })
    .await?;
    rig.until_struck("postgres", 1).await?;
    rig.clear("postgres")
}
