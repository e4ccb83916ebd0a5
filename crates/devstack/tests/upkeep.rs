//! What is compared and cleared away, on real parts: the chain against the records, and the content of what failed.

mod common;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use common::mintctl;
use devstack::demo::{Follower, campaign, publish};
use devstack::{Stack, StackOptions};
use domain::State;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::{Instant, sleep};

const STANDSTILL: Duration = Duration::from_mins(1);
const OPERATIONS: usize = 5;

async fn execute(url: &str, sql: String) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn chain_and_records_agree_and_what_a_person_fails_is_unpinned() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let options = StackOptions { slot: Duration::from_millis(100), ..StackOptions::new(dir.path().join("stack")) };
    let mut stack = Stack::start(options).await?;
    let orders = campaign(OPERATIONS + 1);
    let (last, first) = orders.split_last().context("orders")?;
    let mut follower = Follower::start(stack.env(), first)?;
    publish(stack.env(), first).await?;
    let journeys = follower.until_ended(STANDSTILL, &[]).await?;
    ensure!(journeys.iter().all(|one| one.latest.as_ref().is_some_and(|latest| latest.state == State::Verified)));

    let (exit, found) = mintctl(stack.env(), &["reconcile", "--fix", "--rested", "0s"]).await?;
    ensure!((exit, found.len()) == (Some(0), 0), "chain and records agree: {found:?}");
    let mut stranger = stack.env().clone();
    let url = stranger["DATABASE_URL"].clone();
    execute(&url, "CREATE DATABASE stranger".into()).await?;
    let (server, _) = url.rsplit_once('/').context("a database")?;
    stranger.insert("DATABASE_URL".into(), format!("{server}/stranger"));
    mintctl(&stranger, &["migrate"]).await?;
    let (exit, found) = mintctl(&stranger, &["reconcile"]).await?;
    let unknown = found.iter().filter(|one| one["finding"] == "unknown").count();
    ensure!((exit, unknown) == (Some(1), OPERATIONS), "who has no records knows none of them: {found:?}");

    // Failed by hand after its upload, and its time has come.
    stack.kill_worker("mint-submitter")?;
    let mut follower = Follower::start(stack.env(), std::slice::from_ref(last))?;
    publish(stack.env(), std::slice::from_ref(last)).await?;
    follower.until_reached(STANDSTILL, State::IpfsUploaded, 1).await?;
    let id = last.event.operation_id.to_string();
    let (exit, answer) = mintctl(stack.env(), &["op", "fail", &id, "--reason", "a test"]).await?;
    ensure!(exit == Some(0), "{answer:?}");
    let long_ago = format!("UPDATE minting_operations SET failed_at = now() - interval '2 days' WHERE id = '{id}'");
    execute(&url, long_ago).await?;
    let began = Instant::now();
    let shown = loop {
        let (_, shown) = mintctl(stack.env(), &["op", "show", &id]).await?;
        if shown[0]["state"] == "ROLLED_BACK" {
            break shown;
        }
        ensure!(began.elapsed() < STANDSTILL, "not rolled back: {shown:#?}");
        sleep(Duration::from_millis(500)).await;
    };
    let gateway = stack.env()["IPFS_GATEWAYS"].split(',').next().context("a gateway")?.to_owned();
    let status = async |cid: &Value| -> Result<u16> {
        let cid = cid.as_str().context("a content id")?;
        Ok(reqwest::get(format!("{gateway}{cid}")).await?.status().as_u16())
    };
    ensure!(status(&shown[0]["metadataCid"]).await? == 404, "its metadata is gone");
    ensure!(status(&shown[0]["imageCid"]).await? == 200, "its image is another one's, too");
    stack.stop().await
}
