//! Where calls go while endpoints fail, in paused time and through senders that fail as they are told.

mod support;

use std::time::Duration;

use domain::{FailureClass, Priority};
use futures::future::join_all;
use resilience::{BreakerSettings, HealthState, PoolSettings, Position};
use solana::{Chain, Cluster, EndpointsSettings, FeePolicy, RpcErrorKind, SendOutcome, calls_per_second};
use support::attempt;
use support::senders::{Fleet, Mood, fleet, fleet_of};
use tokio::time::{Instant, sleep};

const REST: Duration = Duration::from_secs(30);

/// Asks again and again for that long; every question must be answered.
async fn ask_for(fleet: &Fleet, time: Duration) {
    let started = Instant::now();
    while started.elapsed() < time {
        fleet.ask().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_costs_what_was_in_flight() {
    let fleet = fleet(["a", "b", "c"]);
    ask_for(&fleet, Duration::from_secs(5)).await;
    fleet.senders[0].becomes(Mood::Refusing);
    let before = fleet.senders[0].questions();
    let answers = join_all((0..40).map(|_| fleet.ask())).await;
    assert!(answers.iter().all(Result::is_ok), "the next one answers at once");
    let in_flight = fleet.senders[0].questions() - before;
    assert!((5..=40).contains(&in_flight), "{in_flight}");
    ask_for(&fleet, Duration::from_mins(5)).await;
    let since = fleet.senders[0].questions() - before - in_flight;
    assert!(since <= 10, "one real probe a rest: {since}");
    fleet.senders[0].becomes(Mood::Well);
    sleep(Duration::from_secs(3)).await;
    ask_for(&fleet, Duration::from_secs(5)).await;
    assert_eq!(fleet.health("a").breaker.position, Position::Closed, "its own good probe let it back early");
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_429_rests_one_budget_and_nobody_waits() {
    let fleet = fleet(["a", "b"]);
    fleet.senders[0].becomes(Mood::Limiting(Duration::from_secs(20)));
    let started = Instant::now();
    let answers = join_all((0..20).map(|_| fleet.ask())).await;
    assert!(answers.iter().all(Result::is_ok));
    assert!(started.elapsed() < Duration::from_secs(1), "another endpoint at once: {:?}", started.elapsed());
    let told = fleet.senders[0].questions();
    ask_for(&fleet, Duration::from_secs(18)).await;
    assert_eq!(fleet.senders[0].questions(), told, "Retry-After was not heeded");
    assert_eq!(fleet.health("a").breaker.position, Position::Closed, "it is well");
    fleet.senders[0].becomes(Mood::Well);
    sleep(Duration::from_secs(3)).await;
    ask_for(&fleet, Duration::from_secs(10)).await;
    assert!(fleet.senders[0].questions() > told);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_behind_is_left_aside_until_it_has_caught_up() {
    let fleet = fleet(["a", "b"]);
    ask_for(&fleet, Duration::from_secs(5)).await;
    fleet.senders[0].becomes(Mood::Behind(60));
    ask_for(&fleet, Duration::from_secs(1)).await;
    let before = fleet.senders[0].questions();
    ask_for(&fleet, Duration::from_secs(30)).await;
    assert!(fleet.senders[0].questions() - before <= 2, "{}", fleet.senders[0].questions() - before);
    assert!((59..=61).contains(&fleet.health("a").lag), "{}", fleet.health("a").lag);
    assert_eq!(fleet.health("a").breaker.position, Position::Closed);
    fleet.senders[0].becomes(Mood::Well);
    sleep(Duration::from_secs(11)).await;
    ask_for(&fleet, Duration::from_secs(5)).await;
    assert_eq!(fleet.health("a").lag, 0);
    assert!(fleet.senders[0].questions() - before > 50);
}

#[tokio::test(start_paused = true)]
async fn a_slow_one_is_left_aside_and_slower_than_the_limit_is_out() {
    let patient = fleet(["a", "b"]);
    patient.senders[0].becomes(Mood::Slow(Duration::from_secs(3)));
    ask_for(&patient, Duration::from_mins(1)).await;
    assert!(patient.senders[0].questions() <= 4, "{}", patient.senders[0].questions());

    let breaker = BreakerSettings { slow: Duration::from_secs(2), ..BreakerSettings::default() };
    let settings =
        EndpointsSettings { pool: PoolSettings { breaker, ..PoolSettings::default() }, ..EndpointsSettings::default() };
    let strict = fleet_of([("a", false)], settings);
    strict.senders[0].becomes(Mood::Slow(Duration::from_secs(3)));
    for _ in 0..5 {
        strict.ask().await.unwrap();
    }
    assert!(matches!(strict.ask().await.unwrap_err().kind, RpcErrorKind::NotAsked(_)));
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_costs_nobody_more_than_a_moment() {
    let fleet = fleet(["a", "b", "c"]);
    ask_for(&fleet, Duration::from_secs(5)).await;
    fleet.senders[0].becomes(Mood::Hanging);
    let before = fleet.senders[0].questions();
    let mut longest = Duration::ZERO;
    let began = Instant::now();
    while began.elapsed() < Duration::from_mins(5) {
        let asked = Instant::now();
        let answers = join_all((0..10).map(|_| fleet.ask())).await;
        assert!(answers.iter().all(Result::is_ok));
        longest = longest.max(asked.elapsed());
    }
    assert!(longest < Duration::from_millis(2_200), "{longest:?}");
    let cost = fleet.senders[0].questions() - before;
    assert!((1..=40).contains(&cost), "{cost}");

    let cluster = Cluster::start(fleet.endpoints.clone(), FeePolicy::NOTHING);
    fleet.senders.iter().for_each(|sender| sender.becomes(Mood::Hanging));
    let sent = Instant::now();
    let outcome = cluster.send(&attempt(), Priority::Normal, 0, false).await;
    assert!(matches!(outcome, SendOutcome::MayHaveLanded(_)), "{outcome:?}");
    assert!(sent.elapsed() < Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn garbage_is_a_failure_of_its_endpoint() {
    let fleet = fleet(["a", "b"]);
    fleet.senders[0].becomes(Mood::Garbled);
    ask_for(&fleet, Duration::from_mins(1)).await;
    assert!(fleet.senders[0].questions() <= 8, "{}", fleet.senders[0].questions());
    assert_eq!(fleet.health("a").last_error.as_deref(), Some("rpc-unparsable"));
}

#[tokio::test(start_paused = true)]
async fn while_all_are_out_no_call_is_made_and_a_good_probe_ends_it_early() {
    let fleet = fleet(["a", "b"]);
    let mut open = fleet.endpoints.open();
    ask_for(&fleet, Duration::from_secs(1)).await;
    assert!(*open.borrow_and_update());
    fleet.senders.iter().for_each(|sender| sender.becomes(Mood::Refusing));
    let began = Instant::now();
    let mut failures = Vec::new();
    while *open.borrow_and_update() {
        failures.push(fleet.ask().await.unwrap_err());
        sleep(Duration::from_millis(100)).await;
    }
    assert!(failures.iter().any(|error| error.code() == "rpc-unreachable"), "{failures:?}");
    assert_eq!(fleet.line(), HealthState::Down);
    let questions: usize = fleet.senders.iter().map(|sender| sender.questions()).sum();
    let error = fleet.ask().await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("rpc-all-out", FailureClass::Outage));
    assert_eq!(fleet.senders.iter().map(|sender| sender.questions()).sum::<usize>(), questions, "a call was made");
    let cluster = Cluster::start(fleet.endpoints.clone(), FeePolicy::NOTHING);
    let SendOutcome::NotReached(error) = cluster.send(&attempt(), Priority::Normal, 0, true).await else {
        panic!("it was sent")
    };
    assert_eq!(error.code(), "rpc-all-out");

    fleet.senders.iter().for_each(|sender| sender.becomes(Mood::Well));
    open.wait_for(|open| *open).await.unwrap();
    assert!(began.elapsed() < REST, "the rest is the longest wait, not the shortest: {:?}", began.elapsed());
    ask_for(&fleet, Duration::from_secs(1)).await;
    assert_eq!(fleet.line(), HealthState::Healthy);
}

#[tokio::test(start_paused = true)]
async fn emergency_endpoints_stand_in_only_when_all_others_are_out() {
    let fleet = fleet_of([("local", true), ("a", false), ("b", false)], EndpointsSettings::default());
    let (local, others) = fleet.senders.split_first().unwrap();
    ask_for(&fleet, Duration::from_secs(5)).await;
    others[0].becomes(Mood::Refusing);
    ask_for(&fleet, Duration::from_secs(20)).await;
    assert_eq!(local.questions(), 0);
    others[1].becomes(Mood::Refusing);
    // Until the second one's breaker is open, a question may find nobody.
    join_all((0..10).map(|_| fleet.ask())).await;
    let before = local.questions();
    ask_for(&fleet, Duration::from_secs(1)).await;
    assert!(local.questions() > before && *fleet.endpoints.open().borrow());
    others[1].becomes(Mood::Well);
    sleep(Duration::from_secs(3)).await;
    ask_for(&fleet, Duration::from_secs(1)).await;
    let stood_in = local.questions();
    ask_for(&fleet, Duration::from_secs(10)).await;
    assert_eq!(local.questions(), stood_in);
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_go_through_another_endpoint_each_time() {
    let fleet = fleet(["a", "b", "c"]);
    let cluster = Cluster::start(fleet.endpoints.clone(), FeePolicy::NOTHING);
    let mut went = Vec::new();
    for round in 0..12 {
        let before: Vec<_> = fleet.senders.iter().map(|sender| sender.sends()).collect();
        assert_eq!(cluster.send(&attempt(), Priority::Normal, round, false).await, SendOutcome::Accepted);
        went.push((0..3).find(|index| fleet.senders[*index].sends() > before[*index]).unwrap());
    }
    assert!(went.windows(2).all(|pair| pair[0] != pair[1]), "{went:?}");
    fleet.senders[1..].iter().for_each(|sender| sender.becomes(Mood::Refusing));
    for _ in 0..3 {
        let outcome = cluster.send(&attempt(), Priority::Normal, 1, false).await;
        assert_eq!(outcome, SendOutcome::Accepted, "where nobody else is, the same one gets them again");
    }
}

#[tokio::test(start_paused = true)]
async fn the_endpoint_that_a_person_prefers_gets_the_bytes_first_and_others_stand_in_for_it() {
    let fleet = fleet(["a", "b", "c"]);
    let cluster = Cluster::start(fleet.endpoints.clone(), FeePolicy::NOTHING);
    cluster.prefer(&attempt().signature, "c");
    let sends = || fleet.senders.iter().map(|sender| sender.sends()).collect::<Vec<_>>();
    for times in 1..=8 {
        assert_eq!(cluster.send(&attempt(), Priority::Normal, 0, true).await, SendOutcome::Accepted);
        assert_eq!(sends(), [0, 0, times]);
    }
    cluster.send(&attempt(), Priority::Normal, 1, false).await;
    assert_eq!(sends()[2], 8, "sent again, another one comes first as ever");
    fleet.senders[2].becomes(Mood::Refusing);
    assert_eq!(cluster.send(&attempt(), Priority::Normal, 0, true).await, SendOutcome::Accepted);
    fleet.senders[2].becomes(Mood::Well);
    cluster.prefer(&attempt().signature, "nobody");
    assert_eq!(cluster.send(&attempt(), Priority::Normal, 0, true).await, SendOutcome::Accepted);
}

#[tokio::test(start_paused = true)]
async fn reads_never_hold_up_a_send() {
    let settings = EndpointsSettings { reads: calls_per_second(1), ..EndpointsSettings::default() };
    let fleet = fleet_of([("a", false)], settings);
    let cluster = Cluster::start(fleet.endpoints.clone(), FeePolicy::NOTHING);
    let started = Instant::now();
    let reads = join_all((0..10).map(|_| fleet.ask()));
    let send = async {
        sleep(Duration::from_millis(100)).await;
        assert_eq!(cluster.send(&attempt(), Priority::Normal, 0, false).await, SendOutcome::Accepted);
        assert!(started.elapsed() < Duration::from_millis(200));
    };
    let (answers, ()) = tokio::join!(reads, send);
    assert!(answers.iter().all(Result::is_ok));
    assert!(started.elapsed() >= Duration::from_secs(8), "one a second: {:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_idle_fleet_probes_seldom() {
    let fleet = fleet(["a", "b"]);
    sleep(Duration::from_mins(10)).await;
    for sender in &fleet.senders {
        assert!((50..=61).contains(&sender.probes()), "{}", sender.probes());
        assert_eq!(sender.questions(), 0);
    }
}
