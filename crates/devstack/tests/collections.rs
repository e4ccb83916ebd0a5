//! Collections on real parts: created once by hand, filled by the fleet, and kept to by upgrades.

mod common;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use common::user::User;
use common::{carried, failed_with, mintctl, ordered};
use devstack::demo::{Journey, Order, Referee};
use devstack::{Stack, StackOptions};
use domain::{MintAddress, State};
use resilience::Jitter;
use serde_json::Value;
use solana::{ChainView, Cluster, EndpointAddress, Endpoints, EndpointsSettings, FeePolicy, Pubkey};
use solana_sdk::signer::keypair::{Keypair, write_keypair_file};

const URI: &str = "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_is_created_once_and_its_nfts_are_verified_into_it_and_stay_in_it() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let options = StackOptions { slot: Duration::from_millis(100), ..StackOptions::new(dir.path().join("stack")) };
    let stack = Stack::start(options).await?;
    let user = User::of(&stack)?;

    let (exit, created) = create(&stack, "Quant Apes", &[]).await?;
    ensure!((exit, &created["outcome"]) == (Some(0), &"created".into()), "{created}");
    let (exit, again) = create(&stack, "Quant Apes", &[]).await?;
    ensure!((exit, &again["outcome"]) == (Some(0), &"stands-already".into()), "{again}");
    ensure!(created["collection"] == again["collection"], "{created} and {again}");
    let (exit, renamed) = create(&stack, "Apes", &["--label", "Quant Apes"]).await?;
    ensure!(exit == Some(1) && renamed["collection"] == created["collection"], "{renamed}");
    ensure!(renamed["differences"][0] == "its name is \"Quant Apes\", not \"Apes\"", "{renamed}");
    let apes = address(&created)?;

    let inside = carried(&stack, &[within(apes, ordered(user.address(), None)?)]).await?;
    let unlocked = minted(&inside[0])?;
    ensure!(collection_of(&stack, unlocked).await? == Some((apes, true)), "verified by the one transaction there is");

    // One that is another payer's, one that is an NFT of ours and no collection, and an upgrade that would leave its own.
    let theirs = another_payers(&stack, dir.path()).await?;
    let burn = user.burn(unlocked, Some(apes)).await?;
    let wrong = [
        within(theirs, ordered(user.address(), None)?),
        within(unlocked, ordered(user.address(), None)?),
        ordered(user.address(), Some(burn))?,
    ];
    let wrong = carried(&stack, &wrong).await?;
    let codes: Vec<_> = wrong.iter().filter_map(failed_with).collect();
    ensure!(codes == ["collection-not-ours", "not-a-collection", "burn-of-another-collection"], "{codes:?}");

    let upgraded = carried(&stack, &[within(apes, ordered(user.address(), Some(burn))?)]).await?;
    ensure!(collection_of(&stack, minted(&upgraded[0])?).await? == Some((apes, true)));
    let problems = Referee::new(&stack)?.judge(&upgraded).await?.into_iter().flat_map(|found| found.problems);
    let problems: Vec<_> = problems.collect();
    ensure!(problems.is_empty(), "{problems:#?}");
    let (exit, found) = mintctl(stack.env(), &["reconcile", "--rested", "0s"]).await?;
    ensure!(found.iter().all(|finding| finding["finding"] != "unknown"), "exit {exit:?}: {found:?}");
    stack.stop().await
}

async fn create(stack: &Stack, name: &str, more: &[&str]) -> Result<(Option<i32>, Value)> {
    let create = ["collection", "create", "--name", name, "--symbol", "AIW3", "--uri", URI];
    let (exit, mut documents) = mintctl(stack.env(), &[&create, more].concat()).await?;
    Ok((exit, documents.pop().context("a document")?))
}

/// A collection of somebody who mints on the same chain, and whose master secret is the same.
async fn another_payers(stack: &Stack, dir: &Path) -> Result<MintAddress> {
    let payer = Keypair::new();
    User::of(stack)?.give(&payer).await?;
    let path = dir.join("another.json");
    write_keypair_file(&payer, &path).map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut env = stack.env().clone();
    env.insert("MINT_PAYER_KEYPAIR".into(), path.display().to_string());
    let create = ["collection", "create", "--name", "Others", "--uri", URI];
    let (exit, documents) = mintctl(&env, &create).await?;
    ensure!(exit == Some(0), "{documents:?}");
    address(documents.last().context("a document")?)
}

fn address(created: &Value) -> Result<MintAddress> {
    Ok(created["collection"].as_str().context("an address")?.parse()?)
}

fn within(collection: MintAddress, mut order: Order) -> Order {
    order.event.nft.collection = Some(collection);
    order
}

fn minted(journey: &Journey) -> Result<MintAddress> {
    let latest = journey.latest.as_ref().context("a status")?;
    ensure!(latest.state == State::Verified, "{latest:?}");
    latest.mint_address.context("an address")
}

async fn collection_of(stack: &Stack, mint: MintAddress) -> Result<Option<(MintAddress, bool)>> {
    let endpoint = EndpointAddress::new("chain", stack.chain_url());
    let endpoints = Endpoints::connect([endpoint], EndpointsSettings::default(), Jitter::from_os().into())?;
    let cluster = Cluster::start(endpoints.into(), FeePolicy::NOTHING);
    let metadata = cluster.metadata(&mint).await?.context("its metadata")?;
    let address = |collection: Pubkey| MintAddress::from_bytes(collection.to_bytes());
    Ok(metadata.collection.map(|(collection, verified)| (address(collection), verified)))
}
