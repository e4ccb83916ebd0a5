//! What becomes of a send.

use std::time::Duration;

use anyhow::{Result, ensure};
use devstack::demo::Order;
use devstack::faults::{Fault, FaultKind};
use surfpool_core::solana_commitment_config::CommitmentConfig;

use crate::world::{World, until};

const OPERATIONS: usize = 3;
/// Longer than the fleet waits before it sends the same bytes again.
const LATE: Duration = Duration::from_secs(4);
const LAST_VALID_HEIGHT: &str = "SELECT max(last_valid_block_height) FROM mint_attempts WHERE operation_id = $1";

/// Accepted by the endpoint, and nobody learns of it: the status tells.
pub async fn replies_are_dropped(world: &mut World) -> Result<()> {
    let dropped = Fault::new("rpc", FaultKind::DropReply).method("sendTransaction");
    world.stack.faults().set(&dropped).await?;
    let orders = world.orders(OPERATIONS);
    let follower = world.publish(&orders).await?;
    world.one_nft_each(follower).await?;
    ensure!(world.let_be("rpc")? >= OPERATIONS as u64, "no reply was dropped");
    world.ensure_verdicts(&orders, &["finalized"]).await
}

/// The same bytes were sent again, through another endpoint, before the first ones landed.
pub async fn it_lands_after_its_status_was_null(world: &mut World) -> Result<()> {
    world.let_fail("rpc", FaultKind::Late(LATE)).await?;
    let orders = world.orders(OPERATIONS);
    let follower = world.publish(&orders).await?;
    world.one_nft_each(follower).await?;
    let sends = world.let_be("rpc")?;
    ensure!(sends > OPERATIONS as u64, "nothing was sent twice: {sends} sends");
    world.ensure_verdicts(&orders, &["finalized"]).await
}

/// Every send is taken and lost until the first transactions cannot land any more: then, and only then, there are second ones.
pub async fn blockhashes_expire_before_anything_lands(world: &mut World) -> Result<()> {
    world.let_fail("rpc", FaultKind::Swallow).await?;
    let orders = world.orders(OPERATIONS);
    let follower = world.publish(&orders).await?;
    for order in &orders {
        until("its first transaction has expired", async || {
            Ok(world.verdicts(order).await?.first().is_some_and(|verdict| verdict == "expired"))
        })
        .await?;
    }
    world.let_be("rpc")?;
    world.one_nft_each(follower).await?;
    world.ensure_verdicts(&orders, &["expired", "finalized"]).await
}

/// Nobody knows of any signature until long after the blockhashes have expired: the NFT is there, so nothing is signed.
pub async fn blockhashes_expire_after_it_landed_unseen(world: &mut World) -> Result<()> {
    world.let_fail("rpc", FaultKind::NullStatuses).await?;
    let orders = world.orders(OPERATIONS);
    let follower = world.publish(&orders).await?;
    for order in &orders {
        until("it is signed", async || Ok(!world.verdicts(order).await?.is_empty())).await?;
        until("its blockhash has expired for good", async || is_past(world, order).await).await?;
    }
    world.ensure_verdicts(&orders, &["open"]).await?;
    world.let_be("rpc")?;
    world.one_nft_each(follower).await?;
    world.ensure_verdicts(&orders, &["finalized"]).await
}

async fn is_past(world: &World, order: &Order) -> Result<bool> {
    let last = u64::try_from(world.number(LAST_VALID_HEIGHT, order).await?)?;
    let height = world.rpc.get_block_height_with_commitment(CommitmentConfig::finalized()).await?;
    Ok(height > last + 20)
}
