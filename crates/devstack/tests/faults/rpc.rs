//! RPC endpoints.

use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use devstack::faults::{Fault, FaultKind};
use reqwest::{StatusCode, header};
use serde_json::{Value, json};
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Signature;
use solana_sdk::signer::Signer;
use solana_sdk::signer::keypair::{Keypair, read_keypair_file};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::rig::{Rig, io_kind, until};

const LAMPORTS: u64 = 1_000_000_000;
const SLOTS_BEHIND: u64 = 40;

pub async fn fails(rig: &Rig) -> Result<()> {
    three_endpoints_are_one_chain(rig).await?;
    late_or_never(rig).await?;
    broken_connections(rig).await?;
    http_answers(rig).await?;
    a_share_for_a_while(rig).await?;
    carried_out_but_not_answered(rig).await?;
    no_status_is_known(rig).await?;
    behind(rig).await
}

fn url(rig: &Rig, endpoint: usize) -> String {
    let entry = rig.env["SOLANA_RPC_ENDPOINTS"].split(',').nth(endpoint - 1).expect("an endpoint");
    let label = format!("rpc-{endpoint}=");
    entry.strip_prefix(&label).expect("endpoints are called by number").to_owned()
}

async fn post(rig: &Rig, endpoint: usize, method: &str, params: Value) -> reqwest::Result<reqwest::Response> {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    rig.http.post(url(rig, endpoint)).json(&call).send().await
}

async fn reply(rig: &Rig, endpoint: usize, method: &str, params: Value) -> Result<Value> {
    Ok(post(rig, endpoint, method, params).await?.error_for_status()?.json().await?)
}

async fn slot(rig: &Rig, endpoint: usize) -> Result<u64> {
    let reply = reply(rig, endpoint, "getSlot", json!([{ "commitment": "confirmed" }])).await?;
    reply["result"].as_u64().with_context(|| format!("no slot: {reply}"))
}

async fn three_endpoints_are_one_chain(rig: &Rig) -> Result<()> {
    ensure!(rig.env["SOLANA_RPC_ENDPOINTS"].split(',').count() == 3);
    let genesis = reply(rig, 1, "getGenesisHash", json!([])).await?;
    for endpoint in [2, 3] {
        ensure!(reply(rig, endpoint, "getGenesisHash", json!([])).await? == genesis);
    }
    Ok(())
}

async fn late_or_never(rig: &Rig) -> Result<()> {
    rig.set("rpc-1", FaultKind::Delay(Duration::from_millis(200))).await?;
    let asked = Instant::now();
    slot(rig, 1).await?;
    ensure!(asked.elapsed() >= Duration::from_millis(200));
    rig.clear("rpc-1")?;

    rig.faults.set(&Fault::new("rpc-1", FaultKind::Hang).method("getSlot")).await?;
    let hanging = slot(rig, 1);
    let meanwhile = async {
        rig.until_struck("rpc-1", 1).await?;
        let other = reply(rig, 1, "getHealth", json!([])).await?;
        ensure!(other["result"] == "ok", "only getSlot hangs: {other}");
        rig.clear("rpc-1")
    };
    let (hanging, meanwhile) = tokio::join!(hanging, meanwhile);
    meanwhile?;
    ensure!(hanging.is_err(), "what hung is never answered");
    slot(rig, 1).await.map(drop)
}

async fn broken_connections(rig: &Rig) -> Result<()> {
    let before = rig.faults.reached("rpc-2");
    rig.set("rpc-2", FaultKind::Reset).await?;
    let error = post(rig, 2, "getSlot", json!([])).await.err().context("a reset is no answer")?;
    ensure!(io_kind(&error) == Some(ErrorKind::ConnectionReset), "{error:?}");
    ensure!(rig.faults.reached("rpc-2") == before + 1);
    rig.clear("rpc-2")?;

    let address = url(rig, 2).trim_start_matches("http://").to_owned();
    let mut open = TcpStream::connect(&address).await?;
    rig.set("rpc-2", FaultKind::Refused).await?;
    let ended = open.read(&mut [0]).await;
    ensure!(ended.as_ref().is_err_and(|error| error.kind() == ErrorKind::ConnectionReset), "{ended:?}");
    until("nobody listens", async || {
        let error = TcpStream::connect(&address).await.err();
        Ok(error.is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused))
    })
    .await?;
    slot(rig, 1).await?;
    rig.clear("rpc-2")?;
    until("it listens again, at the same address", async || Ok(slot(rig, 2).await.is_ok())).await
}

async fn http_answers(rig: &Rig) -> Result<()> {
    rig.set("rpc-3", FaultKind::Status(503)).await?;
    ensure!(post(rig, 3, "getSlot", json!([])).await?.status() == StatusCode::SERVICE_UNAVAILABLE);
    rig.clear("rpc-3")?;

    for (time, said) in [(None, None), (Some(Duration::from_millis(1_500)), Some("2"))] {
        rig.set("rpc-3", FaultKind::TooMany(time)).await?;
        let answer = post(rig, 3, "getSlot", json!([])).await?;
        ensure!(answer.status() == StatusCode::TOO_MANY_REQUESTS);
        let retry_after = answer.headers().get(header::RETRY_AFTER).map(|value| value.to_str()).transpose()?;
        ensure!(retry_after == said, "{retry_after:?}");
    }
    rig.clear("rpc-3")?;

    rig.set("rpc-3", FaultKind::Garbage).await?;
    let answer = post(rig, 3, "getSlot", json!([])).await?;
    ensure!(answer.status() == StatusCode::OK);
    ensure!(serde_json::from_str::<Value>(&answer.text().await?).is_err());
    rig.clear("rpc-3")
}

async fn a_share_for_a_while(rig: &Rig) -> Result<()> {
    let half = Fault::new("rpc", FaultKind::Status(500)).share(0.5).lasting(Duration::from_secs(2)).named("half");
    ensure!(rig.faults.set(&half).await? == ["half"; 3], "one at every endpoint");
    let [mut good, mut bad] = [false; 2];
    until("some are answered and some are not", async || {
        let status = post(rig, 1, "getHealth", json!([])).await?.status();
        if status == StatusCode::OK {
            good = true;
        } else {
            bad = true;
        }
        Ok(good && bad)
    })
    .await?;
    until("it ends by itself", async || Ok(rig.faults.report().faults.is_empty())).await
}

async fn carried_out_but_not_answered(rig: &Rig) -> Result<()> {
    let lucky = Pubkey::new_unique();
    rig.set("rpc-1", FaultKind::DropReply).await?;
    let error = post(rig, 1, "requestAirdrop", json!([lucky.to_string(), LAMPORTS])).await.err();
    let error = error.context("the reply was to be dropped")?;
    ensure!(io_kind(&error) == Some(ErrorKind::ConnectionReset), "{error:?}");
    rig.clear("rpc-1")?;
    let config = json!({ "commitment": "confirmed" });
    until("the airdrop is there all the same", async || {
        let balance = reply(rig, 2, "getBalance", json!([lucky.to_string(), config])).await?;
        Ok(balance["result"]["value"] == LAMPORTS)
    })
    .await
}

async fn status(rig: &Rig, endpoint: usize, signature: &Signature) -> Result<Value> {
    let mut reply = reply(rig, endpoint, "getSignatureStatuses", json!([[signature.to_string()]])).await?;
    Ok(reply["result"]["value"][0].take())
}

/// A transfer to a new account, signed with a blockhash of one endpoint and sent through another.
async fn transfer(rig: &Rig, blockhash_from: usize, sent_to: usize) -> Result<(Signature, Pubkey)> {
    let payer = read_keypair_file(&rig.env["MINT_PAYER_KEYPAIR"]).map_err(|error| anyhow::anyhow!("{error}"))?;
    let newborn = Keypair::new().pubkey();
    let blockhash = RpcClient::new(url(rig, blockhash_from)).get_latest_blockhash().await?;
    let transaction = solana_sdk::transaction::Transaction::new_signed_with_payer(
        &[solana_system_interface::instruction::transfer(&payer.pubkey(), &newborn, LAMPORTS)],
        Some(&payer.pubkey()),
        &[&payer],
        blockhash,
    );
    let signature = RpcClient::new(url(rig, sent_to)).send_transaction(&transaction).await?;
    until("the transfer has landed", async || Ok(!status(rig, sent_to, &signature).await?.is_null())).await?;
    Ok((signature, newborn))
}

async fn no_status_is_known(rig: &Rig) -> Result<()> {
    let (signature, _) = transfer(rig, 2, 2).await?;
    rig.set("rpc-1", FaultKind::NullStatuses).await?;
    ensure!(status(rig, 1, &signature).await?.is_null());
    ensure!(!status(rig, 2, &signature).await?.is_null());
    rig.clear("rpc-1")
}

async fn behind(rig: &Rig) -> Result<()> {
    until("the chain is old enough", async || Ok(slot(rig, 2).await? > SLOTS_BEHIND + 60)).await?;
    rig.set("rpc-1", FaultKind::Behind(SLOTS_BEHIND)).await?;
    let (late, now) = (slot(rig, 1).await?, slot(rig, 2).await?);
    ensure!(late + SLOTS_BEHIND <= now, "{late} is not behind {now}");
    let ahead = json!([{ "commitment": "confirmed", "minContextSlot": now }]);
    let refused = reply(rig, 1, "getEpochInfo", ahead.clone()).await?;
    ensure!(refused["error"]["code"] == -32016, "{refused}");
    ensure!(reply(rig, 2, "getEpochInfo", ahead).await?["error"].is_null());

    // Its blockhash is an old one, and good: a transaction signed with it lands elsewhere.
    let (signature, newborn) = transfer(rig, 1, 2).await?;
    let account = async |endpoint| {
        let params = json!([newborn.to_string(), { "commitment": "confirmed", "encoding": "base64" }]);
        anyhow::Ok(reply(rig, endpoint, "getAccountInfo", params).await?["result"]["value"].take())
    };
    ensure!(status(rig, 1, &signature).await?.is_null() && account(1).await?.is_null(), "it does not know of it yet");
    ensure!(!account(2).await?.is_null());
    until("it hears of it later", async || {
        Ok(!status(rig, 1, &signature).await?.is_null() && !account(1).await?.is_null())
    })
    .await?;
    rig.clear("rpc-1")
}
