//! Tries that failed, as rows remember them.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{Failure, Operation, State};
use engine::{Committed, OperationStore, PutOff};

use crate::support::{Fixture, ipfs_uploaded, submitted};

const WAIT: Duration = Duration::from_secs(8);

fn put_off(operation: &Operation, spends: bool, wait: Option<Duration>) -> PutOff {
    let failure = Failure::transient("provider-away", "connection refused, and a NUL: \0");
    PutOff { operation: operation.clone(), failure, spends, wait }
}

async fn record(fixture: &Fixture, put_off: PutOff) -> bool {
    fixture.store.put_off(&[put_off]).await.unwrap().remove(0)
}

#[tokio::test]
async fn the_row_owns_the_next_try_and_keeps_its_version() {
    let fixture = Fixture::with_contents().await;
    let before = fixture.inserted(1).await;
    fixture.must_execute("UPDATE minting_operations SET claimed_until = now() + interval '1 minute'").await;
    assert!(record(&fixture, put_off(&before, true, Some(WAIT))).await);
    let snapshot = fixture.store.load(&[before.id]).await.unwrap();
    let after = snapshot.operations[&before.id].clone().unwrap();
    assert_eq!((after.state, after.version, after.attempts), (before.state, before.version, 1));
    assert_eq!(after.updated_at, before.updated_at);
    let wait = after.next_attempt_at.unwrap() - snapshot.now;
    assert!(wait > TimeDelta::zero() && wait <= TimeDelta::seconds(8), "{wait}");
    assert_eq!(after.failure.unwrap().code, "provider-away");
    let claim_ended = "UPDATE minting_operations SET wakes = wakes WHERE claimed_until IS NULL";
    assert_eq!(fixture.execute(claim_ended).await, Ok(1));
    // Whoever got further meanwhile, at the same version, is not held up.
    assert!(matches!(fixture.commit(&before, ipfs_uploaded()).await, Ok(Committed::At(_))));
    let moved = fixture.load(before.id).await;
    assert_eq!((moved.attempts, moved.next_attempt_at, moved.failure), (0, None, None));
}

#[tokio::test]
async fn a_try_in_the_lane_counts_and_leaves_the_next_one_to_the_record() {
    let fixture = Fixture::new().await;
    let before = fixture.inserted(1).await;
    fixture.must_execute("UPDATE minting_operations SET next_attempt_at = now() - interval '1 second'").await;
    assert!(record(&fixture, put_off(&before, true, None)).await);
    let after = fixture.load(before.id).await;
    assert_eq!((after.attempts, after.next_attempt_at), (1, None));
}

#[tokio::test]
async fn a_stale_view_records_nothing() {
    let fixture = Fixture::with_contents().await;
    let stale = fixture.inserted(1).await;
    assert!(record(&fixture, put_off(&stale, true, None)).await);
    let counted = fixture.load(stale.id).await;
    assert!(!record(&fixture, put_off(&stale, true, Some(WAIT))).await, "another process counted this try's attempt");
    assert_eq!(fixture.load(stale.id).await, counted);
    let moved = fixture.advance(&counted, ipfs_uploaded()).await;
    assert!(!record(&fixture, put_off(&counted, false, Some(WAIT))).await);
    let signed = fixture.advance(&moved, submitted(1, 0, None)).await;
    assert!(!record(&fixture, put_off(&moved, false, Some(WAIT))).await);
    assert_eq!(fixture.load(stale.id).await, signed);
}

#[tokio::test]
async fn of_two_processes_that_count_the_same_try_one_does() {
    let fixture = Fixture::new().await;
    let other = fixture.another_store().await;
    for number in 0..20 {
        let operation = fixture.inserted(number).await;
        let batch = [put_off(&operation, true, Some(WAIT))];
        let (ours, theirs) = tokio::join!(fixture.store.put_off(&batch), other.put_off(&batch));
        assert_eq!(usize::from(ours.unwrap()[0]) + usize::from(theirs.unwrap()[0]), 1);
        assert_eq!(fixture.load(operation.id).await.attempts, 1);
    }
}

#[tokio::test]
async fn a_batch_answers_in_order_and_takes_an_operation_once() {
    let fixture = Fixture::new().await;
    let (one, other) = (fixture.inserted(1).await, fixture.inserted(2).await);
    let stale = Operation { version: 7, ..other.clone() };
    let batch = [&stale, &one, &one, &other].map(|operation| put_off(operation, true, Some(WAIT)));
    // Of an operation's views in one batch the first is taken, though it is the stale one.
    assert_eq!(fixture.store.put_off(&batch).await.unwrap(), [false, true, false, false]);
    assert_eq!(fixture.load(one.id).await.attempts, 1);
}

#[tokio::test]
async fn history_tells_what_is_new_and_not_that_it_lasts() {
    let fixture = Fixture::new().await;
    let operation = fixture.inserted(1).await;
    for _ in 0..3 {
        assert!(record(&fixture, put_off(&operation, false, Some(WAIT))).await);
    }
    assert!(record(&fixture, put_off(&operation, true, Some(WAIT))).await);
    let report = fixture.store.operation(operation.id).await.unwrap().unwrap();
    let kinds: Vec<_> = report.history.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["transition", "delayed", "attempt-failed"]);
    assert_eq!(fixture.load(operation.id).await.state, State::Initiated);
}
