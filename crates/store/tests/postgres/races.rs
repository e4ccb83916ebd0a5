//! Several writers at once.

use domain::{OperationId, State};
use engine::{Commit, Committed, OperationStore};

use crate::support::{
    Fixture, count_committed, failed, image, ipfs_uploaded, new_operation, somebody_waits, submitted,
};

#[tokio::test]
async fn of_two_writers_exactly_one_wins() {
    let fixture = Fixture::with_contents().await;
    let other = fixture.another_store().await;
    for number in 0..20 {
        let operation = fixture.inserted(number).await;
        let ours = [Commit { operation: operation.clone(), transition: ipfs_uploaded() }];
        let theirs = [Commit { operation: operation.clone(), transition: failed(None) }];
        let (ours, theirs) = tokio::join!(fixture.store.commit(&ours), other.commit(&theirs));
        let (ours, theirs) = (ours.unwrap().remove(0), theirs.unwrap().remove(0));
        let winner = match (&ours, &theirs) {
            (Committed::At(_), Committed::Overtaken) => State::IpfsUploaded,
            (Committed::Overtaken, Committed::At(_)) => State::Failed,
            both => panic!("{both:?}"),
        };
        let after = fixture.load(operation.id).await;
        assert_eq!((after.state, after.version), (winner, 2));
    }
}

#[tokio::test]
async fn two_signers_leave_one_attempt() {
    let fixture = Fixture::with_contents().await;
    let other = fixture.another_store().await;
    for number in 0..20 {
        let operation = fixture.standing(number, State::IpfsUploaded).await;
        let signed = |nth| [Commit { operation: operation.clone(), transition: submitted(number, nth, None) }];
        let (ours, theirs) = (signed(0), signed(1));
        let (ours, theirs) = tokio::join!(fixture.store.commit(&ours), other.commit(&theirs));
        assert_eq!(count_committed(&[ours.unwrap().remove(0), theirs.unwrap().remove(0)]), 1);
        assert_eq!(fixture.store.operation(operation.id).await.unwrap().unwrap().attempts.len(), 1);
    }
}

#[tokio::test]
async fn overlapping_batches_in_opposite_order_both_succeed() {
    let fixture = Fixture::with_contents().await;
    let other = fixture.another_store().await;
    for round in 0..5 {
        let new: Vec<_> = (0..100).map(|number| new_operation(round * 100 + number)).collect();
        let mut reversed = new.clone();
        reversed.reverse();
        let (ours, theirs) = tokio::join!(fixture.store.insert(&new), other.insert(&reversed));
        assert_eq!((ours.unwrap().len(), theirs.unwrap().len()), (100, 100));

        let ids: Vec<OperationId> = new.iter().map(|new| new.id).collect();
        let mut snapshot = fixture.store.load(&ids).await.unwrap();
        let mut commits: Vec<Commit> = ids
            .iter()
            .map(|id| snapshot.operations.remove(id).unwrap().unwrap())
            .map(|operation| Commit { operation, transition: ipfs_uploaded() })
            .collect();
        let forwards = commits.clone();
        commits.reverse();
        let (ours, theirs) = tokio::join!(fixture.store.commit(&forwards), other.commit(&commits));
        assert_eq!(count_committed(&ours.unwrap()) + count_committed(&theirs.unwrap()), 100);
    }
}

#[tokio::test]
async fn a_deadlock_with_somebody_elses_transaction_is_tried_again() {
    let fixture = Fixture::with_contents().await;
    let (first, second) = (fixture.inserted(1).await, fixture.inserted(2).await);
    let touch = |id: OperationId| {
        sqlx::query("UPDATE minting_operations SET wakes = wakes + 1 WHERE id = $1").bind(*id.as_uuid())
    };
    let mut person = fixture.sql.begin().await.unwrap();
    touch(second.id).execute(&mut *person).await.unwrap();

    let (store, batch) = (
        fixture.store.clone(),
        [&first, &second].map(|operation| Commit { operation: operation.clone(), transition: ipfs_uploaded() }),
    );
    let commit = tokio::spawn(async move { store.commit(&batch).await });
    somebody_waits(&fixture.sql, 1).await;
    // The wrong way round. The store's statement has waited longer, so it is the one that PostgreSQL ends.
    touch(first.id).execute(&mut *person).await.unwrap();
    person.commit().await.unwrap();
    assert_eq!(count_committed(&commit.await.unwrap().unwrap()), 2);
}

#[tokio::test]
async fn a_flag_beside_a_commit_hinders_neither() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.inserted(1).await;
    let mut person = fixture.sql.begin().await.unwrap();
    sqlx::query("UPDATE minting_operations SET needs_review = 'look'").execute(&mut *person).await.unwrap();
    let (store, batch) =
        (fixture.store.clone(), [Commit { operation: operation.clone(), transition: ipfs_uploaded() }]);
    let commit = tokio::spawn(async move { store.commit(&batch).await });
    somebody_waits(&fixture.sql, 1).await;
    person.commit().await.unwrap();
    assert_eq!(count_committed(&commit.await.unwrap().unwrap()), 1);
    let after = fixture.load(operation.id).await;
    assert_eq!((after.state, after.needs_review.as_deref()), (State::IpfsUploaded, Some("look")));
}

#[tokio::test]
async fn who_stores_a_content_waits_for_its_unpinning_and_then_knows() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.inserted(1).await;
    let mut unpinner = fixture.sql.begin().await.unwrap();
    sqlx::query("UPDATE pinned_content SET state = 'unpinning' WHERE cid = $1")
        .bind(image().as_str())
        .execute(&mut *unpinner)
        .await
        .unwrap();
    let (store, batch) =
        (fixture.store.clone(), [Commit { operation: operation.clone(), transition: ipfs_uploaded() }]);
    let commit = tokio::spawn(async move { store.commit(&batch).await });
    somebody_waits(&fixture.sql, 1).await;
    unpinner.commit().await.unwrap();
    assert_eq!(commit.await.unwrap().unwrap(), [Committed::NotPinned]);
}
