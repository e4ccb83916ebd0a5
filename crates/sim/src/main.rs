//! `make sim`: runs seeds, prints what became of them, and the timeline of every one that broke a promise.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use sim::{Run, run_all};

/// Runs the whole fleet under a virtual clock, a seed at a time, against a simulated Kafka, database and chain in which
/// everything goes wrong, and counts NFTs.
#[derive(Debug, Parser)]
struct Arguments {
    /// Seeds: `7`, `1..101` (100 of them), or several of these with commas
    #[arg(long, default_value = "1..101", value_parser = seeds)]
    seeds: Seeds,
    /// Operations of each run; with others a seed is another run
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    operations: u64,
    /// Prints the timelines of good runs, too
    #[arg(long)]
    timeline: bool,
}

#[derive(Debug, Clone)]
struct Seeds(Vec<u64>);

fn seeds(text: &str) -> Result<Seeds, String> {
    let number = |text: &str| text.trim().parse::<u64>().map_err(|error| format!("{text:?}: {error}"));
    let mut all = Vec::new();
    for part in text.split(',') {
        match part.split_once("..") {
            Some((first, end)) => all.extend(number(first)?..number(end)?),
            None => all.push(number(part)?),
        }
    }
    if all.is_empty() { Err(format!("{text:?} names no seed")) } else { Ok(Seeds(all)) }
}

fn main() -> anyhow::Result<ExitCode> {
    let Arguments { seeds: Seeds(seeds), operations, timeline } = Arguments::parse();
    if timeline {
        for seed in seeds {
            print!("{}", Run::of(seed, operations).run()?);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let began = Instant::now();
    let tally = run_all(seeds.into_iter().map(|seed| Run::of(seed, operations)))?;
    tally.failed.iter().for_each(|failed| println!("{failed}"));
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let speed = tally.count.operations as f64 / seconds;
    println!("{tally}\n{speed:.0} operations/s, {seconds:.1} s");
    Ok(if tally.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
