//! `devstack bench --exactly-once`: what a campaign comes to while replies are lost and blockhashes expire.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use solana::NftAddresses;
use sqlx::{Connection, PgConnection, query_as};

use crate::demo::{Follower, Journey, Referee, campaign, publish};
use crate::faults::{Fault, FaultKind};
use crate::{Stack, StackOptions, figures, json_rpc};

use super::{STANDSTILL, markdown};

/// Replies of every kind that are lost, the calls carried out.
const REPLIES_LOST: f64 = 0.2;
/// Slots from the start through which nothing that is sent lands: 150 blocks of a blockhash's life, 31 to their finality, and
/// some to spare. Whatever is signed meanwhile expires or is close to it.
const NOTHING_LANDS: u32 = 190;
/// Two signatures a mint: the payer's, and that of the mint's own key.
const BASE_FEE: u64 = 10_000;

/// Measures that many operations on a fresh stack, and prints the figures as Markdown.
///
/// # Errors
/// The stack does not start, the run stands still, or there is anything but one right NFT per operation.
pub async fn run(options: StackOptions, operations: usize) -> Result<()> {
    let outage = options.slot * NOTHING_LANDS;
    let stack = Stack::start(options).await?;
    let orders = campaign(operations);
    let before = balance(&stack).await?;
    stack.reset_rpc_counts();
    stack.faults().set(&Fault::new("rpc", FaultKind::DropReply).share(REPLIES_LOST)).await?;
    stack.faults().set(&Fault::new("rpc", FaultKind::Swallow).lasting(outage)).await?;
    let mut follower = Follower::start(stack.env(), &orders)?;
    publish(stack.env(), &orders).await?;
    let journeys = follower.until_ended(STANDSTILL, &[]).await?;
    stack.faults().clear(Some("rpc"))?;
    let calls = stack.rpc_counts();

    let nfts = judge(&stack, &journeys).await?;
    let spent = before - balance(&stack).await?;
    let floor = floor(&stack, &journeys).await?;
    let (signatures, expired) = attempts(&stack).await?;
    let per = |count: u64| format!("{:.3}", figures::per(count, operations));
    let mut rows = vec![
        ("NFTs, each right and alone".to_owned(), vec![format!("{nfts} for {operations} operations")]),
        ("nothing that is sent lands for".into(), vec![seconds(outage)]),
        ("signatures per mint".into(), vec![per(signatures)]),
        ("of them expired".into(), vec![per(expired)]),
        ("lamports per mint".into(), vec![format!("{:.0}", figures::per(spent, operations))]),
        ("floor: rent, protocol fee and base fee".into(), vec![floor.to_string()]),
        ("RPC calls per mint".into(), vec![per(calls.values().sum())]),
    ];
    rows.extend(by_method(&calls).map(|(method, count)| (format!("  {method}"), vec![per(count)])));
    println!("{}", markdown("figure", vec![format!("{operations}, a fifth of the replies lost")], rows));
    stack.stop().await
}

fn by_method(calls: &BTreeMap<String, u64>) -> impl Iterator<Item = (&str, u64)> {
    calls.iter().map(|(method, count)| (method.as_str(), *count))
}

fn seconds(time: Duration) -> String {
    format!("{:.0} s", time.as_secs_f64())
}

/// How many NFTs there are, where the referee finds nothing wrong with any.
async fn judge(stack: &Stack, journeys: &[Journey]) -> Result<usize> {
    let referee = Referee::new(stack)?;
    let findings = referee.judge(journeys).await?;
    let count = findings.len();
    let mut problems: Vec<_> = findings.into_iter().flat_map(|finding| finding.problems).collect();
    problems.extend(referee.surplus(journeys).await?);
    ensure!(problems.is_empty(), "{problems:#?}");
    Ok(count)
}

/// What the payers have.
async fn balance(stack: &Stack) -> Result<u64> {
    let mut balance = 0;
    for payer in Referee::new(stack)?.creators() {
        let answer = ask(stack, "getBalance", json!([payer.to_string(), { "commitment": "confirmed" }])).await?;
        balance += answer["value"].as_u64().context("no balance")?;
    }
    Ok(balance)
}

/// What the accounts of one NFT hold, which is rent and what the program keeps, and the fee of one transaction.
async fn floor(stack: &Stack, journeys: &[Journey]) -> Result<u64> {
    let journey = journeys.first().context("nothing was ordered")?;
    let mint = journey.latest.as_ref().and_then(|latest| latest.mint_address).context("no mint")?;
    let at = NftAddresses::of(&mint, &journey.order.event.wallet_address);
    let addresses = [at.mint, at.metadata, at.edition, at.token].map(|address| address.to_string());
    let answer = ask(stack, "getMultipleAccounts", json!([addresses, { "commitment": "confirmed" }])).await?;
    let accounts = answer["value"].as_array().context("no accounts")?;
    Ok(accounts.iter().filter_map(|account| account["lamports"].as_u64()).sum::<u64>() + BASE_FEE)
}

async fn ask(stack: &Stack, method: &str, params: Value) -> Result<Value> {
    json_rpc::call(&stack.chain_url(), method, params).await
}

/// Transactions that were signed, and those of them that no block took.
async fn attempts(stack: &Stack) -> Result<(u64, u64)> {
    let mut session = PgConnection::connect(&stack.env()["DATABASE_URL"]).await?;
    let counts = "SELECT count(*), count(*) FILTER (WHERE verdict = 'expired') FROM mint_attempts";
    let (signed, expired): (i64, i64) = query_as(counts).fetch_one(&mut session).await?;
    Ok((signed.unsigned_abs(), expired.unsigned_abs()))
}
