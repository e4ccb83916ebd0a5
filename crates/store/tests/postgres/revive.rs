//! A person's retry.

use domain::{Content, Operation, RetryTerms, State};
use engine::{Commit, Committed, Inserted, OperationStore};
use store::{Decision, LedgerLetter, LetterOutcome, Revival, Revived};

use crate::dead_letters::{by, letter};
use crate::support::{Fixture, expired, failed, image, ipfs_uploaded, mint, new_operation, signature, submitted};

/// A retry of that letter, without any wishes.
pub fn revival<'a>(operation: &'a Operation, letter: Option<&'a LedgerLetter>, decision: &'a Decision) -> Revival<'a> {
    const USUAL: RetryTerms = RetryTerms { endpoint: None, unit_price: None, signings: None };
    Revival { operation, minted_by: None, amendment: None, letter, wanted: None, terms: &USUAL, decision }
}

async fn revive(fixture: &Fixture, operation: &Operation, amendment: Option<&Content>) -> Revived {
    let letter = letter(operation.id.as_uuid().as_u128() + u128::from(operation.version.unsigned_abs()));
    let decision = by("anna");
    let revival = Revival { amendment, ..revival(operation, Some(&letter), &decision) };
    fixture.store.revive(&revival).await.unwrap()
}

/// FAILED after a transaction of it expired.
async fn failed_in_minting(fixture: &Fixture, number: u64) -> Operation {
    let standing = fixture.standing(number, State::BlockchainSubmitted).await;
    fixture.advance(&standing, failed(Some(expired(number, 0)))).await;
    fixture.load(standing.id).await
}

async fn owed(fixture: &Fixture, operation: &Operation) -> bool {
    sqlx::query_scalar("SELECT status_owed FROM minting_operations WHERE id = $1")
        .bind(*operation.id.as_uuid())
        .fetch_one(&fixture.sql)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_is_pinned_goes_on_where_it_was_and_its_events_are_owed() {
    let fixture = Fixture::with_contents().await;
    let operation = failed_in_minting(&fixture, 1).await;
    fixture.store.flag(operation.id, "look").await.unwrap();
    assert_eq!(revive(&fixture, &operation, None).await, Revived::To(State::IpfsUploaded));
    let after = fixture.load(operation.id).await;
    assert_eq!((after.state, after.version), (State::IpfsUploaded, operation.version + 1));
    assert_eq!((after.previous_state, after.failure, after.needs_review), (Some(State::Failed), None, None));
    assert_eq!((&after.image_cid, after.mint_address), (&operation.image_cid, operation.mint_address));
    assert!(owed(&fixture, &operation).await);
    fixture.store.revival_told(operation.id, after.version - 1).await.unwrap();
    assert!(owed(&fixture, &operation).await, "of another version");
    fixture.store.revival_told(operation.id, after.version).await.unwrap();
    assert!(!owed(&fixture, &operation).await);

    let history = fixture.store.operation(operation.id).await.unwrap().unwrap().history.pop().unwrap();
    assert_eq!((history.from, history.to), (Some(State::Failed), Some(State::IpfsUploaded)));
    assert_eq!((&history.detail["by"], &history.detail["reason"]), (&"anna".into(), &"the gateway is back".into()));
}

#[tokio::test]
async fn what_is_not_pinned_any_more_begins_anew() {
    let fixture = Fixture::with_contents().await;
    let operation = failed_in_minting(&fixture, 1).await;
    let rolled_back = fixture.standing(2, State::RolledBack).await;
    fixture
        .must_execute(format!("UPDATE pinned_content SET state = 'unpinned' WHERE cid = '{}'", image().as_str()))
        .await;
    assert_eq!(revive(&fixture, &operation, None).await, Revived::To(State::Initiated));
    let after = fixture.load(operation.id).await;
    assert_eq!((after.image_cid, after.metadata_cid), (None, None));
    assert_eq!(after.mint_address, Some(mint(1)), "its address stays its own");

    assert_eq!(revive(&fixture, &rolled_back, None).await, Revived::To(State::Initiated));
}

#[tokio::test]
async fn an_amendment_is_in_force_from_then_on_and_the_event_stays_what_it_was() {
    let fixture = Fixture::with_contents().await;
    let operation = failed_in_minting(&fixture, 1).await;
    let mut content = operation.content.clone();
    content.nft.name = "Amended".into();
    assert_eq!(revive(&fixture, &operation, Some(&content)).await, Revived::To(State::Initiated));
    let once = fixture.load(operation.id).await;
    assert_eq!(once.content.nft.name, "Amended");

    let again = fixture.store.insert(&[new_operation(1)]).await.unwrap().remove(0);
    let Inserted::Present(again) = again else { panic!("its event is the same event: {again:?}") };
    assert_eq!(again.content, content);
    let original: serde_json::Value =
        sqlx::query_scalar("SELECT content FROM minting_operations").fetch_one(&fixture.sql).await.unwrap();
    assert_eq!(original, serde_json::to_value(&operation.content).unwrap());

    fixture.advance(&once, failed(None)).await;
    content.nft.name = "Amended twice".into();
    revive(&fixture, &fixture.load(operation.id).await, Some(&content)).await;
    assert_eq!(fixture.load(operation.id).await.content.nft.name, "Amended twice");
    let rewritten = fixture.execute("UPDATE content_amendments SET amended_by = 'nobody'").await;
    assert!(rewritten.is_err_and(|message| message.contains("append-only")));
}

#[tokio::test]
async fn what_was_found_on_chain_is_confirmed() {
    let fixture = Fixture::with_contents().await;
    let operation = failed_in_minting(&fixture, 1).await;
    let (letter, decision) = (letter(1), by("anna"));
    let revival = Revival { minted_by: Some(signature(1, 0)), ..revival(&operation, Some(&letter), &decision) };
    assert_eq!(fixture.store.revive(&revival).await, Ok(Revived::To(State::BlockchainConfirmed)));
    let after = fixture.load(operation.id).await;
    assert_eq!((after.state, after.signature), (State::BlockchainConfirmed, Some(signature(1, 0))));
    let ledger = fixture.store.ledger(&[letter.id]).await.unwrap();
    assert_eq!(ledger[&letter.id].outcome, Some(LetterOutcome::Confirmed));
}

#[tokio::test]
async fn while_a_transaction_is_undecided_nothing_is_tried_again() {
    let fixture = Fixture::with_contents().await;
    let operation = failed_in_minting(&fixture, 1).await;
    let decided = fixture.store.attempts_standing(operation.id).await.unwrap();
    assert_eq!((decided.undecided, decided.newest_slot), (0, Some(320_000_000)));
    // Nothing of ours leaves one behind a failure: a person did.
    fixture
        .must_execute(format!(
            "INSERT INTO mint_attempts (signature, operation_id, version, wire, blockhash, last_valid_block_height,
                                        context_slot, compute_unit_price, endpoint)
             SELECT '{}', operation_id, version, wire, blockhash, last_valid_block_height, context_slot,
                    compute_unit_price, endpoint
             FROM mint_attempts",
            signature(1, 9)
        ))
        .await;
    assert_eq!(fixture.store.attempts_standing(operation.id).await.unwrap().undecided, 1);
    assert_eq!(revive(&fixture, &operation, None).await, Revived::Undecided);
    let mut content = operation.content.clone();
    content.nft.name = "Amended".into();
    assert_eq!(revive(&fixture, &operation, Some(&content)).await, Revived::Undecided);
    let after = fixture.load(operation.id).await;
    assert_eq!((after.state, after.version), (State::Failed, operation.version));
    let noted: i64 = sqlx::query_scalar("SELECT count(*) FROM dead_letters").fetch_one(&fixture.sql).await.unwrap();
    assert_eq!(noted, 0, "the letter can be replayed once it is decided");
}

#[tokio::test]
async fn two_people_at_once_make_one_retry() {
    let fixture = Fixture::with_contents().await;
    let other = fixture.another_store().await;
    for number in 0..20 {
        let operation = fixture.standing(number, State::Failed).await;
        // The same letter for even numbers, two letters of one failure for odd ones.
        let (ours, theirs) = (letter(u128::from(number) * 2), letter(u128::from(number * 2 + number % 2)));
        let (anna, ben) = (by("anna"), by("ben"));
        let (ours, theirs) = (revival(&operation, Some(&ours), &anna), revival(&operation, Some(&theirs), &ben));
        let (ours, theirs) = tokio::join!(fixture.store.revive(&ours), other.revive(&theirs));
        let mut answers = [ours.unwrap(), theirs.unwrap()];
        answers.sort_by_key(|answer| *answer == Revived::Overtaken);
        assert_eq!(answers, [Revived::To(State::IpfsUploaded), Revived::Overtaken]);
        assert_eq!(fixture.load(operation.id).await.version, operation.version + 1);
    }
}

#[tokio::test]
async fn a_letter_that_was_replayed_revives_nothing_more() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.standing(1, State::Failed).await;
    let (letter, decision) = (letter(1), by("anna"));
    let again = |operation| revival(operation, Some(&letter), &decision);
    assert_eq!(fixture.store.revive(&again(&operation)).await, Ok(Revived::To(State::IpfsUploaded)));
    fixture.advance(&fixture.load(operation.id).await, failed(None)).await;
    let failed_again = fixture.load(operation.id).await;
    assert_eq!(fixture.store.revive(&again(&failed_again)).await, Ok(Revived::Taken));
    assert_eq!(fixture.load(operation.id).await, failed_again);
}

#[tokio::test]
async fn what_was_revived_goes_its_way() {
    let fixture = Fixture::with_contents().await;
    let operation = failed_in_minting(&fixture, 1).await;
    revive(&fixture, &operation, None).await;
    let revived = fixture.load(operation.id).await;
    let signed_anew = Commit { operation: revived, transition: submitted(1, 1, None) };
    let committed = fixture.store.commit(&[signed_anew]).await.unwrap().remove(0);
    assert!(matches!(committed, Committed::At(_)), "{committed:?}");

    let other = fixture.standing(2, State::Failed).await;
    fixture.must_execute("UPDATE pinned_content SET state = 'unpinned'").await;
    revive(&fixture, &other, None).await;
    fixture.must_execute("UPDATE pinned_content SET state = 'pinned'").await;
    fixture.advance(&fixture.load(other.id).await, ipfs_uploaded()).await;
}

#[tokio::test]
async fn without_a_letter_it_is_taken_up_on_a_persons_terms_until_their_next_retry() {
    let fixture = Fixture::with_contents().await;
    let operation = failed_in_minting(&fixture, 1).await;
    let decision = by("anna");
    let terms = RetryTerms { endpoint: Some("backup".into()), unit_price: Some(7), signings: Some(5) };
    let asked = Revival { terms: &terms, ..revival(&operation, None, &decision) };
    assert_eq!(fixture.store.revive(&asked).await, Ok(Revived::To(State::IpfsUploaded)));
    let after = fixture.load(operation.id).await;
    assert_eq!(after.terms, terms);
    let history = fixture.store.operation(operation.id).await.unwrap().unwrap().history.pop().unwrap();
    assert_eq!((&history.detail["by"], &history.detail["terms"]["unitPrice"]), (&"anna".into(), &7.into()));
    let noted: i64 = sqlx::query_scalar("SELECT count(*) FROM dead_letters").fetch_one(&fixture.sql).await.unwrap();
    assert_eq!(noted, 0);

    fixture.advance(&after, failed(None)).await;
    let failed_again = fixture.load(operation.id).await;
    assert_eq!(
        fixture.store.revive(&revival(&failed_again, None, &decision)).await,
        Ok(Revived::To(State::IpfsUploaded))
    );
    assert_eq!(fixture.load(operation.id).await.terms, RetryTerms::default());
    assert_eq!(fixture.store.revive(&revival(&failed_again, None, &decision)).await, Ok(Revived::Overtaken));
}

#[tokio::test]
async fn the_state_that_a_person_names_is_the_one_it_comes_to_or_none() {
    let fixture = Fixture::with_contents().await;
    let (pinned, unpinned) = (fixture.standing(1, State::Failed).await, fixture.standing(2, State::Failed).await);
    let decision = by("anna");
    let to = |operation, state| Revival { wanted: Some(state), ..revival(operation, None, &decision) };
    let anew = fixture.store.revive(&to(&pinned, State::Initiated)).await;
    assert_eq!(anew, Ok(Revived::To(State::Initiated)), "though its content is pinned");
    fixture.must_execute("UPDATE pinned_content SET state = 'unpinned'").await;
    assert_eq!(fixture.store.revive(&to(&unpinned, State::IpfsUploaded)).await, Ok(Revived::NotPinned));
    assert_eq!(fixture.load(unpinned.id).await, unpinned);
}
