//! One row that PostgreSQL refuses, among a hundred good ones, behind the engine's own splitter.

use domain::{NewOperation, State, Transition};
use engine::{Batches, Commit, Committed, OperationStore, StoreError};
use futures::future::join_all;

use crate::support::{Fixture, count_committed, ipfs_uploaded, mint, new_operation, submitted};

const GUILTY: u64 = 42;

#[tokio::test]
async fn a_bad_insert_fails_alone() {
    let fixture = Fixture::new().await;
    let batches = Batches::new(&fixture.store);
    let answers = join_all((0..100).map(|number| {
        let user_id = if number == GUILTY { "a\0b".into() } else { "user".into() };
        batches.insert(NewOperation { user_id, ..new_operation(number) })
    }))
    .await;
    for (number, answer) in (0..).zip(&answers) {
        assert_eq!(answer.is_err(), number == GUILTY, "{number}: {answer:?}");
    }
    assert_eq!(fixture.store.counts_by_state().await.unwrap()[&State::Initiated], 99);
}

/// A hundred operations before their submission, the guilty one with the mint of another.
async fn submissions(fixture: &Fixture) -> Vec<Commit> {
    let new: Vec<_> = (0..100).map(new_operation).collect();
    fixture.store.insert(&new).await.unwrap();
    let mut commits = Vec::new();
    for number in 0..100 {
        let operation = fixture.load(testkit::operation_id(number)).await;
        let operation = fixture.advance(&operation, ipfs_uploaded()).await;
        let mut transition = submitted(number, 0, None);
        if number == GUILTY
            && let Transition::Submitted { mint: address, .. } = &mut transition
        {
            *address = mint(7);
        }
        commits.push(Commit { operation, transition });
    }
    commits
}

#[tokio::test]
async fn a_bad_commit_fails_alone() {
    let fixture = Fixture::with_contents().await;
    let commits = submissions(&fixture).await;
    let batches = Batches::new(&fixture.store);
    let answers = join_all(commits.into_iter().map(|commit| batches.commit(commit))).await;
    for (number, answer) in (0..).zip(&answers) {
        match answer {
            Ok(Committed::At(_)) => assert_ne!(number, GUILTY),
            Err(StoreError::Row { sqlstate, .. }) => assert_eq!((number, &**sqlstate), (GUILTY, "23505")),
            other => panic!("{number}: {other:?}"),
        }
    }
    let counts = fixture.store.counts_by_state().await.unwrap();
    assert_eq!((counts[&State::BlockchainSubmitted], counts[&State::IpfsUploaded]), (99, 1));
}

#[tokio::test]
async fn a_refused_batch_leaves_nothing_and_its_good_half_goes_through() {
    let fixture = Fixture::with_contents().await;
    let commits = submissions(&fixture).await;
    assert!(matches!(fixture.store.commit(&commits).await, Err(StoreError::Row { .. })));
    assert_eq!(fixture.store.counts_by_state().await.unwrap()[&State::IpfsUploaded], 100);
    let (bad, good) = commits.split_at(50);
    assert!(matches!(fixture.store.commit(bad).await, Err(StoreError::Row { .. })));
    assert_eq!(count_committed(&fixture.store.commit(good).await.unwrap()), 50);
}

#[tokio::test]
async fn a_number_that_no_column_holds_is_the_rows_fault() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.standing(1, State::IpfsUploaded).await;
    let mut transition = submitted(1, 0, None);
    if let Transition::Submitted { attempt, .. } = &mut transition {
        attempt.last_valid_block_height = u64::MAX;
    }
    let refusal = fixture.commit(&operation, transition).await;
    assert!(matches!(&refusal, Err(StoreError::Row { sqlstate, .. }) if sqlstate == "22003"), "{refusal:?}");
}
