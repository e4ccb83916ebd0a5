//! The first pin provider is down: who takes the content, and how it comes home.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use domain::{Cid, Operation, Transition};
use engine::{StepError, StepHandler as _};
use ipfs::{Content, Gateways, PinError};
use ipfs_uploader::{Homecoming, PinLimits, Uploader};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout};

use crate::fakes::{Provider, Rig, operation};

fn refused() -> PinError {
    PinError::Unreachable("refused".into())
}

async fn cids_of(worker: &Uploader<Provider>, operation: &Operation) -> [Cid; 2] {
    match worker.run(operation).await {
        Ok(Transition::IpfsUploaded { image_cid, metadata_cid }) => [image_cid, metadata_cid],
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_backup_takes_what_the_first_cannot_and_the_ledger_says_so() {
    let rig = Rig::new();
    rig.provider.go_down(refused());
    let worker = rig.worker_over(rig.with_backup(), PinLimits::default());
    let cids = cids_of(&worker, &operation(1, "Ape", "asset:ape.png")).await;
    for cid in &cids {
        assert_eq!(rig.ledger.holders(cid), ["backup"]);
    }
    assert!(rig.backup.asked() == 2 && rig.provider.looked_at() > 0);
}

#[tokio::test(start_paused = true)]
async fn each_provider_is_shown_as_it_is() {
    let rig = Rig::new();
    rig.provider.go_down(refused());
    let providers = rig.with_backup();
    let worker = rig.worker_over(Arc::clone(&providers), PinLimits::default());
    cids_of(&worker, &operation(1, "Ape", "asset:ape.png")).await;
    let [first, backup] = providers.health().try_into().unwrap();
    assert_eq!((&*first.label, &*backup.label), ("first", "backup"));
    assert_eq!((first.breaker.name(Instant::now()), backup.breaker.name(Instant::now())), ("open", "closed"));
    assert_eq!((first.last_error.as_deref(), backup.last_error), (Some("pin-provider-unreachable"), None));
    assert!(first.success < 1.0 && first.latency.is_none() && backup.latency.is_some());
}

#[tokio::test(start_paused = true)]
async fn one_that_is_down_for_long_by_its_own_word_is_not_waited_for() {
    let rig = Rig::new();
    let message = "maintenance".to_owned();
    let retry_after = Some(Duration::from_mins(2));
    rig.provider.go_down(PinError::Server { status: 503, message, retry_after });
    let worker = rig.worker_over(rig.with_backup(), PinLimits::default());
    let begun = Instant::now();
    cids_of(&worker, &operation(1, "Ape", "asset:ape.png")).await;
    assert_eq!((rig.provider.asked(), rig.backup.asked()), (2, 2), "once for each content");
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn once_it_is_known_to_be_down_nobody_calls_it() {
    let rig = Rig::new();
    rig.provider.go_down(refused());
    let worker = rig.worker_over(rig.with_backup(), PinLimits::default());
    cids_of(&worker, &operation(1, "Ape", "asset:ape.png")).await;
    let (asked, begun) = (rig.provider.asked(), Instant::now());
    for number in 2..50 {
        cids_of(&worker, &operation(number, &format!("Ape {number}"), "asset:ape.png")).await;
    }
    assert!(rig.provider.asked() <= asked + 1, "{} calls", rig.provider.asked() - asked);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_says_it_is_well_is_waited_for() {
    let rig = Rig::new();
    rig.provider.pretend(PinError::TimedOut);
    rig.provider.fail(vec![PinError::TimedOut; 4]);
    let worker = rig.worker_over(rig.with_backup(), PinLimits { attempts: 2, ..PinLimits::default() });
    let error = worker.run(&operation(1, "Ape", "asset:ape.png")).await.unwrap_err();
    assert!(matches!(&error, StepError::Dependency(failure) if failure.code == "pin-timeout"), "{error}");
    assert_eq!(rig.backup.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_refuses_our_key_or_stores_something_else_is_as_good_as_down() {
    let other = PinError::OtherCid { expected: "a".repeat(40).parse().unwrap(), answered: "b".into() };
    for error in [PinError::KeyRefused { status: 403, message: "over quota".into() }, other] {
        let rig = Rig::new();
        rig.provider.pretend(error);
        let worker = rig.worker_over(rig.with_backup(), PinLimits::default());
        cids_of(&worker, &operation(1, "Ape", "asset:ape.png")).await;
        assert_eq!(rig.backup.asked(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn neither_a_rate_limit_nor_a_content_that_is_refused_goes_elsewhere() {
    for error in [PinError::RateLimited { retry_after: None }, PinError::Rejected { status: 400, message: "no".into() }]
    {
        let rig = Rig::new();
        rig.provider.go_down(error);
        let worker = rig.worker_over(rig.with_backup(), PinLimits::default());
        assert!(worker.run(&operation(1, "Ape", "asset:ape.png")).await.is_err());
        assert_eq!(rig.backup.asked(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn while_all_are_down_the_work_waits_and_the_reason_names_each() {
    let rig = Rig::new();
    rig.provider.go_down(refused());
    rig.backup.go_down(PinError::TimedOut);
    let providers = rig.with_backup();
    let mut open = providers.open();
    assert!(*open.borrow());
    let worker = rig.worker_over(providers, PinLimits::default());
    let operation = operation(1, "Ape", "asset:ape.png");
    let error = worker.run(&operation).await.unwrap_err();
    let StepError::Dependency(failure) = &error else { panic!("{error}") };
    assert!(failure.message.contains("backup: the pin provider did not answer in time"), "{failure}");
    let closed = async {
        while *open.borrow_and_update() {
            let _ = worker.run(&operation).await;
        }
    };
    timeout(Duration::from_mins(2), closed).await.expect("all are known to be out");
    rig.provider.come_back();
    timeout(Duration::from_secs(5), open.wait_for(|open| *open)).await.expect("one is in use again").unwrap();
    cids_of(&worker, &operation).await;
}

#[tokio::test(start_paused = true)]
async fn no_more_is_asked_of_it_than_its_plan_allows() {
    let rig = Rig::new();
    let providers = rig.alone_within((1.0, 10));
    let worker = rig.worker_over(providers, PinLimits::default());
    let operations: Vec<_> =
        (0..39).map(|number| operation(number, &format!("Ape {number}"), "asset:ape.png")).collect();
    let begun = Instant::now();
    let done = futures::future::join_all(operations.iter().map(|operation| worker.run(operation))).await;
    assert!(done.iter().all(Result::is_ok));
    assert_eq!(rig.provider.asked(), 40);
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(29) && took < Duration::from_secs(35), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_pinned_already_uses_up_no_leave() {
    let rig = Rig::new();
    let operation = operation(1, "Ape", "asset:ape.png");
    cids_of(&rig.worker(PinLimits::default()), &operation).await;
    let providers = rig.alone_within((0.001, 2));
    for _ in 0..10 {
        let another = rig.worker_over(Arc::clone(&providers), PinLimits::default());
        cids_of(&another, &operation).await;
    }
    assert_eq!(rig.provider.asked(), 2);
}

#[tokio::test]
async fn what_the_backup_took_comes_home() {
    let rig = Rig::new();
    rig.provider.go_down(refused());
    let providers = rig.with_backup();
    let worker = rig.worker_over(Arc::clone(&providers), PinLimits { attempts: 1, ..PinLimits::default() });
    let operation = operation(1, "Ape", "asset:ape.png");
    let cids = cids_of(&worker, &operation).await;
    rig.ledger.let_claims_run_out();
    let contents = rig.backup.contents();
    let give = async |State(contents): State<Vec<Content>>, Path(cid): Path<String>| {
        let content = contents.iter().find(|content| content.cid().as_str() == cid);
        content.map(|content| content.bytes().clone()).ok_or(StatusCode::NOT_FOUND)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let router = Router::new().route("/ipfs/{cid}", get(give)).with_state(contents);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let gateways = Gateways::new(&[gateway]).unwrap();
    tokio::spawn(Homecoming { providers, ledger: Arc::clone(&rig.ledger), gateways }.run());
    rig.provider.come_back();
    let home = async {
        while !cids.iter().all(|cid| rig.ledger.holders(cid) == ["backup", "first"]) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), home).await.expect("both are at home");
    let mut taken = rig.provider.contents();
    taken.sort_by_key(|content| content.cid() != &cids[0]);
    let kinds: Vec<_> = taken.iter().map(Content::media_type).collect();
    assert_eq!(kinds, ["image/png", "application/json"]);
}
