//! What a commit does to the row, to its attempts and to its record.

use chrono::Utc;
use domain::{Failure, Operation, State, Transition, Verdict};
use engine::{Committed, OperationStore, StoreError};

use crate::support::{
    Fixture, confirmed, database_updated, expired, failed, image, image_uploaded, ipfs_uploaded, later, metadata, pin,
    signature, submitted,
};

/// Every transition there is, from every state it may follow.
fn every_transition(number: u64) -> Vec<(State, Transition)> {
    use State as S;
    let again = || submitted(number, 1, Some(expired(number, 0)));
    vec![
        (S::Initiated, image_uploaded()),
        (S::Initiated, ipfs_uploaded()),
        (S::Initiated, failed(None)),
        (S::ImageUploaded, ipfs_uploaded()),
        (S::ImageUploaded, failed(None)),
        (S::IpfsUploaded, submitted(number, 0, None)),
        (S::IpfsUploaded, confirmed(number, 0)),
        (S::IpfsUploaded, failed(None)),
        (S::BlockchainSubmitted, again()),
        (S::BlockchainSubmitted, confirmed(number, 0)),
        (S::BlockchainSubmitted, failed(Some(expired(number, 0)))),
        (S::BlockchainConfirmed, database_updated(number, 0)),
        (S::BlockchainConfirmed, Transition::Dropped),
        (S::BlockchainConfirmed, again()),
        (S::DatabaseUpdated, Transition::Verified),
        (S::Failed, ipfs_uploaded()),
        (S::Failed, confirmed(number, 0)),
        (S::RolledBack, confirmed(number, 0)),
    ]
}

#[tokio::test]
async fn the_row_becomes_what_the_domain_says() {
    let fixture = Fixture::with_contents().await;
    for number in 0..u64::try_from(every_transition(0).len()).unwrap() {
        let (from, transition) = every_transition(number).swap_remove(usize::try_from(number).unwrap());
        let id = fixture.standing(number, from).await.id;
        // What the present step has gone through, all of which the transition has to reset.
        fixture
            .must_execute(format!(
                "UPDATE minting_operations SET attempts = 3, next_attempt_at = '{}', claimed_until = now(), wakes = 2,
                        requested_at = now(), status_owed = true, needs_review = 'look', failure_class = 'transient',
                        failure_code = 'c', failure_message = 'm'
                 WHERE id = '{id}'",
                later()
            ))
            .await;
        let before = fixture.load(id).await;
        assert_eq!((before.attempts, before.next_attempt_at), (3, Some(later())));
        let committed = fixture.commit(&before, transition.clone()).await.unwrap();
        let Committed::At(at) = committed else { panic!("{from}, {transition:?}: {committed:?}") };
        assert_eq!(fixture.load(id).await, before.after(&transition, at).unwrap(), "{from}, {transition:?}");
        let reset = format!(
            "UPDATE minting_operations SET wakes = 0 WHERE id = '{id}' AND wakes = 0 AND claimed_until IS NULL
               AND requested_at IS NULL AND NOT status_owed"
        );
        assert_eq!(fixture.execute(reset).await, Ok(1));
    }
}

#[tokio::test]
async fn a_transition_that_the_domain_does_not_know_is_the_rows_fault() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.inserted(1).await;
    let refusal = fixture.commit(&operation, Transition::Verified).await.unwrap_err();
    let StoreError::Row { sqlstate, message } = &refusal else { panic!("{refusal:?}") };
    assert_eq!(sqlstate, "P0001");
    assert_eq!(*message, format!("operation {} may not go from INITIATED to VERIFIED", operation.id));
    assert_eq!(fixture.load(operation.id).await, operation);
}

#[tokio::test]
async fn a_stale_view_is_overtaken_and_leaves_nothing() {
    let fixture = Fixture::with_contents().await;
    let stale = fixture.inserted(1).await;
    let current = fixture.advance(&stale, ipfs_uploaded()).await;
    assert_eq!(fixture.commit(&stale, failed(None)).await, Ok(Committed::Overtaken));
    let wrong_version = Operation { version: 7, ..current.clone() };
    assert_eq!(fixture.commit(&wrong_version, submitted(1, 0, None)).await, Ok(Committed::Overtaken));
    assert_eq!(fixture.load(stale.id).await, current);
    assert!(fixture.store.operation(stale.id).await.unwrap().unwrap().attempts.is_empty());
}

#[tokio::test]
async fn a_content_that_is_not_pinned_is_not_stored() {
    let fixture = Fixture::new().await;
    let operation = fixture.inserted(1).await;
    assert_eq!(fixture.commit(&operation, image_uploaded()).await, Ok(Committed::NotPinned));
    fixture.pin(&[image()]).await;
    assert_eq!(fixture.commit(&operation, ipfs_uploaded()).await, Ok(Committed::NotPinned));
    fixture.pin(&[metadata()]).await;
    for state in ["pending", "unpinning", "unpinned"] {
        fixture.must_execute(format!("UPDATE pinned_content SET state = '{state}' WHERE cid = '{}'", image())).await;
        assert_eq!(fixture.commit(&operation, ipfs_uploaded()).await, Ok(Committed::NotPinned), "{state}");
    }
    fixture.must_execute("UPDATE pinned_content SET state = 'pinned'").await;
    fixture.advance(&operation, ipfs_uploaded()).await;
}

#[tokio::test]
async fn a_content_at_another_provider_will_do() {
    let fixture = Fixture::new().await;
    let operation = fixture.inserted(1).await;
    fixture.pin(&[image()]).await;
    let elsewhere = engine::Pin { provider: "kubo".into(), ..pin(&metadata()) };
    engine::PinLedger::pinned(&*fixture.store, &[elsewhere]).await.unwrap();
    fixture.must_execute(format!("UPDATE pinned_content SET state = 'unpinned' WHERE cid = '{}'", image())).await;
    engine::PinLedger::pinned(&*fixture.store, &[engine::Pin { provider: "kubo".into(), ..pin(&image()) }])
        .await
        .unwrap();
    fixture.advance(&operation, ipfs_uploaded()).await;
}

#[tokio::test]
async fn no_operation_fails_while_an_attempt_is_undecided() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.standing(1, State::BlockchainSubmitted).await;
    assert_eq!(fixture.commit(&operation, failed(None)).await, Ok(Committed::Overtaken));
    let another = failed(Some(expired(1, 9)));
    assert_eq!(fixture.commit(&operation, another).await, Ok(Committed::Overtaken));
    assert_eq!(fixture.load(operation.id).await, operation);
    let ended = fixture.advance(&operation, failed(Some(expired(1, 0)))).await;
    assert_eq!(ended.failed_from, Some(State::BlockchainSubmitted));
    let attempts = fixture.store.operation(operation.id).await.unwrap().unwrap().attempts;
    assert_eq!(attempts[0].verdict, Some(Verdict::Expired));
}

#[tokio::test]
async fn signing_again_replaces_the_attempt_or_nothing() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.standing(1, State::BlockchainSubmitted).await;
    assert_eq!(fixture.commit(&operation, submitted(1, 1, None)).await, Ok(Committed::Overtaken));
    // A signature that is on record already is refused; the first attempt stays open.
    let reused = fixture.commit(&operation, submitted(1, 0, Some(expired(1, 0)))).await;
    assert!(matches!(reused, Err(StoreError::Row { sqlstate, .. }) if sqlstate == "23505"));
    assert_eq!(fixture.load(operation.id).await, operation);

    let again = fixture.advance(&operation, submitted(1, 1, Some(expired(1, 0)))).await;
    assert_eq!(fixture.load(operation.id).await, again);
    assert_eq!(again.open_attempt.map(|attempt| attempt.signature), Some(signature(1, 1)));
    let attempts = fixture.store.operation(operation.id).await.unwrap().unwrap().attempts;
    let verdicts: Vec<_> = attempts.iter().map(|attempt| (attempt.version, attempt.verdict)).collect();
    assert_eq!(verdicts, [(3, Some(Verdict::Expired)), (4, None)]);
}

#[tokio::test]
async fn a_batch_may_mix_everything() {
    let fixture = Fixture::with_contents().await;
    let cases = every_transition(0).len();
    let mut batch = Vec::new();
    for number in 0..u64::try_from(cases).unwrap() {
        let (from, transition) = every_transition(number).swap_remove(usize::try_from(number).unwrap());
        batch.push(engine::Commit { operation: fixture.standing(number, from).await, transition });
    }
    let answers = fixture.store.commit(&batch).await.unwrap();
    for (commit, answer) in batch.iter().zip(&answers) {
        let Committed::At(at) = answer else { panic!("{commit:?}: {answer:?}") };
        let after = commit.operation.after(&commit.transition, *at).unwrap();
        assert_eq!(fixture.load(commit.operation.id).await, after);
    }
}

#[tokio::test]
async fn of_two_transitions_of_one_operation_in_a_batch_one_is_overtaken() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.inserted(1).await;
    let commit = |transition| engine::Commit { operation: operation.clone(), transition };
    let answers = fixture.store.commit(&[commit(ipfs_uploaded()), commit(failed(None))]).await.unwrap();
    assert!(matches!(answers[..], [Committed::At(_), Committed::Overtaken]), "{answers:?}");
    assert_eq!(fixture.load(operation.id).await.state, State::IpfsUploaded);
}

#[tokio::test]
async fn a_failure_with_a_nul_in_its_message_can_be_stored() {
    let fixture = Fixture::new().await;
    let operation = fixture.inserted(1).await;
    let failure = Failure::permanent("odd", "a\0b");
    fixture.advance(&operation, Transition::Failed { failure, decided: None }).await;
    assert_eq!(fixture.load(operation.id).await.failure.unwrap().message, "a\u{fffd}b");
}

#[tokio::test]
async fn a_flag_keeps_its_first_reason_and_moves_nothing() {
    let fixture = Fixture::new().await;
    let operation = fixture.inserted(1).await;
    fixture.store.flag(operation.id, "first\0").await.unwrap();
    fixture.store.flag(operation.id, "second").await.unwrap();
    fixture.store.flag(testkit::operation_id(99), "nobody").await.unwrap();
    let flagged = fixture.load(operation.id).await;
    assert_eq!(flagged, Operation { needs_review: Some("first\u{fffd}".into()), ..operation });
    let history = fixture.store.operation(flagged.id).await.unwrap().unwrap().history;
    assert_eq!(history.iter().map(|entry| &*entry.kind).collect::<Vec<_>>(), ["transition", "flagged"]);
}

#[tokio::test]
async fn a_load_tells_the_databases_time_and_what_is_missing() {
    let fixture = Fixture::new().await;
    let operation = fixture.inserted(1).await;
    let missing = testkit::operation_id(2);
    let snapshot = fixture.store.load(&[missing, operation.id]).await.unwrap();
    assert_eq!(snapshot.operations.len(), 1);
    assert!(snapshot.now >= operation.updated_at);
    let nothing = fixture.store.load(&[missing]).await.unwrap();
    assert!(nothing.operations.is_empty() && nothing.now >= snapshot.now);
    assert_eq!(nothing.now.timezone(), Utc);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_and_hides_no_other() {
    let fixture = Fixture::new().await;
    let (good, bad) = (fixture.inserted(1).await, fixture.inserted(2).await);
    fixture.must_execute(format!("UPDATE minting_operations SET image_cid = 'odd' WHERE id = '{}'", bad.id)).await;
    let mut snapshot = fixture.store.load(&[good.id, bad.id]).await.unwrap();
    assert_eq!(snapshot.operations.remove(&good.id), Some(Ok(good)));
    let failure = snapshot.operations.remove(&bad.id).unwrap().unwrap_err();
    assert!(failure.is_permanent());
    assert_eq!(failure.message, format!("minting_operations.image_cid of {}: \"odd\" is no content id", bad.id));
}
