//! What each trouble becomes.

use std::time::Duration;

use domain::{Failure, FailureClass, Transition};
use engine::{StepError, StepHandler as _, StoreError};
use ipfs::PinError;
use ipfs_uploader::PinLimits;
use tokio::time::Instant;

use crate::fakes::{Rig, operation};

async fn error_of(rig: &Rig, image: &str) -> StepError {
    rig.worker(PinLimits::default()).run(&operation(1, "Ape", image)).await.expect_err("trouble")
}

#[tokio::test]
async fn an_image_that_cannot_be_minted_is_permanent() {
    let rig = Rig::new();
    for (image, code) in [
        ("asset:hen.png", "unknown-asset"),
        ("asset:note.png", "not-an-image"),
        ("nonsense", "invalid-content"),
        ("ipfs://bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "cid-not-verifiable"),
    ] {
        let error = error_of(&rig, image).await;
        assert!(matches!(&error, StepError::Permanent(failure) if failure.code == code), "{image}: {error}");
    }
    assert_eq!((rig.provider.asked(), rig.ledger.statements()), (0, 0));
}

#[tokio::test]
async fn a_foreign_server_has_five_attempts_and_our_gateways_as_many_as_it_takes() {
    let rig = Rig::new();
    let foreign = error_of(&rig, "http://127.0.0.1:9/a.png").await;
    assert!(matches!(&foreign, StepError::Foreign { attempts: 5, .. }), "{foreign}");
    let ours = error_of(&rig, "ipfs://bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq").await;
    assert!(matches!(&ours, StepError::Dependency(failure) if failure.code == "gateways-failed"), "{ours}");
}

#[tokio::test]
async fn metadata_of_many_blocks_is_pinned_as_well() {
    let rig = Rig::new();
    let mut operation = operation(1, "Ape", "asset:ape.png");
    operation.content.nft.description = "x".repeat(300_000);
    let done = rig.worker(PinLimits::default()).run(&operation).await;
    let Ok(Transition::IpfsUploaded { metadata_cid, .. }) = done else { panic!("{done:?}") };
    assert!(metadata_cid.as_str().starts_with("bafybei"), "{metadata_cid}");
    assert!(rig.provider.taken().contains(&metadata_cid));
}

#[tokio::test(start_paused = true)]
async fn a_short_trouble_of_the_provider_is_waited_out() {
    let rig = Rig::new();
    rig.provider.fail([PinError::TimedOut, PinError::TimedOut, PinError::Unreachable("refused".into())]);
    let worker = rig.worker(PinLimits::default());
    assert!(worker.run(&operation(1, "Ape", "asset:ape.png")).await.is_ok());
    assert_eq!(rig.provider.asked(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_longer_one_is_a_dependency_s_and_does_not_wait_for_our_own_claim() {
    let rig = Rig::new();
    rig.provider.fail(vec![PinError::TimedOut; 10]);
    let worker = rig.worker(PinLimits::default());
    let operation = operation(1, "Ape", "asset:ape.png");
    let error = worker.run(&operation).await.unwrap_err();
    assert!(matches!(&error, StepError::Dependency(failure) if failure.code == "pin-timeout"), "{error}");
    let begun = Instant::now();
    while worker.run(&operation).await.is_err() {}
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_refuses_for_ever_is_permanent() {
    let rig = Rig::new();
    rig.provider.fail([PinError::Rejected { status: 400, message: "no".into() }]);
    let error = error_of(&rig, "asset:ape.png").await;
    assert!(matches!(&error, StepError::Permanent(failure) if failure.code == "pin-rejected"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_wants_rest_gets_it_from_everybody() {
    let rig = Rig::new();
    rig.provider.fail([PinError::RateLimited { retry_after: Some(Duration::from_secs(17)) }]);
    let worker = rig.worker(PinLimits { concurrent: 1, ..PinLimits::default() });
    let (begun, operation) = (Instant::now(), operation(1, "Ape", "asset:ape.png"));
    let error = worker.run(&operation).await.unwrap_err();
    assert_eq!(error.failure().class, FailureClass::RateLimited);
    while worker.run(&operation).await.is_err() {}
    assert_eq!(rig.provider.asked(), 3);
    let rested = rig.provider.last() - begun;
    assert!(rested >= Duration::from_secs(17) && rested < Duration::from_secs(21), "{rested:?}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_says_when_it_is_back_is_not_asked_before() {
    let rig = Rig::new();
    let message = "maintenance".to_owned();
    rig.provider.fail([PinError::Server { status: 503, message, retry_after: Some(Duration::from_secs(7)) }]);
    let worker = rig.worker(PinLimits { concurrent: 1, ..PinLimits::default() });
    let begun = Instant::now();
    worker.run(&operation(1, "Ape", "asset:ape.png")).await.unwrap();
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(7) && took < Duration::from_secs(8), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_database_in_trouble_is_a_dependency_s() {
    let rig = Rig::new();
    rig.ledger.fail(StoreError::Unavailable(Failure::transient("database-unavailable", "gone")));
    let error = error_of(&rig, "asset:ape.png").await;
    assert!(matches!(&error, StepError::Dependency(failure) if failure.code == "database-unavailable"), "{error}");
}
