//! Tries that failed, as rows remember them.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{Operation, State};
use engine::{Committed, OperationStore, PutOff};

use super::scene::{Scene, put_off};
use super::world::StoreWorld;
use crate::transitions::{ipfs_uploaded, submitted};

const WAIT: Duration = Duration::from_secs(8);

async fn record<W: StoreWorld>(scene: &Scene<W>, put_off: PutOff) -> bool {
    scene.store().put_off(&[put_off]).await.unwrap().remove(0)
}

pub async fn the_row_owns_the_next_try_and_keeps_its_version<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let id = scene.inserted(1).await.id;
    scene.world.wear(id).await;
    let before = scene.load(id).await;
    assert!(record(&scene, put_off(&before, true, Some(WAIT))).await);
    let snapshot = scene.store().load(&[id]).await.unwrap();
    let after = snapshot.operations[&id].clone().unwrap();
    assert_eq!((after.state, after.version, after.attempts), (before.state, before.version, 4));
    assert_eq!(after.updated_at, before.updated_at);
    let wait = after.next_attempt_at.unwrap() - snapshot.now;
    assert!(wait > TimeDelta::zero() && wait <= TimeDelta::seconds(8), "{wait}");
    let failure = after.failure.unwrap();
    assert_eq!((&*failure.code, failure.message.contains('\0')), ("provider-away", false));
    let upkept = scene.world.bookkeeping(id).await;
    assert_eq!((upkept.claimed, upkept.requested, upkept.wakes), (false, true, 2), "the claim alone ends");
    // Whoever got further meanwhile, at the same version, is not held up.
    assert!(matches!(scene.commit(&before, ipfs_uploaded()).await, Ok(Committed::At(_))));
    let moved = scene.load(id).await;
    assert_eq!((moved.attempts, moved.next_attempt_at, moved.failure), (0, None, None));
}

pub async fn a_commit_that_comes_after_its_sender_gave_up_owes_the_status<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let before = scene.inserted(1).await;
    assert!(record(&scene, put_off(&before, true, Some(WAIT))).await);
    assert!(matches!(scene.commit(&before, ipfs_uploaded()).await, Ok(Committed::At(_))));
    assert!(scene.world.bookkeeping(before.id).await.status_owed, "no record is left that would tell it");
}

pub async fn a_try_in_the_lane_counts_and_leaves_the_next_one_to_the_record<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let before = scene.inserted(1).await;
    scene.wait(&before, 1).await;
    scene.pass(2).await;
    assert!(record(&scene, put_off(&before, true, None)).await);
    let after = scene.load(before.id).await;
    assert_eq!((after.attempts, after.next_attempt_at), (1, None));
}

pub async fn a_stale_view_records_nothing<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let stale = scene.inserted(1).await;
    assert!(record(&scene, put_off(&stale, true, None)).await);
    let counted = scene.load(stale.id).await;
    assert!(!record(&scene, put_off(&stale, true, Some(WAIT))).await, "another process counted this try's attempt");
    assert_eq!(scene.load(stale.id).await, counted);
    let moved = scene.advance(&counted, ipfs_uploaded()).await;
    assert!(!record(&scene, put_off(&counted, false, Some(WAIT))).await);
    let signed = scene.advance(&moved, submitted(1, 0, None)).await;
    assert!(!record(&scene, put_off(&moved, false, Some(WAIT))).await);
    let wrong_state = Operation { state: State::IpfsUploaded, ..signed.clone() };
    assert!(!record(&scene, put_off(&wrong_state, false, Some(WAIT))).await);
    assert_eq!(scene.load(stale.id).await, signed);
}

pub async fn a_batch_answers_in_order_and_takes_an_operation_once<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let (one, other) = (scene.inserted(1).await, scene.inserted(2).await);
    let stale = Operation { version: 7, ..other.clone() };
    let batch = [&stale, &one, &one, &other].map(|operation| put_off(operation, true, Some(WAIT)));
    // Of an operation's views in one batch the first is taken, though it is the stale one.
    assert_eq!(scene.store().put_off(&batch).await.unwrap(), [false, true, false, false]);
    assert_eq!(scene.load(one.id).await.attempts, 1);
}

pub async fn history_tells_what_is_new_and_not_that_it_lasts<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let operation = scene.inserted(1).await;
    for _ in 0..3 {
        assert!(record(&scene, put_off(&operation, false, Some(WAIT))).await);
    }
    assert!(record(&scene, put_off(&operation, true, Some(WAIT))).await);
    let history = scene.world.history(operation.id).await;
    let kinds: Vec<_> = history.iter().map(|line| &*line.kind).collect();
    assert_eq!(kinds, ["transition", "delayed", "attempt-failed"]);
    assert_eq!(scene.load(operation.id).await.state, State::Initiated);
}
