//! Every distinct content is pinned once.

use std::time::Duration;

use domain::{Cid, State, Transition};
use engine::{StepError, StepHandler as _};
use futures::future::join_all;
use ipfs_uploader::PinLimits;
use tokio::time::Instant;

use crate::fakes::{Rig, operation};

/// Content ids of a transition.
fn cids(done: Result<Transition, StepError>) -> [Cid; 2] {
    match done {
        Ok(Transition::IpfsUploaded { image_cid, metadata_cid }) => [image_cid, metadata_cid],
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn image_and_metadata_are_pinned_and_have_their_cids_for_ever() {
    let rig = Rig::new();
    let [image, metadata] = cids(rig.worker(PinLimits::default()).run(&operation(1, "Ape", "asset:ape.png")).await);
    assert_eq!(image.as_str(), "bafkreiemgdbswykyggkixosidtgfoxelj5xw5isevcfj62v27fuddmdj5u");
    assert_eq!(metadata.as_str(), "bafkreihams6nipyq553h7pns7cy3loahrwygyec2ncj3md3qt3iwzag7zi");
    let mut taken = rig.provider.taken();
    taken.sort_by_key(|cid| *cid != image);
    assert_eq!(taken, [image.clone(), metadata.clone()]);
    assert!(rig.ledger.holds(&image) && rig.ledger.holds(&metadata));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_operations_share_two_uploads_and_a_few_statements() {
    let rig = Rig::new();
    let worker = rig.worker(PinLimits::default());
    let operations: Vec<_> = (0..1000).map(|number| operation(number, "Ape", "asset:ape.png")).collect();
    let done = join_all(operations.iter().map(|operation| worker.run(operation))).await;
    assert!(done.iter().all(|one| one == &done[0] && one.is_ok()));
    assert_eq!(rig.provider.asked(), 2);
    assert!(rig.ledger.statements() <= 4, "{} statements", rig.ledger.statements());
}

#[tokio::test(start_paused = true)]
async fn different_operations_share_statements_and_no_more_uploads_run_than_may() {
    let rig = Rig::new();
    let worker = rig.worker(PinLimits { concurrent: 8, ..PinLimits::default() });
    let operations: Vec<_> =
        (0..200).map(|number| operation(number, &format!("Ape {number}"), "asset:ape.png")).collect();
    let done = join_all(operations.iter().map(|operation| worker.run(operation))).await;
    assert!(done.iter().all(Result::is_ok));
    assert_eq!((rig.provider.asked(), rig.provider.most()), (201, 8));
    assert!(rig.ledger.statements() < 100, "{} statements", rig.ledger.statements());
}

#[tokio::test(start_paused = true)]
async fn two_processes_share_uploads_too() {
    let rig = Rig::new();
    let workers = [rig.worker(PinLimits::default()), rig.worker(PinLimits::default())];
    let operation = operation(1, "Ape", "asset:ape.png");
    let done = join_all(workers.iter().map(|worker| worker.run(&operation))).await;
    assert!(done[0].is_ok() && done[0] == done[1]);
    assert_eq!(rig.provider.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_process_had_in_hand_is_pinned_when_its_claim_ends() {
    let rig = Rig::new();
    let worker = rig.worker(PinLimits::default());
    let operation = operation(1, "Ape", "asset:ape.png");
    let [image, metadata] = cids(worker.run(&operation).await);
    for cid in [&image, &metadata] {
        rig.ledger.unpin(cid);
        worker.forget(cid);
        rig.ledger.claim_and_die(cid);
    }
    let begun = Instant::now();
    assert!(worker.run(&operation).await.is_ok());
    assert_eq!(rig.provider.asked(), 4);
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_pinned_any_more_is_pinned_again_once_it_is_told() {
    let rig = Rig::new();
    let worker = rig.worker(PinLimits::default());
    let mut operation = operation(1, "Ape", "asset:ape.png");
    let done = worker.run(&operation).await;
    let [image, _] = cids(done.clone());
    rig.ledger.unpin(&image);
    tokio::time::sleep(Duration::from_mins(2)).await;
    worker.not_pinned(&done.unwrap());
    operation.state = State::ImageUploaded;
    assert!(worker.run(&operation).await.is_ok());
    assert_eq!(rig.provider.taken().iter().filter(|cid| **cid == image).count(), 2);
    assert_eq!(rig.provider.asked(), 3);
}
