//! What is cleared away: contents of operations that failed for good, and the bytes of transactions that are over.

use std::time::Duration;

use domain::{RetryTerms, State};
use engine::{Committed, PinClaim, PinLedger};
use store::{Revival, Revived, Unpin};
use testkit::conformance::store::YOURS;

use crate::dead_letters::by;
use crate::support::{Fixture, at_the_backup, expired, failed, image, ipfs_uploaded, metadata, submitted, taken};

const AT_ONCE: Duration = Duration::ZERO;

async fn due(fixture: &Fixture) -> usize {
    fixture.store.claim_rollbacks(AT_ONCE, 10).await.unwrap().len()
}

async fn claim(fixture: &Fixture) -> PinClaim {
    fixture.claim_pins(&[image()]).await[0]
}

async fn let_leases_run_out(fixture: &Fixture) {
    fixture.must_execute("UPDATE minting_operations SET claimed_until = NULL").await;
    fixture.must_execute("UPDATE pinned_content SET claimed_until = now() WHERE claimed_until IS NOT NULL").await;
}

#[tokio::test]
async fn only_what_failed_with_content_and_cannot_be_minted_any_more_falls_due() {
    let fixture = Fixture::with_contents().await;
    for (number, state) in (1..).zip(State::ALL) {
        fixture.standing(number, state).await;
    }
    let bare = fixture.inserted(20).await;
    fixture.advance(&bare, failed(None)).await;
    assert!(fixture.store.claim_rollbacks(Duration::from_mins(1), 10).await.unwrap().is_empty(), "too early");
    let claimed = fixture.store.claim_rollbacks(AT_ONCE, 10).await.unwrap();
    let expected = (State::ALL.into_iter().position(|state| state == State::Failed).unwrap() + 1) as u64;
    assert_eq!(claimed.iter().map(|one| one.operation).collect::<Vec<_>>(), [testkit::operation_id(expected)]);
    assert_eq!((&claimed[0].contents[..], claimed[0].is_overdue), (&[image(), metadata()][..], false));
    assert_eq!(due(&fixture).await, 0, "one process has it");
    fixture
        .must_execute("UPDATE minting_operations SET claimed_until = NULL, failed_at = now() - interval '2 hours'")
        .await;
    assert!(fixture.store.claim_rollbacks(AT_ONCE, 10).await.unwrap()[0].is_overdue);

    // Nothing of ours leaves an undecided transaction behind a failure: a person did.
    let_leases_run_out(&fixture).await;
    fixture
        .must_execute(format!(
            "INSERT INTO mint_attempts (signature, operation_id, version, wire, blockhash, last_valid_block_height,
                                        context_slot, compute_unit_price, endpoint)
             VALUES ('x', '{}', 1, 'x', 'x', 1, 1, 1, 'x')",
            claimed[0].operation
        ))
        .await;
    assert_eq!(due(&fixture).await, 0, "it may still be minted");
}

#[tokio::test]
async fn a_content_is_in_use_while_anybody_refers_to_it_who_has_not_ended_without_an_nft() {
    for state in State::ALL {
        let fixture = Fixture::with_contents().await;
        fixture.standing(1, State::Failed).await;
        let other = fixture.standing(2, state).await;
        let refers = other.image_cid.is_some() && !matches!(state, State::Failed | State::RolledBack);
        let expected = if refers { Unpin::InUse } else { Unpin::At(vec!["pinata".into()]) };
        assert_eq!(fixture.store.begin_unpin(&image()).await, Ok(expected), "{state}");
    }
}

/// Whoever finds the first provider away goes to the backup.
#[tokio::test]
async fn while_it_is_unpinned_anywhere_nobody_pins_it_elsewhere() {
    let fixture = Fixture::with_contents().await;
    fixture.store.pinned(&[taken(at_the_backup(&image()))]).await.unwrap();
    let Ok(Unpin::At(mut holders)) = fixture.store.begin_unpin(&image()).await else { panic!("nobody uses it") };
    holders.sort();
    assert_eq!(holders, ["kubo", "pinata"]);
    fixture.store.unpin_ended(&image(), "pinata", true).await.unwrap();
    assert_eq!(claim(&fixture).await, PinClaim::Elsewhere, "the backup's turn is still to come");
    fixture.store.unpin_ended(&image(), "kubo", false).await.unwrap();
    assert_eq!(claim(&fixture).await, PinClaim::Elsewhere, "and may have come");
    let_leases_run_out(&fixture).await;
    assert_eq!(claim(&fixture).await, YOURS);
}

#[tokio::test]
async fn while_it_is_unpinned_nobody_pins_it_and_whoever_unpins_it_dies_alone() {
    let fixture = Fixture::with_contents().await;
    assert_eq!(fixture.store.begin_unpin(&image()).await, Ok(Unpin::At(vec!["pinata".into()])));
    assert_eq!(claim(&fixture).await, PinClaim::Elsewhere);
    assert_eq!(fixture.store.begin_unpin(&image()).await, Ok(Unpin::Busy));
    let_leases_run_out(&fixture).await;
    assert_eq!(claim(&fixture).await, YOURS, "an upload is not held up by the dead");
    assert_eq!(fixture.store.begin_unpin(&image()).await, Ok(Unpin::Busy), "it is being uploaded");
    fixture.store.unpin_ended(&image(), "pinata", true).await.unwrap();
    fixture.pin(&[image()]).await;
    assert_eq!(claim(&fixture).await, PinClaim::Pinned, "whoever woke up late changes nothing");

    assert_eq!(fixture.store.begin_unpin(&image()).await, Ok(Unpin::At(vec!["pinata".into()])));
    fixture.store.unpin_ended(&image(), "pinata", false).await.unwrap();
    assert_eq!(claim(&fixture).await, PinClaim::Elsewhere, "it may be carried out yet");
    let_leases_run_out(&fixture).await;
    assert_eq!(claim(&fixture).await, YOURS, "nobody knows who holds it: it may be pinned");
    let_leases_run_out(&fixture).await;
    assert_eq!(fixture.store.begin_unpin(&image()).await, Ok(Unpin::At(vec!["pinata".into()])), "or unpinned again");
    fixture.store.unpin_ended(&image(), "pinata", true).await.unwrap();
    assert_eq!(fixture.store.begin_unpin(&image()).await, Ok(Unpin::At(vec![])), "there is nothing left to do");
}

#[tokio::test]
async fn of_an_unpin_and_a_commit_that_stores_the_content_one_gives_way() {
    let fixture = Fixture::new().await;
    let other = fixture.another_store().await;
    let (mut unpinned, mut stored) = (0, 0);
    for number in 0..60 {
        fixture.pin(&[image(), metadata()]).await;
        let operation = fixture.inserted(number).await;
        let content = image();
        let (committed, unpin) = tokio::join!(fixture.commit(&operation, ipfs_uploaded()), other.begin_unpin(&content));
        match (committed.unwrap(), unpin.unwrap()) {
            (Committed::At(_), Unpin::InUse) => stored += 1,
            (Committed::NotPinned, Unpin::At(_)) => {
                unpinned += 1;
                other.unpin_ended(&image(), "pinata", true).await.unwrap();
            }
            both => panic!("{both:?}"),
        }
        let operation = fixture.load(operation.id).await;
        fixture.advance(&operation, failed(None)).await;
    }
    eprintln!("{stored} commits and {unpinned} unpins were first");
}

#[tokio::test]
async fn of_a_rollback_and_a_persons_retry_one_gives_way() {
    let fixture = Fixture::new().await;
    let other = fixture.another_store().await;
    let (decision, terms) = (by("anna"), RetryTerms::default());
    for number in 0..40 {
        fixture.pin(&[image(), metadata()]).await;
        let operation = fixture.standing(number, State::Failed).await;
        let rollback = other.claim_rollbacks(AT_ONCE, 1).await.unwrap().remove(0);
        let revival = Revival {
            operation: &operation,
            minted_by: None,
            amendment: None,
            letter: None,
            wanted: None,
            terms: &terms,
            decision: &decision,
        };
        let rolling_back = async {
            let unpin = other.begin_unpin(&image()).await.unwrap();
            if let Unpin::At(_) = unpin {
                other.unpin_ended(&image(), "pinata", true).await.unwrap();
                other.roll_back(&rollback, &[]).await.unwrap();
            }
            unpin
        };
        match tokio::join!(fixture.store.revive(&revival), rolling_back) {
            (Ok(Revived::To(State::IpfsUploaded)), Unpin::InUse)
            | (Ok(Revived::To(State::Initiated) | Revived::Overtaken), Unpin::At(_)) => {}
            both => panic!("{both:?}"),
        }
        let after = fixture.load(operation.id).await;
        if after.state.may_become(State::Failed) {
            fixture.advance(&after, failed(None)).await;
        }
        fixture.must_execute("UPDATE minting_operations SET image_cid = NULL, metadata_cid = NULL").await;
    }
}

#[tokio::test]
async fn the_bytes_of_what_is_over_go_and_nothing_else_of_it() {
    let fixture = Fixture::with_contents().await;
    let open = fixture.standing(1, State::BlockchainSubmitted).await;
    let over = fixture.standing(2, State::BlockchainSubmitted).await;
    fixture.advance(&over, failed(Some(expired(2, 0)))).await;
    let clear = async |kept| fixture.store.clear_attempt_bytes(Duration::from_secs(kept), 10).await.unwrap();
    assert_eq!(clear(60).await, 0, "too early");
    assert_eq!((clear(0).await, clear(0).await), (1, 0));
    assert_eq!(fixture.load(open.id).await.open_attempt, open.open_attempt, "what may be sent again is kept");
    let report = fixture.store.operation(over.id).await.unwrap().unwrap();
    assert_eq!(report.attempts[0].verdict, Some(domain::Verdict::Expired));

    for (change, of) in
        [("wire = 'x'", 2), ("wire = '', endpoint = 'x'", 2), ("verdict = 'finalized'", 2), ("wire = ''", 1)]
    {
        let id = testkit::operation_id(of);
        let refused = fixture.execute(format!("UPDATE mint_attempts SET {change} WHERE operation_id = '{id}'")).await;
        assert!(refused.is_err(), "{change} of {of}");
    }
    let again = fixture.standing(3, State::IpfsUploaded).await;
    fixture.advance(&again, submitted(3, 1, None)).await;
}
