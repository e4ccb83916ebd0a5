//! What a test does with a whole stack: orders, and what comes of them; `mintctl`; users with wallets of their own.
#![allow(dead_code, reason = "every test binary uses its own part of this")]

pub mod user;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use devstack::Stack;
use devstack::demo::{Follower, Journey, Order, campaign, publish};
use domain::{Burn, OperationKind, State, WalletAddress};
use serde_json::Value;
use tokio::process::Command;

const STANDSTILL: Duration = Duration::from_mins(1);

/// An order for that wallet: an upgrade, where a burn pays for it.
pub fn ordered(wallet: WalletAddress, burn: Option<Burn>) -> Result<Order> {
    let mut order = campaign(1).pop().context("an order")?;
    order.event.wallet_address = wallet;
    order.event.burn = burn;
    if burn.is_some() {
        order.event.kind = OperationKind::Upgrade;
        order.event.nft.name = format!("Upgrade {}", &order.event.operation_id.to_string()[24..]);
    }
    Ok(order)
}

/// What came of them.
pub async fn carried(stack: &Stack, orders: &[Order]) -> Result<Vec<Journey>> {
    let mut follower = Follower::start(stack.env(), orders)?;
    publish(stack.env(), orders).await?;
    follower.until_ended(STANDSTILL, &[]).await
}

/// The code that an operation failed with.
pub fn failed_with(journey: &Journey) -> Option<&str> {
    let latest = journey.latest.as_ref().filter(|latest| latest.state == State::Failed)?;
    latest.error.as_ref().map(|error| error.code.as_str())
}

/// `mintctl`, which lies where the workers lie: its exit code and the documents that it printed.
pub async fn mintctl(env: &BTreeMap<String, String>, arguments: &[&str]) -> Result<(Option<i32>, Vec<Value>)> {
    let tests: PathBuf = std::env::current_exe()?;
    let program = tests.ancestors().nth(2).context("target/debug")?.join("mintctl");
    let output = Command::new(program).args(arguments).arg("--json").env_clear().envs(env).output().await?;
    let documents = serde_json::Deserializer::from_slice(&output.stdout).into_iter().collect::<Result<_, _>>();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok((output.status.code(), documents.context(said)?))
}
