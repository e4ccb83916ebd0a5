//! Several processes at once: exactly one of them wins.

use std::collections::HashSet;
use std::time::Duration;

use domain::{Operation, OperationId, State, Step};
use engine::{Commit, Committed, OperationStore, PinClaim, PinLedger, RowStore};
use futures::future::join_all;

use super::claims::{SHARES, ids};
use super::inserting::present;
use super::scene::{Scene, commit, count_committed, put_off};
use super::world::StoreWorld;
use crate::transitions::{
    at_the_backup, expired, failed, image, ipfs_uploaded, metadata, new_operation, pin, submitted, taken,
};

/// Two processes commit at once. Answers what became of each.
async fn at_once<W: StoreWorld>(scene: &Scene<W>, other: &W::Store, batches: [Commit; 2]) -> [Committed; 2] {
    let [ours, theirs] = batches.map(|commit| [commit]);
    let (ours, theirs) = tokio::join!(scene.store().commit(&ours), other.commit(&theirs));
    [ours.unwrap().remove(0), theirs.unwrap().remove(0)]
}

pub async fn of_two_writers_exactly_one_wins<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let other = scene.another_store().await;
    for number in 0..20 {
        let operation = scene.inserted(number).await;
        let batches = [commit(&operation, ipfs_uploaded()), commit(&operation, failed(None))];
        let winner = match at_once(&scene, &other, batches).await {
            [Committed::At(_), Committed::Overtaken] => State::IpfsUploaded,
            [Committed::Overtaken, Committed::At(_)] => State::Failed,
            both => panic!("{both:?}"),
        };
        let after = scene.load(operation.id).await;
        assert_eq!((after.state, after.version), (winner, 2));
    }
}

pub async fn two_signers_leave_one_attempt<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let other = scene.another_store().await;
    for number in 0..20 {
        let operation = scene.standing(number, State::IpfsUploaded).await;
        let batches = [0, 1].map(|nth| commit(&operation, submitted(number, nth, None)));
        assert_eq!(count_committed(&at_once(&scene, &other, batches).await), 1);
        assert_eq!(scene.world.attempts(operation.id).await.len(), 1);
    }
}

pub async fn of_signing_anew_and_failing_one_happens<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let other = scene.another_store().await;
    for number in 0..20 {
        let operation = scene.standing(number, State::BlockchainSubmitted).await;
        let decided = Some(expired(number, 0));
        let batches = [commit(&operation, submitted(number, 1, decided)), commit(&operation, failed(decided))];
        assert_eq!(count_committed(&at_once(&scene, &other, batches).await), 1);
        let after = scene.load(operation.id).await;
        assert_eq!(after.open_attempt.is_some(), after.state == State::BlockchainSubmitted, "{after:?}");
    }
}

pub async fn overlapping_batches_in_opposite_order_both_succeed<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let other = scene.another_store().await;
    for round in 0..5 {
        let new: Vec<_> = (0..100).map(|number| new_operation(round * 100 + number)).collect();
        let mut reversed = new.clone();
        reversed.reverse();
        let (ours, theirs) = tokio::join!(scene.store().insert(&new), other.insert(&reversed));
        assert_eq!((ours.unwrap().len(), theirs.unwrap().len()), (100, 100));

        let ids: Vec<OperationId> = new.iter().map(|new| new.id).collect();
        let mut operations = scene.store().load(&ids).await.unwrap().operations;
        let rows: Vec<Operation> = ids.iter().map(|id| operations.remove(id).unwrap().unwrap()).collect();
        let forwards: Vec<Commit> = rows.iter().map(|operation| commit(operation, ipfs_uploaded())).collect();
        let backwards: Vec<Commit> = forwards.iter().rev().cloned().collect();
        let (ours, theirs) = tokio::join!(scene.store().commit(&forwards), other.commit(&backwards));
        assert_eq!(count_committed(&ours.unwrap()) + count_committed(&theirs.unwrap()), 100);
    }
}

pub async fn twenty_processes_insert_the_same_rows_once<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let batch: Vec<_> = (0..50).map(new_operation).collect();
    let reversed: Vec<_> = batch.iter().rev().cloned().collect();
    let inserts = (0..20).map(|turn| scene.store().insert(if turn % 2 == 0 { &batch } else { &reversed }));
    let mut seen = HashSet::new();
    for answers in join_all(inserts).await {
        seen.extend(answers.unwrap().iter().map(|inserted| (present(inserted).id, present(inserted).updated_at)));
    }
    assert_eq!(seen.len(), 50, "every process saw the same rows");
    for new in &batch {
        assert_eq!(scene.world.history(new.id).await.len(), 1);
    }
}

pub async fn of_two_processes_that_count_the_same_try_one_does<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let other = scene.another_store().await;
    for number in 0..20 {
        let operation = scene.inserted(number).await;
        let batch = [put_off(&operation, true, Some(Duration::from_secs(8)))];
        let (ours, theirs) = tokio::join!(scene.store().put_off(&batch), other.put_off(&batch));
        assert_eq!(usize::from(ours.unwrap()[0]) + usize::from(theirs.unwrap()[0]), 1);
        assert_eq!(scene.load(operation.id).await.attempts, 1);
    }
}

pub async fn two_processes_claim_each_due_row_once<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let other = scene.another_store().await;
    for number in 0..250 {
        scene.wait(&scene.inserted(number).await, 1).await;
    }
    scene.pass(2).await;
    let take_all = async |store: &W::Store| {
        let mut all = Vec::new();
        loop {
            let claims = store.claim_due(Step::Upload, &SHARES).await.unwrap();
            if claims.is_empty() {
                return all;
            }
            assert!(claims.len() <= 100, "a share is a bound");
            all.extend(claims);
        }
    };
    let (ours, theirs) = tokio::join!(take_all(scene.store()), take_all(&other));
    assert_eq!((ours.len() + theirs.len(), &ids(&ours) & &ids(&theirs)), (250, HashSet::new()));
}

pub async fn of_twenty_processes_one_pins<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let batch = [pin(&image())];
    let answers = join_all((0..20).map(|_| scene.store().claim(&batch))).await;
    let ours = answers.iter().filter(|answer| matches!(answer.as_deref(), Ok([PinClaim::Yours { .. }]))).count();
    assert_eq!(ours, 1, "{answers:?}");
}

pub async fn what_is_owed_goes_to_one_process<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    scene.store().claim(&[pin(&image()), pin(&metadata())]).await.unwrap();
    scene.store().pinned(&[image(), metadata()].map(|cid| taken(at_the_backup(&cid)))).await.unwrap();
    scene.pass(21).await;
    let other = scene.another_store().await;
    let (ours, theirs) = tokio::join!(scene.store().owed("pinata", 1), other.owed("pinata", 1));
    let both = [ours.unwrap(), theirs.unwrap()].concat();
    let cids: HashSet<_> = both.into_iter().map(|owed| owed.cid).collect();
    assert_eq!(cids, HashSet::from([metadata(), image()]));
}
