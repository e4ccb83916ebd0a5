//! One row that the database refuses, among a hundred good ones, behind the engine's own splitter.

use std::time::Duration;

use domain::{Attempt, MintCost, NewOperation, State, Transition};
use engine::{Batches, Commit, Committed, OperationStore, StoreError};
use futures::future::join_all;

use super::scene::{Scene, commit, count_committed, put_off, sqlstate};
use super::world::StoreWorld;
use crate::samples::operation_id;
use crate::transitions::{COST, attempt, ipfs_uploaded, mint, new_operation, submitted};

const GUILTY: u64 = 42;

pub async fn a_bad_insert_fails_alone<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let batches = Batches::new(scene.world.store());
    let answers = join_all((0..100).map(|number| {
        let user_id = if number == GUILTY { "a\0b".into() } else { "user".into() };
        batches.insert(NewOperation { user_id, ..new_operation(number) })
    }))
    .await;
    for (number, answer) in (0..).zip(&answers) {
        assert_eq!(answer.is_err(), number == GUILTY, "{number}: {answer:?}");
    }
    assert_eq!(scene.counts(0..100, [State::Initiated]).await, [99]);
}

/// A hundred operations before their submission, the guilty one with the mint of another.
async fn submissions<W: StoreWorld>(scene: &Scene<W>) -> Vec<Commit> {
    let mut commits = Vec::new();
    for number in 0..100 {
        let operation = scene.advance(&scene.inserted(number).await, ipfs_uploaded()).await;
        let mut transition = submitted(number, 0, None);
        if number == GUILTY
            && let Transition::Submitted { mint: address, .. } = &mut transition
        {
            *address = mint(7);
        }
        commits.push(commit(&operation, transition));
    }
    commits
}

pub async fn a_bad_commit_fails_alone<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let commits = submissions(&scene).await;
    let batches = Batches::new(scene.world.store());
    let answers = join_all(commits.into_iter().map(|commit| batches.commit(commit))).await;
    for (number, answer) in (0..).zip(&answers) {
        match answer {
            Ok(Committed::At(_)) => assert_ne!(number, GUILTY),
            Err(StoreError::Row { sqlstate, .. }) => assert_eq!((number, &**sqlstate), (GUILTY, "23505")),
            other => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(scene.counts(0..100, [State::BlockchainSubmitted, State::IpfsUploaded]).await, [99, 1]);
}

pub async fn a_bad_put_off_fails_alone<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let mut waits = Vec::new();
    for number in 0..100 {
        // Longer than there is time.
        let wait = if number == GUILTY { Duration::MAX } else { Duration::from_secs(8) };
        waits.push(put_off(&scene.inserted(number).await, true, Some(wait)));
    }
    let batches = Batches::new(scene.world.store());
    let answers = join_all(waits.into_iter().map(|wait| batches.put_off(wait))).await;
    for (number, answer) in (0..).zip(&answers) {
        match answer {
            Ok(recorded) => assert!(*recorded && number != GUILTY),
            Err(StoreError::Row { sqlstate, .. }) => assert_eq!((number, &**sqlstate), (GUILTY, "22008")),
            other @ Err(_) => panic!("{number}: {other:?}"),
        }
        let attempts = scene.load(operation_id(number)).await.attempts;
        assert_eq!(attempts, i32::from(number != GUILTY));
    }
}

pub async fn a_refused_batch_leaves_nothing_and_its_good_half_goes_through<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let commits = submissions(&scene).await;
    assert_eq!(sqlstate(scene.store().commit(&commits).await), "23505");
    assert_eq!(scene.counts(0..100, [State::IpfsUploaded]).await, [100]);
    for number in 0..100 {
        assert_eq!(scene.world.attempts(operation_id(number)).await, []);
        assert_eq!(scene.world.history(operation_id(number)).await.len(), 2);
    }
    let (bad, good) = commits.split_at(50);
    assert_eq!(sqlstate(scene.store().commit(bad).await), "23505");
    assert_eq!(count_committed(&scene.store().commit(good).await.unwrap()), 50);
}

pub async fn a_number_that_no_column_holds_is_the_rows_fault<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let operation = scene.standing(1, State::IpfsUploaded).await;
    let too_high = Attempt { last_valid_block_height: u64::MAX, ..attempt(1, 0) };
    let too_dear = Attempt { cost: Some(MintCost { priority_fee: u64::MAX, ..COST }), ..attempt(1, 0) };
    for attempt in [too_high, too_dear] {
        let signed = Transition::Submitted { mint: mint(1), key_id: "k1".into(), attempt, decided: None };
        assert_eq!(sqlstate(scene.commit(&operation, signed).await), "22003");
        assert_eq!(scene.load(operation.id).await, operation);
    }
}
