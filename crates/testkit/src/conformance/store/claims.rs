//! Rows that are published from: claimed by one process at a time, and never lost.

use std::collections::HashSet;
use std::time::Duration;

use domain::{NewOperation, OperationId, Priority, State, Step};
use engine::{Claim, OperationStore, Reason, RowStore};

use super::inserting::present;
use super::scene::{Scene, put_off};
use super::world::StoreWorld;
use crate::samples::operation_id;
use crate::transitions::{failed, ipfs_uploaded, new_operation};

pub const SHARES: [(Priority, u32); 3] = [(Priority::Critical, 100), (Priority::Normal, 100), (Priority::Bulk, 100)];
/// Longer than a lease.
const LEASE: u64 = 61;
const HOUR: u64 = 3_600;

async fn claim<W: StoreWorld>(scene: &Scene<W>, step: Step) -> Vec<Claim> {
    scene.store().claim_due(step, &SHARES).await.unwrap()
}

pub fn ids(claims: &[Claim]) -> HashSet<OperationId> {
    claims.iter().map(|claim| claim.id).collect()
}

pub async fn only_what_is_due_and_of_the_step_is_claimed<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let waiting = scene.standing(1, State::Initiated).await;
    let minting = scene.standing(2, State::IpfsUploaded).await;
    scene.standing(3, State::IpfsUploaded).await;
    let ended = scene.standing(4, State::Verified).await;
    scene.wait(&waiting, HOUR).await;
    scene.wait(&minting, 1).await;
    scene.wait(&ended, 1).await;
    scene.pass(2).await;
    assert_eq!(claim(&scene, Step::Upload).await, []);
    let claims = claim(&scene, Step::Mint).await;
    assert_eq!((ids(&claims), claims[0].reason), (HashSet::from([minting.id]), Reason::Due));
    assert!(claims[0].until > scene.now().await);
    assert_eq!(claim(&scene, Step::Verify).await, [], "what has ended is not tried again");
}

pub async fn who_dies_between_claim_and_publish_loses_nothing<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let operation = scene.inserted(1).await;
    let id = operation.id;
    scene.wait(&operation, 1).await;
    scene.pass(2).await;
    let lost = claim(&scene, Step::Upload).await;
    assert_eq!(ids(&lost), HashSet::from([id]));
    scene.pass(LEASE - 3).await;
    assert_eq!(claim(&scene, Step::Upload).await, [], "the lease holds");
    scene.pass(3).await;
    let again = claim(&scene, Step::Upload).await;
    assert_eq!(ids(&again), HashSet::from([id]));
    // The dead one comes back and settles what is another's by now.
    scene.store().settle(&lost).await.unwrap();
    assert!(scene.load(id).await.next_attempt_at.is_some());
    scene.store().settle(&again).await.unwrap();
    assert_eq!(scene.load(id).await.next_attempt_at, None);
    let upkept = scene.world.bookkeeping(id).await;
    assert_eq!((upkept.claimed, upkept.requested, upkept.wakes), (false, true, 0));
    scene.pass(LEASE).await;
    assert_eq!(claim(&scene, Step::Upload).await, [], "it is the record's now");
}

/// Its sender gave it up and left the operation to the row; and whoever publishes the row may die before the record is
/// out.
pub async fn a_commit_that_comes_late_to_a_claimed_row_owes_the_status<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let (due, owed) = (scene.inserted(1).await, scene.inserted(2).await);
    scene.wait(&due, 1).await;
    scene.world.owe_status(owed.id).await;
    scene.pass(2).await;
    let claims = claim(&scene, Step::Upload).await;
    assert_eq!(ids(&claims), HashSet::from([due.id, owed.id]));
    scene.advance(&scene.load(due.id).await, ipfs_uploaded()).await;
    scene.advance(&owed, failed(None)).await;
    scene.store().settle(&claims).await.unwrap();
    let left = claim(&scene, Step::Upload).await;
    assert_eq!(ids(&left), HashSet::from([owed.id]), "of what waits for the next step that step's process takes care");
    assert_eq!(ids(&claim(&scene, Step::Mint).await), HashSet::from([due.id]));
}

pub async fn what_was_put_off_or_moved_meanwhile_is_not_settled<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let (waiting, moved) = (scene.inserted(1).await, scene.inserted(2).await);
    scene.wait(&waiting, 1).await;
    scene.wait(&moved, 1).await;
    scene.pass(2).await;
    let claims = claim(&scene, Step::Upload).await;
    assert_eq!(claims.len(), 2);
    scene.wait(&waiting, HOUR).await;
    let moved = scene.advance(&scene.load(moved.id).await, ipfs_uploaded()).await;
    scene.store().settle(&claims).await.unwrap();
    assert!(scene.load(waiting.id).await.next_attempt_at.is_some(), "the new wait stands");
    assert_eq!(scene.load(moved.id).await, moved);
    assert!(!scene.world.bookkeeping(moved.id).await.requested);
}

pub async fn once_a_dependency_is_back_what_waits_for_it_is_due_and_nothing_else<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let [waiting, foreign, published, idle] =
        [scene.inserted(1).await, scene.inserted(2).await, scene.inserted(3).await, scene.inserted(4).await];
    let minting = scene.standing(5, State::IpfsUploaded).await;
    for operation in [&waiting, &published, &minting] {
        scene.wait(operation, HOUR).await;
    }
    let spent = [put_off(&foreign, true, Some(Duration::from_secs(HOUR)))];
    assert_eq!(scene.store().put_off(&spent).await, Ok(vec![true]));
    scene.world.owe_status(published.id).await;
    assert_eq!(ids(&claim(&scene, Step::Upload).await), HashSet::from([published.id]));
    scene.store().hasten(Step::Upload).await.unwrap();
    scene.pass(LEASE).await;
    let due: Vec<_> = claim(&scene, Step::Upload).await;
    let due = due.into_iter().filter(|claim| claim.reason == Reason::Due).collect::<Vec<_>>();
    assert_eq!(ids(&due), HashSet::from([waiting.id]));
    assert!(scene.load(published.id).await.next_attempt_at.unwrap() > scene.now().await);
    assert_eq!(claim(&scene, Step::Mint).await, []);
    assert_eq!(scene.load(idle.id).await.next_attempt_at, None);
}

pub async fn a_status_that_is_owed_is_told_once_whatever_the_state<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let uploading = scene.standing(1, State::Initiated).await;
    let minting = scene.standing(2, State::IpfsUploaded).await;
    let failed = scene.standing(3, State::Failed).await;
    for operation in [&uploading, &minting, &failed] {
        scene.wait(operation, HOUR).await;
        scene.world.owe_status(operation.id).await;
    }
    let claims = claim(&scene, Step::Upload).await;
    assert_eq!(ids(&claims), HashSet::from([uploading.id, failed.id]));
    assert!(claims.iter().all(|claim| claim.reason == Reason::Owed));
    scene.store().settle(&claims).await.unwrap();
    assert_eq!(claim(&scene, Step::Upload).await, []);
    assert!(scene.load(uploading.id).await.next_attempt_at.is_some(), "a wait is nothing to a status");
    assert!(!scene.world.bookkeeping(failed.id).await.status_owed);
    assert_eq!(ids(&claim(&scene, Step::Mint).await), HashSet::from([minting.id]));
}

pub async fn each_priority_has_a_share_and_the_longest_due_come_first<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    // Ten of each: the later a row was put off, the longer it is due.
    for number in 0..30 {
        let priority = Priority::ALL[usize::try_from(number).unwrap() % 3];
        let new = [NewOperation { priority, ..new_operation(number) }];
        let inserted = scene.store().insert(&new).await.unwrap();
        scene.wait(present(&inserted[0]), 40 - number).await;
    }
    scene.pass(50).await;
    let shares = [(Priority::Critical, 8), (Priority::Normal, 3), (Priority::Bulk, 1)];
    let claims = scene.store().claim_due(Step::Upload, &shares).await.unwrap();
    let longest_due = (0..30).rev().filter(|number| match number % 3 {
        0 => *number >= 6,
        1 => *number >= 22,
        _ => *number >= 29,
    });
    assert_eq!(ids(&claims), longest_due.map(operation_id).collect());
}
