//! The fleet as processes on real parts: what is killed, restarted or refused costs no NFT and makes no second one.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use devstack::demo::{Follower, Journey, Order, Referee, campaign, publish};
use devstack::{Stack, StackOptions};
use domain::State;
use tokio::sync::{Mutex, MutexGuard};

/// Longest pause without any news before a test gives up. A killed member holds its partitions for 10 s.
const STANDSTILL: Duration = Duration::from_mins(1);
/// Operations under way when something is killed.
const OPERATIONS: usize = 50;

/// One stack at a time: two cores carry no more.
async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

async fn stack() -> Result<(Stack, tempfile::TempDir)> {
    let dir = tempfile::tempdir()?;
    let options = StackOptions { slot: Duration::from_millis(100), ..StackOptions::new(dir.path().join("stack")) };
    Ok((Stack::start(options).await?, dir))
}

/// Every operation VERIFIED, exactly one NFT each, right owner, right content.
async fn assert_one_nft_each(stack: &Stack, journeys: &[Journey]) -> Result<()> {
    for journey in journeys {
        let state = journey.latest.as_ref().map(|latest| latest.state);
        ensure!(state == Some(State::Verified), "{} ended {state:?}", journey.order.event.operation_id);
    }
    let referee = Referee::new(stack)?;
    let problems: Vec<_> = referee.judge(journeys).await?.into_iter().flat_map(|finding| finding.problems).collect();
    ensure!(problems.is_empty(), "{problems:#?}");
    let surplus = referee.surplus(journeys).await?;
    ensure!(surplus.is_empty(), "{surplus:#?}");
    Ok(())
}

async fn start(stack: &Stack, operations: usize) -> Result<Follower> {
    let orders: Vec<Order> = campaign(operations);
    let follower = Follower::start(stack.env(), &orders)?;
    publish(stack.env(), &orders).await?;
    Ok(follower)
}

/// Disturbs the fleet when a fifth of the operations have reached `stage`, and expects every one of them to end well.
async fn survives(stage: State, disturb: impl AsyncFnOnce(&mut Stack) -> Result<()>) -> Result<()> {
    let _turn = turn().await;
    let (mut stack, _dir) = stack().await?;
    let mut follower = start(&stack, OPERATIONS).await?;
    follower.until_reached(STANDSTILL, stage, OPERATIONS / 5).await?;
    disturb(&mut stack).await?;
    let journeys = follower.until_ended(STANDSTILL, &[]).await?;
    assert_one_nft_each(&stack, &journeys).await?;
    stack.stop().await
}

async fn survives_kill_of(worker: &str, stage: State) -> Result<()> {
    survives(stage, async |stack| {
        stack.kill_worker(worker)?;
        stack.start_worker(worker).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_uploader_costs_nothing() -> Result<()> {
    survives_kill_of("ipfs-uploader", State::Initiated).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_submitter_costs_nothing_and_mints_nothing_twice() -> Result<()> {
    survives_kill_of("mint-submitter", State::BlockchainSubmitted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_verifier_costs_nothing() -> Result<()> {
    survives_kill_of("verifier", State::BlockchainConfirmed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_database_costs_nothing() -> Result<()> {
    survives(State::Initiated, async |stack| stack.restart_postgres().await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_broker_costs_nothing() -> Result<()> {
    survives(State::Initiated, async |stack| stack.restart_kafka().await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn events_delivered_twice_and_two_of_each_worker_give_one_nft_each() -> Result<()> {
    let _turn = turn().await;
    let (stack, _dir) = stack().await?;
    let second = stack.another_of_each_worker().await.context("a second of each worker")?;
    let orders = campaign(OPERATIONS);
    let mut follower = Follower::start(stack.env(), &orders)?;
    tokio::try_join!(publish(stack.env(), &orders), publish(stack.env(), &orders))?;
    let journeys = follower.until_ended(STANDSTILL, &[]).await?;
    assert_one_nft_each(&stack, &journeys).await?;
    drop(second);
    stack.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_worker_drains_and_ends_with_zero() -> Result<()> {
    survives(State::Initiated, async |stack| {
        for worker in ["ipfs-uploader", "mint-submitter", "verifier"] {
            let code = stack.terminate_worker(worker).await?;
            ensure!(code == Some(0), "{worker} ended with {code:?}");
            stack.start_worker(worker).await?;
        }
        Ok(())
    })
    .await
}
