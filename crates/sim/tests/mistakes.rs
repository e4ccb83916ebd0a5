//! The net catches fish: each classic mistake breaks a promise within a few seeds, and the same run without it breaks none.

use std::time::Duration;

use sim::{Broken, Mistake, Run, Weather};

const OPERATIONS: u64 = 40;
/// Seeds until a mistake has to be caught.
const SEEDS: u64 = 40;

/// Runs seed after seed until the mistake is caught in the way that is expected of it.
fn assert_caught(mistake: Mistake, weather: &Weather, expected: fn(&Broken) -> bool) {
    let weather = Weather { lasts: Duration::from_mins(3), ..weather.clone() };
    let run = |seed, mistake| {
        let weather = Some(weather.clone());
        Run { weather, mistake, ..Run::of(seed, OPERATIONS) }.run().unwrap()
    };
    for seed in 1..=SEEDS {
        let caught = run(seed, Some(mistake)).verdict.broken;
        if let Some((_, broken)) = caught.iter().find(|(_, broken)| expected(broken)) {
            println!("{mistake:?} is caught by seed {seed}: {broken}; {} promises broken in all", caught.len());
            let right = run(seed, None);
            assert_eq!(right.verdict.broken, [], "without the mistake: {right}");
            return;
        }
    }
    panic!("{mistake:?} was not caught by {SEEDS} seeds");
}

#[test]
fn signing_again_after_a_null_status_is_caught() {
    let weather = Weather { transaction_late: 0.5, ..Weather::fair() };
    assert_caught(Mistake::SignsAfterNullStatus, &weather, |broken| matches!(broken, Broken::DeadAndLanded(_)));
}

#[test]
fn signing_again_after_an_invalid_blockhash_is_caught() {
    let weather = Weather { transaction_late: 0.5, longest_lag: 60, ..Weather::fair() };
    assert_caught(Mistake::SignsAfterInvalidBlockhash, &weather, |broken| matches!(broken, Broken::DeadAndLanded(_)));
}

#[test]
fn reading_the_status_before_the_height_is_caught() {
    // Whoever sleeps between the two reads sees the one and misses what came after it.
    let weather = Weather {
        sleep: 0.01,
        longest_sleep: Duration::from_secs(10),
        transaction_late: 1.0,
        transaction_dropped: 0.97,
        ..Weather::fair()
    };
    assert_caught(Mistake::ReadsStatusBeforeHeight, &weather, |broken| matches!(broken, Broken::DeadAndLanded(_)));
}

#[test]
fn storing_the_signature_after_the_send_is_caught() {
    let weather = Weather { crash: 0.005, ..Weather::fair() };
    assert_caught(Mistake::StoresAfterSend, &weather, |broken| matches!(broken, Broken::SentUnrecorded(_)));
}

#[test]
fn a_fresh_key_per_retry_is_caught() {
    let weather = Weather { status_hidden: 0.5, ..Weather::fair() };
    assert_caught(Mistake::FreshKeyPerRetry, &weather, |broken| matches!(broken, Broken::Double(_)));
}

#[test]
fn an_offset_stored_before_the_commit_is_caught() {
    let weather = Weather { crash: 0.01, statement_fails: 0.5, ..Weather::fair() };
    assert_caught(Mistake::StoresOffsetFirst, &weather, |broken| matches!(broken, Broken::NoRow));
}

#[test]
fn a_skipped_publish_is_caught() {
    let weather = Weather { crash: 0.01, ..Weather::fair() };
    assert_caught(Mistake::SkipsPublish, &weather, |broken| matches!(broken, Broken::Untold { .. }));
}

#[test]
fn two_workers_without_the_guard_are_caught() {
    let weather = Weather { rebalance: 0.05, sleep: 0.003, longest_sleep: Duration::from_secs(30), ..Weather::fair() };
    assert_caught(Mistake::NoGuard, &weather, |broken| matches!(broken, Broken::DeadAndLanded(_)));
}

#[test]
fn failing_while_an_attempt_is_undecided_is_caught() {
    let weather = Weather { transaction_late: 0.5, transaction_dropped: 0.7, ..Weather::fair() };
    assert_caught(Mistake::FailsUndecided, &weather, |broken| matches!(broken, Broken::FailedAndMinted));
}

#[test]
fn an_attempt_of_a_sleeper_after_failed_is_caught() {
    let weather =
        Weather { sleep: 0.02, longest_sleep: Duration::from_mins(1), failed_by_hand: 1.0, ..Weather::fair() };
    assert_caught(Mistake::InsertsAfterFailed, &weather, |broken| matches!(broken, Broken::FailedAndMinted));
}
