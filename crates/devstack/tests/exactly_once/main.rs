//! Exactly one NFT on the real program, by the whole fleet, for each thing that can become of a transaction. One stack for all
//! of them; slots of 100 ms, so that a blockhash lives for 15 s and what landed is final after 3.
//!
//! Elsewhere: two of each worker and every event twice (`fleet.rs`), what a single step does of it (`on_chain.rs`), and the port by
//! itself (`crates/solana/tests/real_chain.rs`).

mod cluster;
mod owners;
mod sends;
mod world;

use anyhow::Result;

use world::World;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_transaction_there_is_one_nft() -> Result<()> {
    let mut world = World::start().await?;

    // What finality drops is missed half a minute later: the others need not wait for that.
    let dropped = cluster::a_fork_drops_what_was_confirmed(&mut world).await?;
    cluster::an_endpoint_of_another_cluster_is_refused(&world).await?;
    sends::replies_are_dropped(&mut world).await?;
    sends::it_lands_after_its_status_was_null(&mut world).await?;
    owners::a_stranger_sent_lamports_first(&mut world).await?;
    dropped.ends_as_one_nft(&mut world).await?;

    sends::blockhashes_expire_before_anything_lands(&mut world).await?;
    sends::blockhashes_expire_after_it_landed_unseen(&mut world).await?;
    owners::sold_or_burned_before_it_was_verified(&mut world).await?;
    cluster::the_payer_runs_out_of_funds(&mut world).await?;

    world.end().await
}
