//! What a person decides about one operation: with the guards of any transition, and on record.

use domain::{RetryTerms, State, Transition};
use engine::{Commit, Committed, OperationStore, PutOff};
use std::time::Duration;

use crate::dead_letters::by;
use crate::support::{Fixture, confirmed, expired, failed, submitted};

async fn decide(fixture: &Fixture, operation: &domain::Operation, transition: Transition) -> Committed {
    let commit = Commit { operation: operation.clone(), transition };
    fixture.store.decide(&commit, &by("anna@ops-1")).await.unwrap()
}

async fn owes(fixture: &Fixture, id: domain::OperationId) -> bool {
    sqlx::query_scalar("SELECT status_owed FROM minting_operations WHERE id = $1")
        .bind(*id.as_uuid())
        .fetch_one(&fixture.sql)
        .await
        .unwrap()
}

#[tokio::test]
async fn who_decided_what_and_why_is_in_its_history_and_its_events_are_owed() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.standing(1, State::IpfsUploaded).await;
    fixture.store.flag(operation.id, "look").await.unwrap();
    assert!(!owes(&fixture, operation.id).await);
    assert!(matches!(decide(&fixture, &operation, failed(None)).await, Committed::At(_)));
    let report = fixture.store.operation(operation.id).await.unwrap().unwrap();
    assert_eq!((report.operation.state, report.operation.needs_review.clone()), (State::Failed, None));
    let last = report.history.last().unwrap();
    assert_eq!((last.from, last.to), (Some(State::IpfsUploaded), Some(State::Failed)));
    assert_eq!((&last.detail["by"], &last.detail["reason"]), (&"anna@ops-1".into(), &"the gateway is back".into()));
    assert!(owes(&fixture, operation.id).await);
    let overtaken = decide(&fixture, &operation, failed(None)).await;
    assert_eq!(overtaken, Committed::Overtaken, "whoever saw it before sees it again first");
}

#[tokio::test]
async fn a_step_leaves_what_waits_for_a_person_where_it_is_and_owes_nothing() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.standing(1, State::BlockchainSubmitted).await;
    fixture.store.flag(operation.id, "look").await.unwrap();
    let operation = fixture.load(operation.id).await;
    fixture.advance(&operation, confirmed(1, 0)).await;
    assert_eq!(fixture.load(operation.id).await.needs_review.as_deref(), Some("look"));
    assert!(!owes(&fixture, operation.id).await);
}

#[tokio::test]
async fn no_person_fails_what_is_not_decided() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.standing(1, State::BlockchainSubmitted).await;
    assert_eq!(decide(&fixture, &operation, failed(None)).await, Committed::Overtaken);
    assert_eq!(fixture.load(operation.id).await, operation);
    let with_verdict = decide(&fixture, &operation, failed(Some(expired(1, 0)))).await;
    assert!(matches!(with_verdict, Committed::At(_)), "{with_verdict:?}");
    let sleeper = fixture.commit(&operation, submitted(1, 1, None)).await.unwrap();
    assert_eq!(sleeper, Committed::Overtaken, "a worker that slept through it signs for nothing");
}

#[tokio::test]
async fn what_is_under_way_is_due_at_once_and_as_if_it_had_never_been_tried() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.standing(1, State::IpfsUploaded).await;
    let failure = domain::Failure::transient("away", "nobody there");
    let put_off = PutOff { operation: operation.clone(), failure, spends: true, wait: Some(Duration::from_hours(1)) };
    assert_eq!(fixture.store.put_off(&[put_off]).await.unwrap(), [true]);
    fixture.store.flag(operation.id, "look").await.unwrap();
    let waiting = fixture.load(operation.id).await;
    assert!(waiting.next_attempt_at.is_some() && waiting.attempts == 1);

    let terms = RetryTerms { signings: Some(1), ..RetryTerms::default() };
    assert_eq!(fixture.store.try_at_once(&waiting, &terms, &by("anna")).await, Ok(true));
    let after = fixture.load(operation.id).await;
    assert_eq!((after.next_attempt_at, after.attempts, &after.needs_review), (None, 0, &None));
    assert_eq!((after.version, &after.terms), (operation.version, &terms));
    assert!(owes(&fixture, operation.id).await, "its request is published from the row");
    let history = fixture.store.operation(operation.id).await.unwrap().unwrap().history.pop().unwrap();
    assert_eq!((history.kind.as_str(), &history.detail["by"]), ("retried", &"anna".into()));
    assert_eq!(history.detail["terms"]["signings"], 1);

    let failed = fixture.advance(&after, failed(None)).await;
    for seen in [&waiting, &failed] {
        assert_eq!(fixture.store.try_at_once(seen, &terms, &by("anna")).await, Ok(false), "moved, or ended");
    }
}
