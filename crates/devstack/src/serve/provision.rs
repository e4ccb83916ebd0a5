//! What a fleet needs besides its servers: secrets, images, and a payer who can pay.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::json;
use solana_sdk::{
    pubkey::Pubkey,
    signer::{Signer, keypair::read_keypair_file},
};
use tokio::time::{Instant, sleep};

use crate::{
    chain::AIRDROP_LAMPORTS,
    content::draw_all,
    json_rpc::call,
    layout::write_private,
    secrets::{create_payer, secret},
};

/// An airdrop is confirmed by the next slot.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);

/// Makes below `dir` what is not there yet, and gives the payer SOL on the chain whose RPC endpoint is `rpc`, unless it has
/// enough. Whoever may read one of the directories need not see the others:
///
/// - `mint-keys`: `payer.json` (`MINT_PAYER_KEYPAIR`) and `master-secret` (`MINT_MASTER_SECRET_FILE`),
/// - `pin-keys`: `first` and `backup`, a token for an account each,
/// - `assets`: the drawings.
///
/// # Errors
/// A file cannot be written, or what is there is no keypair; or the chain gives nothing.
pub async fn provision(dir: &Path, rpc: &str) -> Result<()> {
    let (mint_keys, pin_keys) = (dir.join("mint-keys"), dir.join("pin-keys"));
    for directory in [&mint_keys, &pin_keys] {
        fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    }
    for file in [mint_keys.join("master-secret"), pin_keys.join("first"), pin_keys.join("backup")] {
        if !file.exists() {
            write_private(&file, &secret())?;
        }
    }
    draw_all(&dir.join("assets"))?;
    fund(payer(&mint_keys.join("payer.json"))?, rpc).await.with_context(|| format!("cannot fund the payer at {rpc}"))
}

fn payer(file: &Path) -> Result<Pubkey> {
    if !file.exists() {
        return Ok(create_payer(file)?.pubkey());
    }
    let keypair = read_keypair_file(file).map_err(|error| anyhow!("{} is no keypair: {error}", file.display()))?;
    Ok(keypair.pubkey())
}

/// Gives an account SOL, unless it has enough.
pub(crate) async fn fund(payer: Pubkey, rpc: &str) -> Result<()> {
    let payer = payer.to_string();
    if balance(&payer, rpc).await? < AIRDROP_LAMPORTS / 2 {
        call(rpc, "requestAirdrop", json!([payer, AIRDROP_LAMPORTS])).await?;
        let deadline = Instant::now() + CONFIRMED_WITHIN;
        loop {
            let has = balance(&payer, rpc).await?;
            if has >= AIRDROP_LAMPORTS {
                break;
            }
            ensure!(Instant::now() < deadline, "after an airdrop {payer} has no more than {has} lamports");
            sleep(LOOK).await;
        }
    }
    Ok(())
}

async fn balance(payer: &str, rpc: &str) -> Result<u64> {
    let balance = call(rpc, "getBalance", json!([payer, { "commitment": "confirmed" }])).await?;
    balance["value"].as_u64().with_context(|| format!("a balance was expected: {balance}"))
}
