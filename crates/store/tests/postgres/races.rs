//! Transactions of other people in the way of ours, lock by lock. Who wins a race is a matter of the conformance suite.

use domain::{OperationId, State};
use engine::{Commit, Committed, OperationStore, PinClaim, PinLedger};

use crate::support::{Fixture, count_committed, image, ipfs_uploaded, metadata, pin, somebody_waits};

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

#[tokio::test]
async fn a_claim_does_not_wait_for_those_who_store_the_content() {
    let fixture = Fixture::with_contents().await;
    let mut storing = fixture.sql.begin().await.unwrap();
    sqlx::query("SELECT FROM pinned_content FOR SHARE").execute(&mut *storing).await.unwrap();
    let contents = [pin(&image()), pin(&metadata())];
    assert_eq!(fixture.store.claim(&contents).await, Ok(vec![PinClaim::Pinned, PinClaim::Pinned]));
    fixture.pin(&[image(), metadata()]).await;
    storing.rollback().await.unwrap();
}
