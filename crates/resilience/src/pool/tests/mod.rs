mod property;

use std::collections::BTreeMap;
use std::time::Duration;

use domain::FailureClass;
use tokio::time::{advance, sleep};

use super::*;
use crate::{Override, OverrideKind, Position, Rate};

const FAST: Duration = Duration::from_millis(10);
const REST: Duration = Duration::from_secs(30);

fn endpoint(label: &str) -> EndpointConfig<()> {
    let rate = Rate::new(1_000_000.0, 1_000_000).unwrap();
    EndpointConfig { label: label.into(), client: (), region: None, emergency: false, reads: rate, sends: rate }
}

fn emergency(label: &str) -> EndpointConfig<()> {
    EndpointConfig { emergency: true, ..endpoint(label) }
}

fn pool(endpoints: impl IntoIterator<Item = EndpointConfig<()>>) -> Pool<()> {
    pool_in(endpoints, PoolSettings::default())
}

fn pool_in(endpoints: impl IntoIterator<Item = EndpointConfig<()>>, settings: PoolSettings) -> Pool<()> {
    Pool::new(endpoints.into_iter().collect(), settings, Arc::new(Jitter::from_seed(7))).unwrap()
}

fn three() -> Pool<()> {
    pool(["a", "b", "c"].map(endpoint))
}

fn fault(class: FailureClass) -> Fault {
    Fault { class, code: "test".into(), retry_after: None }
}

fn named<'a>(pool: &'a Pool<()>, label: &str) -> &'a Arc<Endpoint<()>> {
    pool.endpoints().find(|endpoint| &**endpoint.label() == label).unwrap()
}

fn open(pool: &Pool<()>, label: &str) {
    (0..5).for_each(|_| named(pool, label).probed(Err(fault(FailureClass::Outage))));
}

fn labels(endpoints: &[Arc<Endpoint<()>>]) -> Vec<&str> {
    endpoints.iter().map(|endpoint| &**endpoint.label()).collect()
}

/// Makes calls one after the other, each as long as its endpoint takes, and counts where they went.
async fn traffic(pool: &Pool<()>, calls: usize, takes: impl Fn(&str) -> Duration) -> BTreeMap<String, usize> {
    let mut went = BTreeMap::new();
    for _ in 0..calls {
        let lease = pool.pick(Traffic::Read, &[]).unwrap();
        sleep(takes(lease.label())).await;
        *went.entry(lease.label().to_string()).or_default() += 1;
        lease.succeeded();
    }
    went
}

#[test]
fn all_problems_come_at_once() {
    let settings = PoolSettings {
        region: Some("mars".into()),
        breaker: crate::BreakerSettings { failures: 0, ..crate::BreakerSettings::default() },
        quiet: Duration::ZERO,
        ..PoolSettings::default()
    };
    let endpoints = ["a", "", "a", "b", "b", "b"].map(emergency).into();
    let problems = Pool::new(endpoints, settings.clone(), Arc::new(Jitter::from_seed(1))).unwrap_err().to_string();
    assert_eq!(
        problems,
        "a breaker that opens after 0 failures is never closed; every endpoint is for emergencies only; \
         endpoint 2 has no label; endpoint a is given more than once; endpoint b is given more than once; \
         no endpoint is in the region mars; a pause of 0 s between background probes"
    );
    let none = Pool::<()>::new(Vec::new(), PoolSettings::default(), Arc::new(Jitter::from_seed(1))).unwrap_err();
    assert_eq!(none.problems, [PoolProblem::Empty]);
}

#[tokio::test(start_paused = true)]
async fn equals_are_taken_in_order_of_preference_and_share_the_load() {
    let went = traffic(&three(), 3_000, |_| FAST).await;
    assert!((1_800..2_200).contains(&went["a"]) && went["a"] + went["b"] == 3_000, "{went:?}");
}

#[tokio::test(start_paused = true)]
async fn the_slow_one_is_left_aside_and_tried_again_later() {
    let pool = three();
    let slow = |label: &str| if label == "a" { Duration::from_secs(3) } else { FAST };
    let went = traffic(&pool, 1_000, slow).await;
    assert!(went["a"] <= 1, "{went:?}");
    advance(Duration::from_mins(5)).await;
    let went = traffic(&pool, 1_000, |_| FAST).await;
    assert!(went["a"] > 500, "{went:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_is_left_before_its_calls_time_out() {
    let pool = three();
    traffic(&pool, 100, |_| FAST).await;
    let mut hanging = Vec::new();
    for _ in 0..1_000 {
        let lease = pool.pick(Traffic::Read, &[]).unwrap();
        sleep(FAST).await;
        if &**lease.label() == "a" { hanging.push(lease) } else { lease.succeeded() }
    }
    // What went there before the silence was longer than its neighbours' latency.
    assert!(hanging.len() <= 10, "{}", hanging.len());
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_costs_what_was_in_flight_and_a_probe_a_rest() {
    let pool = three();
    traffic(&pool, 100, |_| FAST).await;
    let mut calls_to_dead = 0;
    let started = Instant::now();
    while started.elapsed() < Duration::from_mins(5) {
        let lease = pool.pick(Traffic::Send, &[]).unwrap();
        sleep(FAST).await;
        if &**lease.label() == "a" {
            calls_to_dead += 1;
            lease.failed(fault(FailureClass::Outage));
        } else {
            lease.succeeded();
        }
    }
    assert!((6..=5 + 10).contains(&calls_to_dead), "{calls_to_dead}");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_behind_is_left_aside() {
    let pool = three();
    named(&pool, "a").is_behind(60);
    let went = traffic(&pool, 300, |_| FAST).await;
    assert!(!went.contains_key("a"), "{went:?}");
    assert_eq!(pool.health()[0].lag, 60);
}

#[tokio::test(start_paused = true)]
async fn our_region_comes_first() {
    let near = |label| EndpointConfig { region: Some("eu".into()), ..endpoint(label) };
    let settings = PoolSettings { region: Some("eu".into()), ..PoolSettings::default() };
    let pool = pool_in([endpoint("far"), near("near")], settings);
    let went = traffic(&pool, 100, |_| FAST).await;
    assert_eq!(went["near"], 100);
}

#[tokio::test(start_paused = true)]
async fn those_already_tried_are_not_taken_again() {
    let pool = three();
    let tried: Vec<Arc<str>> = vec!["a".into(), "c".into()];
    for _ in 0..50 {
        assert_eq!(&**pool.pick(Traffic::Read, &tried).unwrap().label(), "b");
    }
    let all: Vec<Arc<str>> = ["a", "b", "c"].map(Into::into).into();
    assert_eq!(pool.pick(Traffic::Read, &all).unwrap_err(), NoEndpoint::AllTried);
}

#[tokio::test(start_paused = true)]
async fn emergency_endpoints_wait_until_all_others_are_out() {
    let pool = pool([endpoint("a"), endpoint("b"), emergency("local")]);
    open(&pool, "a");
    let tried: Vec<Arc<str>> = vec!["b".into()];
    assert_eq!(pool.pick(Traffic::Read, &tried).unwrap_err(), NoEndpoint::AllTried, "b is not out");
    named(&pool, "b").budget(Traffic::Read).pause(Duration::from_secs(9));
    assert_eq!(&**pool.pick(Traffic::Read, &[]).unwrap().label(), "local");
    assert_eq!(&**pool.pick(Traffic::Send, &[]).unwrap().label(), "b", "it asked for no pause of sends");
    open(&pool, "local");
    let until = Some(Instant::now() + Duration::from_secs(9));
    assert_eq!(pool.pick(Traffic::Read, &[]).unwrap_err(), NoEndpoint::AllOut { until });
    let out = Instant::now();
    pool.usable(Traffic::Read).await;
    assert_eq!(out.elapsed(), Duration::from_secs(9));
}

#[tokio::test(start_paused = true)]
async fn a_bypass_is_for_critical_calls_where_nobody_better_is_left() {
    let pool = pool([endpoint("a"), endpoint("b")]);
    let bypass = Override { kind: OverrideKind::Bypass, until: Instant::now() + Duration::from_mins(1) };
    open(&pool, "a");
    named(&pool, "a").breaker().set_override(Some(bypass));
    for _ in 0..50 {
        assert_eq!(&**pool.pick(Traffic::Send.critical(), &[]).unwrap().label(), "b");
    }
    open(&pool, "b");
    assert!(matches!(pool.pick(Traffic::Send, &[]), Err(NoEndpoint::AllOut { until: Some(_) })));
    for _ in 0..50 {
        let lease = pool.pick(Traffic::Send.critical(), &[]).unwrap();
        assert_eq!(&**lease.label(), "a");
        lease.failed(fault(FailureClass::Outage));
    }
    let position = named(&pool, "a").breaker().state().position;
    assert!(matches!(position, Position::Open { .. }), "calls past the breaker have no say in it");
    pool.usable(Traffic::Send.critical()).await;
    advance(Duration::from_mins(1)).await;
    assert_eq!(named(&pool, "a").breaker().state().override_at(Instant::now()), None);
}

#[tokio::test(start_paused = true)]
async fn one_call_probes_what_rested_and_lets_it_back() {
    let pool = three();
    open(&pool, "a");
    advance(REST).await;
    let tried: Vec<Arc<str>> = vec!["b".into()];
    assert_eq!(&**pool.pick(Traffic::Read, &tried).unwrap().label(), "c", "a second try does not go probing");
    let probe = pool.pick(Traffic::Read, &[]).unwrap();
    assert_eq!(&**probe.label(), "a");
    for _ in 0..50 {
        assert_ne!(&**pool.pick(Traffic::Read, &[]).unwrap().label(), "a");
    }
    drop(probe);
    let probe = pool.pick(Traffic::Read, &[]).unwrap();
    assert_eq!(&**probe.label(), "a", "a probe that was cancelled is made up for");
    probe.succeeded();
    assert_eq!(named(&pool, "a").breaker().state().position, Position::Closed);
}

#[tokio::test(start_paused = true)]
async fn too_many_requests_rest_one_budget_of_one_endpoint() {
    let pool = pool([endpoint("a"), endpoint("b")]);
    let limited = Fault { retry_after: Some(Duration::from_secs(20)), ..fault(FailureClass::RateLimited) };
    let first = pool.pick(Traffic::Read, &["b".into()]).unwrap();
    first.failed(limited);
    for _ in 0..50 {
        assert_eq!(&**pool.pick(Traffic::Read, &[]).unwrap().label(), "b");
    }
    let health = &pool.health()[0];
    assert!(health.read_headroom.abs() < 1e-9 && (health.send_headroom - 1.0).abs() < 1e-9, "{health:?}");
    assert!((health.success - 1.0).abs() < 1e-9, "it is well");
    assert_eq!((health.breaker.position, health.last_error.as_deref()), (Position::Closed, Some("test")));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_budget_gets_it_in_order() {
    let rate = Rate::new(10.0, 1).unwrap();
    let pool = pool(["a", "b"].map(|label| EndpointConfig { sends: rate, ..endpoint(label) }));
    let started = Instant::now();
    let waiting = (0..20).map(|_| async {
        pool.acquire(Traffic::Send, &[]).await.unwrap().succeeded();
        started.elapsed()
    });
    let served = futures::future::join_all(waiting).await;
    assert!(served.is_sorted(), "{served:?}");
    let last = served.last().unwrap();
    assert!(
        (Duration::from_millis(900)..=Duration::from_millis(930)).contains(last),
        "20 a second, two at once: {last:?}"
    );
    assert!(matches!(pool.pick(Traffic::Send, &[]), Err(NoEndpoint::Busy { .. })));
    assert!(pool.pick(Traffic::Read, &[]).is_ok(), "reads have their own");
}

#[tokio::test(start_paused = true)]
async fn only_what_no_call_reaches_is_probed() {
    let pool = three();
    assert_eq!(labels(&pool.needs_probe(Instant::now())), ["a", "b", "c"], "nobody was heard of");
    for endpoint in pool.endpoints() {
        endpoint.probed(Ok(FAST));
    }
    traffic(&pool, 2_000, |_| FAST).await;
    assert_eq!(labels(&pool.needs_probe(Instant::now())), ["c"]);
    open(&pool, "c");
    assert_eq!(labels(&pool.needs_probe(Instant::now())), [""; 0]);
    traffic(&pool, 200, |_| FAST).await;
    assert_eq!(labels(&pool.needs_probe(Instant::now())), ["c"], "an open one is looked after more often");
    named(&pool, "c").probed(Ok(FAST));
    assert_eq!(named(&pool, "c").breaker().state().position, Position::HalfOpen { probing: false });
    let until = Instant::now() + Duration::from_mins(1);
    named(&pool, "c").breaker().set_override(Some(Override { kind: OverrideKind::ForcedOpen, until }));
    traffic(&pool, 200, |_| FAST).await;
    assert_eq!(labels(&pool.needs_probe(Instant::now())), [""; 0], "somebody wants it left alone");
}
