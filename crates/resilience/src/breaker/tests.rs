use std::time::Duration;

use tokio::time::{Instant, advance};

use super::*;

const FAST: Duration = Duration::from_millis(20);
const REST: Duration = Duration::from_secs(30);

fn breaker() -> Breaker {
    Breaker::new("solana-rpc", BreakerSettings::default())
}

fn fail(breaker: &Breaker, times: usize) {
    for _ in 0..times {
        breaker.admit().expect("closed").failed(FailureClass::Transient);
    }
}

fn open() -> Breaker {
    let breaker = breaker();
    fail(&breaker, 5);
    breaker
}

fn force(breaker: &Breaker, kind: OverrideKind, lasts: Duration) {
    breaker.set_override(Some(Override { kind, until: Instant::now() + lasts }));
}

#[tokio::test(start_paused = true)]
async fn opens_after_five_failures_in_a_row() {
    let breaker = breaker();
    fail(&breaker, 4);
    breaker.admit().unwrap().succeeded(FAST);
    fail(&breaker, 4);
    assert_eq!(breaker.state().position, Position::Closed);
    fail(&breaker, 1);
    let until = Instant::now() + REST;
    assert_eq!(breaker.state().position, Position::Open { until });
    let refused = breaker.admit().unwrap_err();
    assert_eq!(refused, BreakerOpen { name: "solana-rpc".into(), until: Some(until) });
    assert_eq!(breaker.state().trips, 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_slower_than_the_limit_is_a_failure() {
    let breaker = breaker();
    for _ in 0..5 {
        breaker.admit().unwrap().succeeded(Duration::from_secs(31));
    }
    assert_eq!(breaker.state().name(Instant::now()), "open");
}

#[tokio::test(start_paused = true)]
async fn one_probe_closes_or_opens_it_again() {
    let breaker = open();
    advance(REST).await;
    let probe = breaker.admit().unwrap();
    assert_eq!(breaker.admit().unwrap_err().until, None);
    probe.failed(FailureClass::Outage);
    assert_eq!(breaker.state().position, Position::Open { until: Instant::now() + REST });
    advance(REST).await;
    breaker.admit().unwrap().succeeded(FAST);
    assert_eq!(breaker.state().position, Position::Closed);
    // Closed anew, it counts anew.
    fail(&breaker, 4);
    assert!(breaker.admit().is_ok());
    assert_eq!(breaker.state().trips, 1, "a probe that failed is no trip of its own");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_leaves_its_place_to_another() {
    let breaker = open();
    advance(REST).await;
    drop(breaker.admit().unwrap());
    assert_eq!(breaker.state().position, Position::HalfOpen { probing: false });
    breaker.admit().unwrap().failed(FailureClass::RateLimited);
    assert_eq!(breaker.state().position, Position::HalfOpen { probing: false });
    breaker.admit().unwrap().failed(FailureClass::Permanent);
    assert_eq!(breaker.state().position, Position::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_was_under_way_when_it_opened_has_no_say_any_more() {
    let breaker = breaker();
    let late: Vec<_> = (0..3).map(|_| breaker.admit().unwrap()).collect();
    fail(&breaker, 5);
    let mut late = late.into_iter();
    late.next().unwrap().succeeded(FAST);
    assert_eq!(breaker.state().name(Instant::now()), "open");
    advance(REST).await;
    let probe = breaker.admit().unwrap();
    late.next().unwrap().failed(FailureClass::Transient);
    drop(late);
    assert_eq!(breaker.state().position, Position::HalfOpen { probing: true });
    probe.succeeded(FAST);
    assert_eq!(breaker.state().position, Position::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_monitor_may_shorten_the_rest_and_never_close() {
    let breaker = open();
    advance(Duration::from_secs(3)).await;
    breaker.probed_well();
    assert_eq!(breaker.state().position, Position::HalfOpen { probing: false });
    let probe = breaker.admit().unwrap();
    breaker.probed_well();
    assert!(breaker.admit().is_err(), "a second probe");
    probe.succeeded(FAST);
    assert_eq!(breaker.state().position, Position::Closed);
    (0..5).for_each(|_| breaker.probed_badly());
    let until = Instant::now() + REST;
    assert_eq!(breaker.state().position, Position::Open { until });
    advance(Duration::from_secs(10)).await;
    breaker.probed_badly();
    assert_eq!(breaker.state().position, Position::Open { until }, "30 s are the longest rest");
}

#[tokio::test(start_paused = true)]
async fn forced_open_refuses_until_it_expires() {
    let breaker = breaker();
    force(&breaker, OverrideKind::ForcedOpen, Duration::from_mins(1));
    assert_eq!(breaker.admit().unwrap_err().until, Some(Instant::now() + Duration::from_mins(1)));
    assert!(breaker.admit_critical().is_err());
    assert_eq!(breaker.state().name(Instant::now()), "forced-open");
    advance(Duration::from_mins(1)).await;
    assert!(breaker.admit().is_ok());
}

#[tokio::test(start_paused = true)]
async fn forced_closed_stays_closed_until_it_expires() {
    let breaker = open();
    force(&breaker, OverrideKind::ForcedClosed, Duration::from_mins(1));
    fail(&breaker, 50);
    assert_eq!(breaker.state().name(Instant::now()), "forced-closed");
    advance(Duration::from_mins(1)).await;
    fail(&breaker, 1);
    assert_eq!(breaker.state().name(Instant::now()), "open");
}

#[tokio::test(start_paused = true)]
async fn a_bypass_is_for_critical_calls_and_judges_nothing() {
    let breaker = open();
    force(&breaker, OverrideKind::Bypass, Duration::from_mins(1));
    assert!(breaker.admit().is_err());
    let opened = breaker.state().position;
    breaker.admit_critical().unwrap().succeeded(FAST);
    breaker.admit_critical().unwrap().failed(FailureClass::Transient);
    assert_eq!(breaker.state().position, opened);
    breaker.set_override(None);
    assert!(breaker.admit_critical().is_err());
}

#[tokio::test(start_paused = true)]
async fn an_extended_rest_ends_with_its_override() {
    let breaker = open();
    let opened = Instant::now();
    force(&breaker, OverrideKind::ExtendedRest(Duration::from_mins(10)), Duration::from_mins(2));
    assert_eq!(breaker.admit().unwrap_err().until, Some(opened + Duration::from_mins(2)));
    force(&breaker, OverrideKind::ExtendedRest(Duration::from_mins(1)), Duration::from_mins(2));
    assert_eq!(breaker.admit().unwrap_err().until, Some(opened + Duration::from_mins(1)));
    breaker.set_override(None);
    assert_eq!(breaker.admit().unwrap_err().until, Some(opened + REST));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_woken_by_time_verdicts_and_people() {
    let breaker = open();
    let opened = Instant::now();
    breaker.admitting(false).await;
    assert_eq!(opened.elapsed(), REST);

    let probe = breaker.admit().unwrap();
    let waiting = tokio::spawn({
        let breaker = breaker.clone();
        async move { breaker.admitting(false).await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished(), "a probe is under way");
    probe.succeeded(FAST);
    waiting.await.unwrap();

    force(&breaker, OverrideKind::ForcedOpen, Duration::from_secs(7));
    let forced = Instant::now();
    breaker.admitting(true).await;
    assert_eq!(forced.elapsed(), Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn of_many_threads_one_gets_the_probe() {
    let breaker = open();
    breaker.probed_well();
    let ready = std::sync::Barrier::new(8);
    let permits: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    ready.wait();
                    breaker.admit()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(permits.iter().filter(|permit| permit.is_ok()).count(), 1);
}
