//! The ledger: each letter is dealt with once, whoever deals with it.

use store::{Decision, LedgerLetter, LetterOutcome};
use uuid::Uuid;

use crate::support::Fixture;

pub fn letter(number: u128) -> LedgerLetter {
    LedgerLetter {
        id: Uuid::from_u128(number),
        topic: "nft-operations.dlq".into(),
        partition: 3,
        offset: 7,
        fingerprint: "0123456789ab".into(),
        operation: Some(testkit::operation_id(1)),
    }
}

pub fn by(name: &str) -> Decision {
    Decision { by: name.into(), reason: Some("the gateway is back".into()) }
}

#[tokio::test]
async fn of_two_people_one_replays() {
    let fixture = Fixture::new().await;
    let other = fixture.another_store().await;
    for number in 0..20 {
        let letter = letter(number);
        let (anna, ben) = (by("anna@a"), by("ben@b"));
        let (ours, theirs) = tokio::join!(
            fixture.store.claim_letter(&letter, &anna, None),
            other.claim_letter(&letter, &ben, Some(b"edited"))
        );
        let ours = ours.unwrap();
        assert_ne!(ours, theirs.unwrap());
        let entry = fixture.store.ledger(&[letter.id]).await.unwrap().remove(&letter.id).unwrap();
        assert_eq!((entry.outcome, entry.by.as_str()), (None, if ours { "anna@a" } else { "ben@b" }));
        assert!(entry.claimed_until > Some(entry.at) && !entry.abandoned);
    }
}

#[tokio::test]
async fn what_is_published_stays_so_and_what_was_abandoned_is_anybodys() {
    let fixture = Fixture::new().await;
    let (done, left, returned) = (letter(1), letter(2), letter(3));
    for letter in [&done, &left, &returned] {
        assert!(fixture.store.claim_letter(letter, &by("anna"), None).await.unwrap());
    }
    fixture.store.letter_published(done.id).await.unwrap();
    fixture.store.letter_given_back(returned.id).await.unwrap();
    fixture.must_execute("UPDATE dead_letters SET claimed_until = now() WHERE outcome IS NULL").await;
    let ledger = fixture.store.ledger(&[done.id, left.id, returned.id, letter(4).id]).await.unwrap();
    assert_eq!(ledger.len(), 3);
    assert_eq!(ledger[&done.id].outcome, Some(LetterOutcome::Published));
    assert!(ledger[&left.id].abandoned && ledger[&returned.id].abandoned && !ledger[&done.id].abandoned);
    assert!(!fixture.store.claim_letter(&done, &by("ben"), None).await.unwrap());
    assert!(fixture.store.claim_letter(&left, &by("ben"), None).await.unwrap());
    let all = [done, left, returned.clone()];
    let settled = fixture.store.note_letters(&all, LetterOutcome::Settled, &by("eve")).await;
    assert_eq!(settled, Ok(vec![returned.id]), "neither what is done nor what is in hand");
}

#[tokio::test]
async fn a_discard_has_a_reason_is_noted_once_and_can_be_taken_back_by_a_replay() {
    let fixture = Fixture::new().await;
    let letters: Vec<_> = (0..3).map(letter).collect();
    assert!(fixture.store.claim_letter(&letters[2], &by("anna"), None).await.unwrap());
    let discard =
        async |decision: Decision| fixture.store.note_letters(&letters, LetterOutcome::Discarded, &decision).await;
    assert!(discard(Decision { reason: None, ..by("ben") }).await.is_err());
    assert_eq!(discard(by("ben")).await, Ok(vec![letters[0].id, letters[1].id]), "the third is in hand");
    assert_eq!(discard(by("eve")).await, Ok(vec![]));
    let entry = async || fixture.store.ledger(&[letters[0].id]).await.unwrap().remove(&letters[0].id).unwrap();
    let discarded = entry().await;
    assert_eq!((discarded.outcome, discarded.by.as_str()), (Some(LetterOutcome::Discarded), "ben"));
    assert_eq!(discarded.reason.as_deref(), Some("the gateway is back"));

    assert!(fixture.store.claim_letter(&letters[0], &by("eve"), None).await.unwrap());
    fixture.store.letter_published(letters[0].id).await.unwrap();
    assert_eq!(entry().await.outcome, Some(LetterOutcome::Published));
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM dead_letters WHERE done_by IN ('ben', 'eve')")
        .fetch_one(&fixture.sql)
        .await
        .unwrap();
    assert_eq!(rows, 3, "the discard is still on record");
}

#[tokio::test]
async fn the_ledger_is_not_rewritten_by_hand() {
    let fixture = Fixture::new().await;
    fixture.store.note_letters(&[letter(1)], LetterOutcome::Discarded, &by("ben")).await.unwrap();
    for statement in ["DELETE FROM dead_letters", "UPDATE dead_letters SET done_by = 'nobody'"] {
        let refusal = fixture.execute(statement).await;
        assert!(refusal.as_ref().is_err_and(|message| message.contains("append-only")), "{refusal:?}");
    }
}
