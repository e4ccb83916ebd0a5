//! Seeds that always run, and fresh ones.

use sim::{Run, run_all};

/// Operations of one run.
const OPERATIONS: u64 = 60;

#[test]
fn the_same_seed_is_the_same_run() {
    let run = || Run::of(3, 30).run().unwrap();
    let (one, other) = (run(), run());
    assert!(one.timeline.len() > 100, "something happened");
    for (one, other) in one.timeline.iter().zip(&other.timeline) {
        assert_eq!(one.to_string(), other.to_string());
    }
    assert_eq!(one.timeline, other.timeline);
    assert_eq!(one.verdict, other.verdict);
}

#[test]
fn no_seed_mints_twice_loses_or_is_stuck() {
    let tally = run_all((1..=20).map(|seed| Run::of(seed, OPERATIONS))).unwrap();
    println!("{tally}");
    assert!(tally.failed.is_empty(), "{}", tally.failed.join("\n"));
}
