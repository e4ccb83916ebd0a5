//! Upgrades on real parts: a user burns one NFT and gets another for it, once, and nobody else does.

mod common;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use common::user::User;
use common::{carried, failed_with, ordered};
use devstack::demo::Referee;
use devstack::{Stack, StackOptions};

#[tokio::test(flavor = "multi_thread")]
async fn a_burned_nft_pays_for_one_upgrade_of_the_user_who_burned_it() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let options = StackOptions { slot: Duration::from_millis(100), ..StackOptions::new(dir.path().join("stack")) };
    let stack = Stack::start(options).await?;
    let (user, thief) = (User::of(&stack)?, User::of(&stack)?);

    let unlocked = carried(&stack, &[ordered(user.address(), None)?]).await?;
    let unlocked = unlocked[0].latest.as_ref().and_then(|latest| latest.mint_address).context("an NFT to burn")?;
    let burn = user.burn(unlocked, None).await?;

    // Not final yet when they are ordered: both wait until it is.
    let orders = [ordered(user.address(), Some(burn))?, ordered(thief.address(), Some(burn))?];
    let journeys = carried(&stack, &orders).await?;
    ensure!(failed_with(&journeys[1]) == Some("burn-by-another-user"), "{:?}", journeys[1].latest);
    let referee = Referee::new(&stack)?;
    let problems: Vec<_> = referee.judge(&journeys[..1]).await?.into_iter().flat_map(|found| found.problems).collect();
    ensure!(problems.is_empty(), "{problems:#?}");

    let again = carried(&stack, &[ordered(user.address(), Some(burn))?]).await?;
    ensure!(failed_with(&again[0]) == Some("burn-already-used"), "{:?}", again[0].latest);
    let surplus = referee.surplus(&journeys[..1]).await?;
    ensure!(surplus.is_empty(), "{surplus:#?}");
    stack.stop().await
}
