//! Seeds that always run, and fresh ones.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Instant;

use sim::{Run, run_all};

/// Runs whose seeds are always the same, runs whose seeds are new each time, and operations of each: 100,000 in all.
const FIXED: u64 = 800;
const FRESH: u64 = 200;
const OPERATIONS: u64 = 100;

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [3, 358] {
        let run = || Run::of(seed, 30).run().unwrap();
        let (one, other) = (run(), run());
        assert!(one.timeline.len() > 100, "something happened");
        for (one, other) in one.timeline.iter().zip(&other.timeline) {
            assert_eq!(one.to_string(), other.to_string(), "seed {seed}");
        }
        assert_eq!((one.timeline.len(), one.verdict), (other.timeline.len(), other.verdict), "seed {seed}");
    }
}

#[test]
fn a_hundred_thousand_operations_are_minted_once_or_have_failed() {
    // The standard library's own randomness: all that is not to be the same again in this file.
    let first = RandomState::new().hash_one(0) >> 32;
    println!("fresh seeds: make sim SEEDS={first}..{}", first + FRESH);
    let seeds = (1..=FIXED).chain(first..first + FRESH);
    let began = Instant::now();
    let tally = run_all(seeds.map(|seed| Run::of(seed, OPERATIONS))).unwrap();
    let rate = u128::from(OPERATIONS * (FIXED + FRESH)) * 1_000 / began.elapsed().as_millis();
    println!("{tally}; {rate} operations/s");
    assert!(tally.failed.is_empty(), "fresh seeds {first}..{}\n{}", first + FRESH, tally.failed.join("\n"));
    assert_eq!(tally.count.operations, tally.count.verified + tally.count.failed);
    assert_eq!(tally.count.verified, tally.count.nfts);
}
