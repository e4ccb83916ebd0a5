//! Claims on burns: one burn pays for one mint, whoever races for it.

use domain::{Burn, MintAddress, NewOperation, Operation, OperationKind, Signature, State, Transition, WalletAddress};
use engine::{BurnClaim, BurnHolder, BurnLedger, Commit, Committed, Inserted, MintPlace, OperationStore};
use store::{Revived, Store};

use crate::dead_letters::{by, letter};
use crate::revive::revival;
use crate::support::{
    Fixture, attempt, expired, failed, ipfs_uploaded, mint, new_operation, signature, somebody_waits, submitted,
};

const BURNED: MintAddress = MintAddress::from_bytes([3; 32]);
/// Every upgrade of the tests mints at one address: the one of their burn.
const PLACE: u64 = 77;

fn place() -> MintPlace {
    MintPlace { mint: mint(PLACE), key_id: "k1".into() }
}

fn upgrade(number: u64, burned: MintAddress) -> NewOperation {
    let mut new = new_operation(number);
    new.content.kind = OperationKind::Upgrade;
    new.content.burn = Some(Burn { mint: burned, signature: Signature::from_bytes([4; 64]) });
    NewOperation { content_hash: new.content.hash(), ..new }
}

async fn inserted(fixture: &Fixture, new: NewOperation) -> Operation {
    let Inserted::Present(operation) = fixture.store.insert(&[new]).await.unwrap().remove(0) else { panic!("there") };
    fixture.advance(&operation, ipfs_uploaded()).await
}

/// An upgrade that is ready to be minted.
async fn ready(fixture: &Fixture, number: u64) -> Operation {
    inserted(fixture, upgrade(number, BURNED)).await
}

async fn claim(store: &Store, operation: &Operation) -> BurnClaim {
    store.claim_burn(operation, &place()).await.unwrap()
}

fn held_by(answer: BurnClaim) -> BurnHolder {
    match answer {
        BurnClaim::HeldBy(holder) => holder,
        BurnClaim::Held | BurnClaim::Overtaken => panic!("{answer:?}"),
    }
}

fn signed(number: u64, nth: u8) -> Transition {
    Transition::Submitted { mint: mint(PLACE), key_id: "k1".into(), attempt: attempt(number, nth), decided: None }
}

/// An upgrade that holds the claim and failed after its transaction expired, and the one that comes after it.
async fn failed_holder(fixture: &Fixture) -> (Operation, Operation) {
    let first = ready(fixture, 1).await;
    assert_eq!(claim(&fixture.store, &first).await, BurnClaim::Held);
    let first = fixture.advance(&fixture.load(first.id).await, signed(1, 0)).await;
    fixture.advance(&first, failed(Some(expired(1, 0)))).await;
    (fixture.load(first.id).await, ready(fixture, 2).await)
}

async fn revive(fixture: &Fixture, operation: &Operation) -> Revived {
    let letter = letter(operation.id.as_uuid().as_u128());
    let decision = by("anna");
    fixture.store.revive(&revival(operation, Some(&letter), &decision)).await.unwrap()
}

async fn kinds(fixture: &Fixture, operation: &Operation) -> Vec<String> {
    let history = fixture.store.operation(operation.id).await.unwrap().unwrap().history;
    history.into_iter().map(|entry| entry.kind).collect()
}

#[tokio::test]
async fn a_claim_sets_the_address_and_is_harmless_to_repeat() {
    let fixture = Fixture::with_contents().await;
    let operation = ready(&fixture, 1).await;
    for _ in 0..2 {
        assert_eq!(claim(&fixture.store, &operation).await, BurnClaim::Held);
        let after = fixture.load(operation.id).await;
        assert_eq!((after.mint_address, after.key_id.as_deref()), (Some(mint(PLACE)), Some("k1")));
        assert_eq!((after.version, after.state), (operation.version, operation.state), "a claim is no transition");
    }
    let claimed = kinds(&fixture, &operation).await.into_iter().filter(|kind| kind == "burn-claimed").count();
    assert_eq!(claimed, 1);
    let other_burn = inserted(&fixture, upgrade(2, MintAddress::from_bytes([4; 32]))).await;
    let elsewhere = MintPlace { mint: mint(78), ..place() };
    assert_eq!(fixture.store.claim_burn(&other_burn, &elsewhere).await, Ok(BurnClaim::Held));
}

#[tokio::test]
async fn of_two_operations_that_claim_one_burn_one_holds_it() {
    let fixture = Fixture::with_contents().await;
    let other = fixture.another_store().await;
    for round in 0..20_u8 {
        let burned = MintAddress::from_bytes([100 + round; 32]);
        let place = MintPlace { mint: mint(1_000 + u64::from(round)), ..place() };
        let one = inserted(&fixture, upgrade(2 * u64::from(round) + 10, burned)).await;
        let two = inserted(&fixture, upgrade(2 * u64::from(round) + 11, burned)).await;
        let (ours, theirs) = tokio::join!(fixture.store.claim_burn(&one, &place), other.claim_burn(&two, &place));
        let winner = match (ours.unwrap(), theirs.unwrap()) {
            (BurnClaim::Held, BurnClaim::HeldBy(holder)) | (BurnClaim::HeldBy(holder), BurnClaim::Held) => holder,
            both => panic!("{both:?}"),
        };
        assert_eq!((winner.state, winner.mint), (State::IpfsUploaded, Some(place.mint)));
        let loser = if winner.id == one.id { two } else { one };
        assert_eq!(fixture.load(loser.id).await.mint_address, None);
    }
}

#[tokio::test]
async fn whoever_waits_for_a_claim_that_is_being_made_sees_its_holder() {
    let fixture = Fixture::with_contents().await;
    let (first, second) = (ready(&fixture, 1).await, ready(&fixture, 2).await);
    let mut person = fixture.sql.begin().await.unwrap();
    sqlx::query("INSERT INTO burn_claims (burned_mint, operation_id) VALUES ($1, $2)")
        .bind(BURNED.to_string())
        .bind(*first.id.as_uuid())
        .execute(&mut *person)
        .await
        .unwrap();
    let (store, asking) = (fixture.store.clone(), second.clone());
    let answer = tokio::spawn(async move { claim(&store, &asking).await });
    somebody_waits(&fixture.sql, 1).await;
    person.commit().await.unwrap();
    assert_eq!(held_by(answer.await.unwrap()).id, first.id);
}

#[tokio::test]
async fn who_was_overtaken_claims_nothing() {
    let fixture = Fixture::with_contents().await;
    let stale = ready(&fixture, 1).await;
    fixture.advance(&stale, failed(None)).await;
    assert_eq!(claim(&fixture.store, &stale).await, BurnClaim::Overtaken);
    let next = ready(&fixture, 2).await;
    assert_eq!(claim(&fixture.store, &next).await, BurnClaim::Held, "a failed operation without a claim is in no way");
}

#[tokio::test]
async fn no_attempt_of_an_upgrade_without_the_claim() {
    let fixture = Fixture::with_contents().await;
    let (holder, other) = (ready(&fixture, 1).await, ready(&fixture, 2).await);
    assert_eq!(claim(&fixture.store, &holder).await, BurnClaim::Held);
    let elsewhere =
        Transition::Submitted { mint: mint(78), key_id: "k1".into(), attempt: attempt(2, 0), decided: None };
    assert_eq!(fixture.commit(&other, elsewhere).await, Ok(Committed::Overtaken));
    let found = Transition::Confirmed { mint: mint(78), signature: signature(2, 0) };
    assert_eq!(fixture.commit(&other, found).await, Ok(Committed::Overtaken));
    let typed = format!(
        "INSERT INTO mint_attempts (signature, operation_id, version, wire, blockhash, last_valid_block_height,
                                    context_slot, compute_unit_price, endpoint)
         VALUES ('s', '{}', 2, '\\x00', 'b', 1, 1, 0, 'e')",
        other.id
    );
    let refusal = fixture.execute(typed).await;
    assert!(refusal.as_ref().is_err_and(|reason| reason.contains("does not hold the claim")), "{refusal:?}");
    fixture.advance(&fixture.load(holder.id).await, signed(1, 0)).await;
    let unlock = fixture.standing(3, State::IpfsUploaded).await;
    fixture.advance(&unlock, submitted(3, 0, None)).await;
}

#[tokio::test]
async fn a_failed_holder_hands_its_claim_to_the_next() {
    let fixture = Fixture::with_contents().await;
    let (first, second) = failed_holder(&fixture).await;
    let holder = held_by(claim(&fixture.store, &second).await);
    assert_eq!((holder.id, holder.version, holder.state), (first.id, first.version, State::Failed));
    assert_eq!((holder.mint, holder.newest_slot), (Some(mint(PLACE)), Some(320_000_000)));
    assert_eq!(fixture.store.hand_over_burn(&holder, &second, &place()).await, Ok(true));

    let (before, after) = (fixture.load(first.id).await, fixture.load(second.id).await);
    assert_eq!((before.state, before.version, before.mint_address), (State::Failed, first.version + 1, None));
    assert_eq!((after.state, after.version, after.mint_address), (second.state, second.version, Some(mint(PLACE))));
    assert_eq!(kinds(&fixture, &first).await.last().map(String::as_str), Some("burn-claim-given-up"));
    fixture.advance(&after, signed(2, 0)).await;
    assert_eq!(fixture.store.hand_over_burn(&holder, &second, &place()).await, Ok(false), "once");

    // A retry of the first one has to claim again, and does not get it.
    assert_eq!(revive(&fixture, &before).await, Revived::To(State::IpfsUploaded));
    let retried = fixture.load(first.id).await;
    assert_eq!(held_by(claim(&fixture.store, &retried).await).id, second.id);
    assert_eq!(fixture.commit(&retried, signed(1, 1)).await, Ok(Committed::Overtaken));
}

#[tokio::test]
async fn nothing_is_handed_over_that_may_still_be_minted() {
    let fixture = Fixture::with_contents().await;
    let first = ready(&fixture, 1).await;
    assert_eq!(claim(&fixture.store, &first).await, BurnClaim::Held);
    let second = ready(&fixture, 2).await;
    let holder = held_by(claim(&fixture.store, &second).await);
    let refused = async |holder: &BurnHolder| {
        assert_eq!(fixture.store.hand_over_burn(holder, &second, &place()).await, Ok(false));
        assert_eq!(held_by(claim(&fixture.store, &second).await).id, first.id);
    };
    refused(&holder).await;
    let submitted = fixture.advance(&fixture.load(first.id).await, signed(1, 0)).await;
    refused(&BurnHolder { version: submitted.version, ..holder.clone() }).await;
    fixture.advance(&submitted, failed(Some(expired(1, 0)))).await;
    refused(&holder).await;
    // An attempt that came there past every guard.
    fixture.must_execute("ALTER TABLE mint_attempts DISABLE TRIGGER frozen").await;
    fixture.must_execute("UPDATE mint_attempts SET verdict = NULL, decided_at = NULL").await;
    refused(&held_by(claim(&fixture.store, &second).await)).await;
}

#[tokio::test]
async fn a_claim_stays_with_its_wallet() {
    let fixture = Fixture::with_contents().await;
    let (_, own) = failed_holder(&fixture).await;
    let mut new = upgrade(3, BURNED);
    new.content.wallet_address = WalletAddress::from_bytes([9; 32]);
    let stranger = inserted(&fixture, NewOperation { content_hash: new.content.hash(), ..new }).await;
    let holder = held_by(claim(&fixture.store, &stranger).await);
    assert_eq!(fixture.store.hand_over_burn(&holder, &stranger, &place()).await, Ok(false));
    assert_eq!(fixture.store.hand_over_burn(&holder, &own, &place()).await, Ok(true));
}

#[tokio::test]
async fn of_two_heirs_one_inherits() {
    let fixture = Fixture::with_contents().await;
    let (_, second) = failed_holder(&fixture).await;
    let third = ready(&fixture, 3).await;
    let other = fixture.another_store().await;
    let holder = held_by(claim(&fixture.store, &second).await);
    let place = place();
    let (ours, theirs) = tokio::join!(
        fixture.store.hand_over_burn(&holder, &second, &place),
        other.hand_over_burn(&holder, &third, &place)
    );
    assert_ne!(ours.unwrap(), theirs.unwrap());
    let placed = [fixture.load(second.id).await.mint_address, fixture.load(third.id).await.mint_address];
    assert_eq!(placed.into_iter().flatten().count(), 1);
}

#[tokio::test]
async fn a_retry_and_a_hand_over_at_once_leave_one_of_them() {
    let fixture = Fixture::with_contents().await;
    let (first, second) = failed_holder(&fixture).await;
    let holder = held_by(claim(&fixture.store, &second).await);
    let place = place();
    let (revived, moved) =
        tokio::join!(revive(&fixture, &first), fixture.store.hand_over_burn(&holder, &second, &place));
    match (revived, moved.unwrap()) {
        (Revived::To(State::IpfsUploaded), false) => {
            assert_eq!(claim(&fixture.store, &fixture.load(first.id).await).await, BurnClaim::Held);
        }
        (Revived::Overtaken, true) => assert_eq!(claim(&fixture.store, &second).await, BurnClaim::Held),
        both => panic!("{both:?}"),
    }
}

/// A worker signed for the first operation, fell asleep, and wakes up when the claim has long moved.
#[tokio::test]
async fn a_sleeper_inserts_no_attempt_after_the_claim_moved() {
    let fixture = Fixture::with_contents().await;
    let first = ready(&fixture, 1).await;
    assert_eq!(claim(&fixture.store, &first).await, BurnClaim::Held);
    let seen = fixture.load(first.id).await;
    let late = [Commit { operation: seen.clone(), transition: signed(1, 0) }];
    fixture.advance(&seen, failed(None)).await;
    let second = ready(&fixture, 2).await;
    let holder = held_by(claim(&fixture.store, &second).await);

    // It wakes up in the middle of the handing over.
    let mut pause = fixture.sql.begin().await.unwrap();
    sqlx::query("SELECT FROM burn_claims FOR UPDATE").execute(&mut *pause).await.unwrap();
    let (store, heir) = (fixture.store.clone(), second.clone());
    let moving = tokio::spawn(async move { store.hand_over_burn(&holder, &heir, &place()).await });
    somebody_waits(&fixture.sql, 1).await;
    assert_eq!(fixture.store.commit(&late).await, Ok(vec![Committed::Overtaken]));
    pause.commit().await.unwrap();
    assert_eq!(moving.await.unwrap(), Ok(true));
    let attempts = fixture.store.operation(first.id).await.unwrap().unwrap().attempts;
    assert!(attempts.is_empty());
    fixture.advance(&fixture.load(second.id).await, signed(2, 0)).await;
}

#[tokio::test]
async fn not_even_a_hand_typed_statement_moves_a_claim_that_stands() {
    let fixture = Fixture::with_contents().await;
    let first = ready(&fixture, 1).await;
    assert_eq!(claim(&fixture.store, &first).await, BurnClaim::Held);
    let (second, unlock) = (ready(&fixture, 2).await, fixture.standing(3, State::IpfsUploaded).await);
    for (sql, reason) in [
        ("DELETE FROM burn_claims".to_owned(), "append-only"),
        (format!("UPDATE burn_claims SET operation_id = '{}'", second.id), "has not given up its claim"),
        (format!("UPDATE burn_claims SET operation_id = '{}'", unlock.id), "is no upgrade"),
        ("UPDATE burn_claims SET burned_mint = 'another'".to_owned(), "is no upgrade"),
        (format!("INSERT INTO burn_claims VALUES ('another', '{}')", second.id), "is no upgrade"),
        (
            format!(
                "UPDATE minting_operations SET mint_address = NULL, version = version + 1 WHERE id = '{}'",
                first.id
            ),
            "mint_address",
        ),
    ] {
        let refusal = fixture.execute(&*sql).await;
        assert!(refusal.as_ref().is_err_and(|message| message.contains(reason)), "{sql}: {refusal:?}");
    }
    let minted = fixture.advance(&fixture.load(first.id).await, signed(1, 0)).await;
    fixture.advance(&minted, Transition::Confirmed { mint: mint(PLACE), signature: signature(1, 0) }).await;
    assert_eq!(held_by(claim(&fixture.store, &second).await).state, State::BlockchainConfirmed);
}
