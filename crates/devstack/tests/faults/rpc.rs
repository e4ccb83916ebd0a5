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
use solana_sdk::transaction::Transaction;
use surfpool_core::solana_commitment_config::CommitmentConfig;
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
    behind(rig).await?;
    taken_and_held_back(rig).await?;
    each_commitment_shows_its_own_slot(rig).await?;
    another_fork(rig).await
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

/// A transfer to a new account, signed with a blockhash of an endpoint and not sent.
async fn signed_transfer(rig: &Rig, blockhash_from: usize) -> Result<(Transaction, Pubkey)> {
    let payer = read_keypair_file(&rig.env["MINT_PAYER_KEYPAIR"]).map_err(|error| anyhow::anyhow!("{error}"))?;
    let newborn = Keypair::new().pubkey();
    let blockhash = RpcClient::new_with_commitment(url(rig, blockhash_from), CommitmentConfig::confirmed());
    let blockhash = blockhash.get_latest_blockhash().await?;
    let transfer = solana_system_interface::instruction::transfer(&payer.pubkey(), &newborn, LAMPORTS);
    let payers = Some(payer.pubkey());
    let transaction = Transaction::new_signed_with_payer(&[transfer], payers.as_ref(), &[&payer], blockhash);
    Ok((transaction, newborn))
}

async fn send(rig: &Rig, endpoint: usize, transaction: &Transaction) -> Result<Signature> {
    let client = RpcClient::new_with_commitment(url(rig, endpoint), CommitmentConfig::confirmed());
    Ok(client.send_transaction(transaction).await?)
}

async fn until_confirmed(rig: &Rig, endpoint: usize, signature: &Signature) -> Result<()> {
    until("it is confirmed", async || {
        let status = status(rig, endpoint, signature).await?;
        Ok(status["confirmationStatus"].as_str().is_some_and(|commitment| commitment != "processed"))
    })
    .await
}

/// A transfer to a new account, signed with a blockhash of one endpoint and sent through another.
async fn transfer(rig: &Rig, blockhash_from: usize, sent_to: usize) -> Result<(Signature, Pubkey)> {
    let (transaction, newborn) = signed_transfer(rig, blockhash_from).await?;
    let signature = send(rig, sent_to, &transaction).await?;
    until_confirmed(rig, sent_to, &signature).await?;
    Ok((signature, newborn))
}

/// What an endpoint answers to a question about an account, at a commitment.
async fn seen(rig: &Rig, endpoint: usize, method: &str, address: &Pubkey, commitment: &str) -> Result<Value> {
    let config = json!({ "commitment": commitment, "encoding": "base64" });
    Ok(reply(rig, endpoint, method, json!([address.to_string(), config])).await?["result"]["value"].take())
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
    let account = async |endpoint| seen(rig, endpoint, "getAccountInfo", &newborn, "confirmed").await;
    ensure!(status(rig, 1, &signature).await?.is_null() && account(1).await?.is_null(), "it does not know of it yet");
    ensure!(!account(2).await?.is_null());
    until("it hears of it later", async || {
        Ok(!status(rig, 1, &signature).await?.is_null() && !account(1).await?.is_null())
    })
    .await?;
    rig.clear("rpc-1")
}

async fn taken_and_held_back(rig: &Rig) -> Result<()> {
    rig.set("rpc-1", FaultKind::Swallow).await?;
    let (lost, _) = signed_transfer(rig, 2).await?;
    ensure!(send(rig, 1, &lost).await? == lost.signatures[0], "it is answered as if it were on its way");
    rig.clear("rpc-1")?;
    let late = Duration::from_millis(500);
    rig.set("rpc-1", FaultKind::Late(late)).await?;
    let (transaction, _) = signed_transfer(rig, 2).await?;
    let sent = Instant::now();
    let signature = send(rig, 1, &transaction).await?;
    rig.clear("rpc-1")?;
    until_confirmed(rig, 2, &signature).await?;
    ensure!(sent.elapsed() >= late, "it came early");
    ensure!(status(rig, 2, &lost.signatures[0]).await?.is_null());
    Ok(())
}

async fn each_commitment_shows_its_own_slot(rig: &Rig) -> Result<()> {
    let (signature, newborn) = transfer(rig, 1, 1).await?;
    let account = async |commitment| seen(rig, 1, "getAccountInfo", &newborn, commitment).await;
    let balance = async |commitment| seen(rig, 1, "getBalance", &newborn, commitment).await;
    ensure!(account("confirmed").await?["lamports"] == LAMPORTS && balance("confirmed").await? == LAMPORTS);
    ensure!(account("finalized").await?.is_null() && balance("finalized").await? == 0, "it is not final yet");
    let config = json!({ "commitment": "finalized" });
    let several = reply(rig, 1, "getMultipleAccounts", json!([[newborn.to_string()], config])).await?;
    ensure!(several["result"]["value"] == json!([null]), "{several}");
    let transaction = reply(rig, 1, "getTransaction", json!([signature.to_string(), config])).await?;
    ensure!(transaction["result"].is_null(), "{transaction}");
    let list = reply(rig, 1, "getSignaturesForAddress", json!([newborn.to_string(), config])).await?;
    ensure!(list["result"] == json!([]), "{list}");

    let tip = slot(rig, 1).await?;
    let epoch = reply(rig, 1, "getEpochInfo", json!([config])).await?["result"].take();
    let lag = tip.saturating_sub(epoch["absoluteSlot"].as_u64().context("a slot")?);
    ensure!((15..=30).contains(&lag), "{lag} slots between confirmed and finalized");
    let height = reply(rig, 1, "getBlockHeight", json!([config])).await?["result"].as_u64().context("a height")?;
    ensure!(
        epoch["blockHeight"].as_u64().is_some_and(|seen| (height.saturating_sub(15)..=height).contains(&seen)),
        "{epoch} {height}"
    );
    let ahead = json!([newborn.to_string(), { "commitment": "finalized", "minContextSlot": tip }]);
    ensure!(reply(rig, 1, "getAccountInfo", ahead).await?["error"]["code"] == -32016);

    until("it is final", async || Ok(account("finalized").await?["lamports"] == LAMPORTS)).await?;
    ensure!(status(rig, 1, &signature).await?["confirmationStatus"] == "finalized");
    until("its status is forgotten", async || Ok(status(rig, 1, &signature).await?.is_null())).await?;
    let searching = json!([[signature.to_string()], { "searchTransactionHistory": true }]);
    let found = reply(rig, 1, "getSignatureStatuses", searching).await?;
    ensure!(found["result"]["value"][0]["confirmationStatus"] == "finalized", "{found}");
    Ok(())
}

async fn another_fork(rig: &Rig) -> Result<()> {
    let payer = read_keypair_file(&rig.env["MINT_PAYER_KEYPAIR"]).map_err(|error| anyhow::anyhow!("{error}"))?.pubkey();
    let (_, stays) = transfer(rig, 1, 1).await?;
    until("it is final", async || Ok(!seen(rig, 1, "getAccountInfo", &stays, "finalized").await?.is_null())).await?;
    let before = seen(rig, 1, "getBalance", &payer, "confirmed").await?;
    let (transaction, newborn) = signed_transfer(rig, 1).await?;
    let signature = send(rig, 1, &transaction).await?;
    until_confirmed(rig, 1, &signature).await?;
    let account = async |address: &Pubkey, endpoint| seen(rig, endpoint, "getAccountInfo", address, "confirmed").await;
    ensure!(!account(&newborn, 2).await?.is_null());

    rig.set("chain", FaultKind::Fork(30)).await?;
    let nothing_stands = rig.faults.report().faults.is_empty();
    ensure!(nothing_stands, "it is over as soon as it has happened");
    for endpoint in [1, 2, 3] {
        ensure!(status(rig, endpoint, &signature).await?.is_null() && account(&newborn, endpoint).await?.is_null());
    }
    ensure!(seen(rig, 1, "getBalance", &payer, "confirmed").await? == before, "nothing was paid");
    ensure!(!account(&stays, 1).await?.is_null(), "what is final stays");
    send(rig, 2, &transaction).await?;
    until_confirmed(rig, 2, &signature).await?;
    ensure!(account(&newborn, 1).await?["lamports"] == LAMPORTS, "the same bytes land anew");
    let error = rig.faults.set(&Fault::new("chain", FaultKind::Fork(31))).await.err().context("final slots stay")?;
    ensure!(error.to_string().contains("final"), "{error}");
    Ok(())
}
