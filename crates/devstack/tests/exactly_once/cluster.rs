//! What the cluster and the payer do.

use std::path::PathBuf;
use std::process::Output;

use anyhow::{Context, Result, ensure};
use devstack::Progress;
use devstack::demo::{Follower, Order};
use devstack::faults::FaultKind;
use devstack::serve::{ChainServer, fetch_program};
use solana_sdk::signer::Signer;
use solana_sdk::signer::keypair::Keypair;
use tokio::process::Command;
use tokio::time::timeout;

use crate::world::{SLOT, World, until};

/// All that can be dropped: what landed a slot earlier is final.
const FORK: u64 = 30;
const CONFIRMED: &str = "SELECT count(*) FROM minting_operations WHERE id = $1 AND state = 'BLOCKCHAIN_CONFIRMED'";
const WENT_BACK: &str = "SELECT count(*) FROM operation_events
    WHERE operation_id = $1 AND from_state = 'BLOCKCHAIN_CONFIRMED' AND to_state = 'BLOCKCHAIN_SUBMITTED'";
/// Enough for two mints and not for a third.
const LEFT: u64 = 30_000_000;
/// Less than a mint costs.
const TOO_LITTLE: u64 = 10_000_000;

/// An operation whose transaction was confirmed and then dropped.
pub struct Dropped {
    orders: Vec<Order>,
    follower: Follower,
}

pub async fn a_fork_drops_what_was_confirmed(world: &mut World) -> Result<Dropped> {
    let orders = world.orders(1);
    let follower = world.publish(&orders).await?;
    until("it is confirmed", async || Ok(world.number(CONFIRMED, &orders[0]).await? == 1)).await?;
    let mint = world.mint(&orders[0]).await?;
    ensure!(world.rpc.get_account(&mint).await.is_ok(), "it is minted");
    world.let_fail("chain", FaultKind::Fork(FORK)).await?;
    ensure!(world.rpc.get_account(&mint).await.is_err(), "it was final before the fork: the machine is too slow");
    Ok(Dropped { orders, follower })
}

impl Dropped {
    /// It went back to BLOCKCHAIN_SUBMITTED and is one NFT in the end.
    pub async fn ends_as_one_nft(self, world: &mut World) -> Result<()> {
        world.one_nft_each(self.follower).await?;
        let went_back = world.number(WENT_BACK, &self.orders[0]).await?;
        ensure!(went_back >= 1, "it never went back to BLOCKCHAIN_SUBMITTED");
        let verdicts = world.verdicts(&self.orders[0]).await?;
        ensure!(verdicts.last().is_some_and(|verdict| verdict == "finalized"), "{verdicts:?}");
        Ok(())
    }
}

/// A worker does not start with it, be it alone or one of several.
pub async fn an_endpoint_of_another_cluster_is_refused(world: &World) -> Result<()> {
    let program = tokio::task::spawn_blocking(|| fetch_program(None, &Progress::silent())).await??;
    let foreign = ChainServer::start(&["127.0.0.1:0".parse()?], SLOT, &program).await?;
    let foreign = foreign.entries().pop().context("an endpoint")?.replace("rpc-1=", "foreign=");
    let ours = &world.stack.env()["SOLANA_RPC_ENDPOINTS"];
    for endpoints in [foreign.clone(), format!("{ours},{foreign}")] {
        let output = start_with(world, &endpoints).await?;
        let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        let says_why = said.contains("another cluster") || said.contains("this fleet mints on");
        ensure!(!output.status.success() && says_why, "{said}");
    }
    Ok(())
}

async fn start_with(world: &World, endpoints: &str) -> Result<Output> {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_devstack")).with_file_name("mint-submitter");
    let mut command = Command::new(program);
    command.envs(world.stack.env()).env("SOLANA_RPC_ENDPOINTS", endpoints).env("OPS_LISTEN", "127.0.0.1:0");
    let ended = timeout(SLOT * 300, command.kill_on_drop(true).output()).await;
    Ok(ended.context("it runs with an endpoint of another cluster")??)
}

/// In the middle of its work it finds itself poor; topped up, it goes on.
pub async fn the_payer_runs_out_of_funds(world: &mut World) -> Result<()> {
    let (payer, elsewhere) = (world.payer.pubkey(), Keypair::new());
    let wealth = world.rpc.get_balance(&payer).await?;
    world.give(&world.payer, &elsewhere.pubkey(), wealth - LEFT).await?;
    let orders = world.orders(4);
    let follower = world.publish(&orders).await?;
    until("the payer is poor", async || Ok(world.rpc.get_balance(&payer).await? < TOO_LITTLE)).await?;
    until("what it could pay is minted, and no more", async || {
        let mut signed = 0;
        for order in &orders {
            signed += usize::from(!world.verdicts(order).await?.is_empty());
        }
        Ok(signed > 2)
    })
    .await?;
    world.give(&elsewhere, &payer, wealth - LEFT - 1_000_000).await?;
    world.one_nft_each(follower).await
}
