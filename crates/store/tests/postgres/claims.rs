//! Rows that are published from: claimed by one process at a time, and never lost.

use std::collections::HashSet;

use domain::{OperationId, Priority, State, Step};
use engine::{Claim, OperationStore, PutOff, Reason, RowStore};
use store::Store;

use crate::support::{Fixture, ipfs_uploaded};

const SHARES: [(Priority, u32); 3] = [(Priority::Critical, 100), (Priority::Normal, 100), (Priority::Bulk, 100)];
const DUE: &str = "UPDATE minting_operations SET next_attempt_at = now() - interval '1 second'";
const LEASES_END: &str = "UPDATE minting_operations SET claimed_until = now() - interval '1 second'
                          WHERE claimed_until IS NOT NULL";

async fn claim(store: &Store, step: Step) -> Vec<Claim> {
    store.claim_due(step, &SHARES).await.unwrap()
}

fn ids(claims: &[Claim]) -> HashSet<OperationId> {
    claims.iter().map(|claim| claim.id).collect()
}

#[tokio::test]
async fn two_processes_claim_each_due_row_once() {
    let fixture = Fixture::new().await;
    let other = fixture.another_store().await;
    for number in 0..250 {
        fixture.inserted(number).await;
    }
    fixture.must_execute(DUE).await;
    let take_all = async |store: &Store| {
        let mut all = Vec::new();
        loop {
            let claims = claim(store, Step::Upload).await;
            if claims.is_empty() {
                return all;
            }
            assert!(claims.len() <= 100, "a share is a bound");
            all.extend(claims);
        }
    };
    let (ours, theirs) = tokio::join!(take_all(&fixture.store), take_all(&other));
    assert_eq!((ours.len() + theirs.len(), &ids(&ours) & &ids(&theirs)), (250, HashSet::new()));
    assert!(ours.iter().all(|claim| claim.reason == Reason::Due));
}

#[tokio::test]
async fn only_what_is_due_and_of_the_step_is_claimed() {
    let fixture = Fixture::with_contents().await;
    let waiting = fixture.standing(1, State::Initiated).await;
    let minting = fixture.standing(2, State::IpfsUploaded).await;
    let idle = fixture.standing(3, State::IpfsUploaded).await;
    let ended = fixture.standing(4, State::Verified).await;
    fixture.must_execute(DUE).await;
    let later = "UPDATE minting_operations SET next_attempt_at = now() + interval '1 hour' WHERE id";
    fixture.must_execute(format!("{later} = '{}'", waiting.id)).await;
    fixture
        .must_execute(format!("UPDATE minting_operations SET next_attempt_at = NULL WHERE id = '{}'", idle.id))
        .await;
    assert_eq!(claim(&fixture.store, Step::Upload).await, []);
    assert_eq!(ids(&claim(&fixture.store, Step::Mint).await), HashSet::from([minting.id]));
    assert_eq!(claim(&fixture.store, Step::Verify).await, [], "{} has ended", ended.id);
}

#[tokio::test]
async fn who_dies_between_claim_and_publish_loses_nothing() {
    let fixture = Fixture::new().await;
    let id = fixture.inserted(1).await.id;
    fixture.must_execute(DUE).await;
    let lost = claim(&fixture.store, Step::Upload).await;
    assert_eq!(ids(&lost), HashSet::from([id]));
    assert_eq!(claim(&fixture.store, Step::Upload).await, [], "the lease holds");
    fixture.must_execute(LEASES_END).await;
    let again = claim(&fixture.store, Step::Upload).await;
    assert_eq!(ids(&again), HashSet::from([id]));
    // The dead one comes back and settles what is another's by now.
    fixture.store.settle(&lost).await.unwrap();
    assert!(fixture.load(id).await.next_attempt_at.is_some());
    fixture.store.settle(&again).await.unwrap();
    assert_eq!(fixture.load(id).await.next_attempt_at, None);
    fixture.must_execute(LEASES_END).await;
    assert_eq!(claim(&fixture.store, Step::Upload).await, [], "it is the record's now");
}

#[tokio::test]
async fn what_was_put_off_or_moved_meanwhile_is_not_settled() {
    let fixture = Fixture::with_contents().await;
    let (put_off, moved) = (fixture.inserted(1).await, fixture.inserted(2).await);
    fixture.must_execute(DUE).await;
    let claims = claim(&fixture.store, Step::Upload).await;
    assert_eq!(claims.len(), 2);
    let failure = domain::Failure::transient("provider-away", "connection refused");
    let wait = Some(std::time::Duration::from_hours(1));
    let batch = [PutOff { operation: put_off.clone(), failure, spends: false, wait }];
    assert_eq!(fixture.store.put_off(&batch).await.unwrap(), [true]);
    let moved = fixture.advance(&moved, ipfs_uploaded()).await;
    fixture.store.settle(&claims).await.unwrap();
    assert!(fixture.load(put_off.id).await.next_attempt_at.is_some(), "the new wait stands");
    assert_eq!(fixture.load(moved.id).await, moved);
}

#[tokio::test]
async fn once_a_dependency_is_back_what_waits_for_it_is_due_and_nothing_else() {
    let fixture = Fixture::with_contents().await;
    let [waiting, foreign, published, idle] = [1, 2, 3, 4].map(testkit::operation_id);
    for number in 1..=4 {
        fixture.inserted(number).await;
    }
    let minting = fixture.standing(5, State::IpfsUploaded).await.id;
    for (id, change) in [
        (waiting, "next_attempt_at = now() + interval '1 hour'"),
        (foreign, "next_attempt_at = now() + interval '1 hour', attempts = 1"),
        (published, "next_attempt_at = now() + interval '1 hour', claimed_until = now() + interval '1 minute'"),
        (minting, "next_attempt_at = now() + interval '1 hour'"),
    ] {
        fixture.must_execute(format!("UPDATE minting_operations SET {change} WHERE id = '{id}'")).await;
    }
    fixture.store.hasten(Step::Upload).await.unwrap();
    fixture.must_execute(LEASES_END).await;
    assert_eq!(ids(&claim(&fixture.store, Step::Upload).await), HashSet::from([waiting]));
    assert_eq!(claim(&fixture.store, Step::Mint).await, []);
    assert_eq!(fixture.load(idle).await.next_attempt_at, None);
}

#[tokio::test]
async fn a_status_that_is_owed_is_told_once_whatever_the_state() {
    let fixture = Fixture::with_contents().await;
    let uploading = fixture.standing(1, State::Initiated).await.id;
    let minting = fixture.standing(2, State::IpfsUploaded).await.id;
    let failed = fixture.standing(3, State::Failed).await.id;
    let in_an_hour = "next_attempt_at = now() + interval '1 hour'";
    fixture.must_execute(format!("UPDATE minting_operations SET status_owed = true, {in_an_hour}")).await;
    let claims = claim(&fixture.store, Step::Upload).await;
    assert_eq!(ids(&claims), HashSet::from([uploading, failed]));
    assert!(claims.iter().all(|claim| claim.reason == Reason::Owed));
    fixture.store.settle(&claims).await.unwrap();
    assert_eq!(claim(&fixture.store, Step::Upload).await, []);
    assert!(fixture.load(uploading).await.next_attempt_at.is_some(), "a wait is nothing to a status");
    assert_eq!(ids(&claim(&fixture.store, Step::Mint).await), HashSet::from([minting]));
}

#[tokio::test]
async fn critical_rows_come_first_and_bulk_does_not_starve() {
    let fixture = Fixture::new().await;
    fixture.must_execute("ALTER TABLE minting_operations DISABLE TRIGGER frozen").await;
    for number in 0..30 {
        fixture.inserted(number).await;
    }
    fixture
        .must_execute(
            "UPDATE minting_operations SET next_attempt_at = now() - interval '1 second', priority =
                 (ARRAY['critical', 'normal', 'bulk'])[1 + get_byte(uuid_send(id), 15) % 3]",
        )
        .await;
    let shares = [(Priority::Critical, 8), (Priority::Normal, 3), (Priority::Bulk, 1)];
    let claims = fixture.store.claim_due(Step::Upload, &shares).await.unwrap();
    assert_eq!(claims.len(), 12);
}
