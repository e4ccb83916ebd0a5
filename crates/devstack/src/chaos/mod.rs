//! `devstack chaos`: operations keep coming while one thing after the other goes wrong, and every one of them must
//! become exactly one NFT.

mod outcome;
mod report;
mod round;
mod rows;
mod traffic;
mod trouble;

use anyhow::{Result, ensure};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::{Stack, StackOptions};

pub use outcome::Outcome;
pub use round::{Round, Tempo};
pub use rows::{ROWS, Row};
pub use trouble::{Place, Trouble};

/// What is to go wrong.
#[derive(Debug, Clone)]
pub struct ChaosOptions {
    /// How each stack is started: a fresh one per seed.
    pub stack: StackOptions,
    /// How fast, and for how long.
    pub tempo: Tempo,
    /// One round each.
    pub seeds: Vec<u64>,
    /// The rows to go through.
    pub rows: Vec<Row>,
    /// Every seed goes through all rows; otherwise the rows are dealt among the seeds.
    pub every_row: bool,
}

/// Goes through the rows, prints what came of each, and fails where an operation was lost, stuck or minted twice.
///
/// # Errors
/// A stack does not start, or an operation did not become one right NFT: the tables say where.
pub async fn run(options: &ChaosOptions) -> Result<()> {
    let mut all = Vec::new();
    for (hand, seed) in options.seeds.iter().enumerate() {
        let mut random = StdRng::seed_from_u64(*seed);
        let mut rows = if options.every_row {
            options.rows.clone()
        } else {
            options.rows.iter().skip(hand).step_by(options.seeds.len()).copied().collect()
        };
        rows.shuffle(&mut random);
        let mut stack = Stack::start(options.stack.clone()).await?;
        let mut round = Round::begin(&mut stack, options.tempo, random).await?;
        let usual = round.usual().as_secs_f64();
        println!("Seed {seed}: {} troubles; an operation usually takes {usual:.1} s", rows.len());
        for row in rows {
            eprintln!("  {} …", row.name());
            let outcome = round.suffer(row).await?;
            report::complain(&outcome);
            all.push((*seed, outcome));
        }
        stack.stop().await?;
    }
    println!("{}", report::table(&all));
    println!("\n{}", report::totals(&all));
    ensure!(all.iter().all(|(_, outcome)| outcome.is_good()), "not every operation became exactly one NFT");
    Ok(())
}
