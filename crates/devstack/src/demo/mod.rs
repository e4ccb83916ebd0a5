//! `devstack demo`: operations published as an API would, followed as an API would, and judged by a referee who shares
//! no code with the workers' own verification.

mod follow;
mod gallery;
mod order;
mod referee;
mod report;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::Stack;

pub use follow::{Follower, Journey};
pub use order::{LEVELS, Level, Order, campaign, orders, publish};
pub(crate) use order::{brokers, created_at, record};
pub use referee::{Finding, Referee};
pub use report::totals;

/// How long the fleet may take without moving anything before the demo gives up.
const STANDSTILL: Duration = Duration::from_mins(2);

/// What a demo is to be.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// How many operations.
    pub operations: usize,
    /// Where the gallery page is written.
    pub gallery: PathBuf,
}

/// Mints on a running stack, shows what came of it, and judges it.
///
/// # Errors
/// The fleet stands still, or the referee finds anything but one right NFT per operation: the message says which.
pub async fn run(stack: &Stack, options: &DemoOptions) -> Result<()> {
    let orders = order::campaign(options.operations);
    stack.reset_rpc_counts();
    let pins_before = stack.pin_requests();
    let mut follower = Follower::start(stack.env(), &orders)?;
    let started = Instant::now();
    order::publish(stack.env(), &orders).await?;
    let journeys = follower.until_ended(STANDSTILL, &follow::bars(orders.len())).await?;
    let elapsed = started.elapsed();
    // Counted before the referee asks questions of its own, which go past the counters anyway.
    let (calls, pins) = (stack.rpc_counts(), stack.pin_requests() - pins_before);

    println!("{}", report::table(&journeys));
    println!("{}", report::totals(&journeys, elapsed, &calls, pins));
    let referee = Referee::new(stack)?;
    let findings = referee.judge(&journeys).await?;
    gallery::write(&options.gallery, &findings)
        .with_context(|| format!("cannot write {}", options.gallery.display()))?;
    println!("Gallery: {}", options.gallery.display());

    let wrong: Vec<_> = findings.iter().flat_map(|finding| &finding.problems).collect();
    let surplus = referee.surplus(&journeys).await?;
    if wrong.is_empty() && surplus.is_empty() {
        println!("The referee found {} NFTs, one per operation, each with its owner and content.", findings.len());
        return Ok(());
    }
    for problem in wrong.iter().copied().chain(&surplus) {
        eprintln!("wrong: {problem}");
    }
    bail!("the referee found {} problems", wrong.len() + surplus.len())
}
