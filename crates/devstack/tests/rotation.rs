//! Payer and master secret are changed under a running fleet, and then the database has lost rows, as one that was restored
//! from a backup has.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use devstack::demo::{Follower, Journey, Order, Referee, campaign, publish};
use devstack::{Stack, StackOptions};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

/// Longest pause without any news before the test gives up: what the former secret signed has to be dead before anything is
/// signed with the new one.
const STANDSTILL: Duration = Duration::from_mins(2);
const HALF: usize = 10;

/// Forgets every operation, as a superuser can.
const LOSE_ROWS: [&str; 5] = [
    "SET session_replication_role = replica",
    "DELETE FROM nfts",
    "DELETE FROM mint_attempts",
    "DELETE FROM operation_events",
    "DELETE FROM minting_operations",
];

async fn verified(database: &mut PgConnection) -> Result<i64> {
    let count = "SELECT count(*) FROM minting_operations WHERE state = 'VERIFIED'";
    Ok(sqlx::query_scalar(count).fetch_one(database).await?)
}

async fn minted(stack: &Stack, orders: &[Order]) -> Result<Vec<Journey>> {
    let mut follower = Follower::start(stack.env(), orders)?;
    publish(stack.env(), orders).await?;
    follower.until_ended(STANDSTILL, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_keys_and_lost_rows_mint_nothing_twice() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let options = StackOptions { slot: Duration::from_millis(100), ..StackOptions::new(dir.path().join("stack")) };
    let mut stack = Stack::start(options).await?;
    let mut database = PgConnection::connect(stack.env().get("DATABASE_URL").context("DATABASE_URL")?).await?;
    let orders = campaign(2 * HALF);
    let (before, after) = orders.split_at(HALF);
    let mut journeys = minted(&stack, before).await?;
    for statement in LOSE_ROWS {
        sqlx::query(statement).execute(&mut database).await?;
    }

    stack.rotate_keys().await?;
    let code = stack.terminate_worker("mint-submitter").await?;
    ensure!(code == Some(0), "mint-submitter ended with {code:?}");
    stack.start_worker("mint-submitter").await?;
    // The API says everything again, and has more.
    publish(stack.env(), before).await?;
    journeys.extend(minted(&stack, after).await?);
    let deadline = Instant::now() + STANDSTILL;
    while verified(&mut database).await? < 2 * i64::try_from(HALF)? {
        ensure!(Instant::now() < deadline, "{} of {} VERIFIED again", verified(&mut database).await?, 2 * HALF);
        sleep(Duration::from_millis(200)).await;
    }

    let referee = Referee::new(&stack)?;
    let problems: Vec<_> = referee.judge(&journeys).await?.into_iter().flat_map(|finding| finding.problems).collect();
    ensure!(problems.is_empty(), "{problems:#?}");
    let surplus = referee.surplus(&journeys).await?;
    ensure!(surplus.is_empty(), "{surplus:#?}");
    let count_payers = "SELECT count(DISTINCT payer) FROM mint_attempts";
    let payers: i64 = sqlx::query_scalar(count_payers).fetch_one(&mut database).await?;
    let used = "SELECT DISTINCT key_id FROM mint_attempts JOIN minting_operations ON id = operation_id";
    let keys: Vec<Option<String>> = sqlx::query_scalar(used).fetch_all(&mut database).await?;
    let only_new_ones = payers == 1 && keys == [Some("devstack-2".to_owned())];
    ensure!(only_new_ones, "what was lost is signed again: {payers} payers, secrets {keys:?}");
    stack.stop().await
}
