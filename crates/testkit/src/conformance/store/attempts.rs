//! One transaction at a time, and none that is forgotten: what the store refuses so that no operation is minted twice.

use domain::{Attempt, DecidedAttempt, State, Transition, Verdict, WalletAddress};
use engine::Committed;

use super::scene::{Scene, sqlstate};
use super::world::StoreWorld;
use crate::transitions::{COST, attempt, confirmed, database_updated, expired, failed, mint, signature, submitted};

pub async fn no_operation_fails_while_an_attempt_is_undecided<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let operation = scene.standing(1, State::BlockchainSubmitted).await;
    assert_eq!(scene.commit(&operation, failed(None)).await, Ok(Committed::Overtaken));
    let another = failed(Some(expired(1, 9)));
    assert_eq!(scene.commit(&operation, another).await, Ok(Committed::Overtaken));
    assert_eq!(scene.load(operation.id).await, operation);
    let ended = scene.advance(&operation, failed(Some(expired(1, 0)))).await;
    assert_eq!(ended.failed_from, Some(State::BlockchainSubmitted));
    assert_eq!(scene.world.attempts(ended.id).await, [(3, signature(1, 0), Some(Verdict::Expired))]);
}

pub async fn signing_again_replaces_the_attempt_or_nothing<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let operation = scene.standing(1, State::BlockchainSubmitted).await;
    assert_eq!(scene.commit(&operation, submitted(1, 1, None)).await, Ok(Committed::Overtaken));
    // A signature that is on record already is refused; the first attempt stays open.
    let reused = scene.commit(&operation, submitted(1, 0, Some(expired(1, 0)))).await;
    assert_eq!(sqlstate(reused), "23505");
    assert_eq!(scene.load(operation.id).await, operation);

    let again = scene.advance(&operation, submitted(1, 1, Some(expired(1, 0)))).await;
    assert_eq!(scene.load(operation.id).await, again);
    assert_eq!(again.open_attempt.map(|attempt| attempt.signature), Some(signature(1, 1)));
    let attempts = [(3, signature(1, 0), Some(Verdict::Expired)), (4, signature(1, 1), None)];
    assert_eq!(scene.world.attempts(operation.id).await, attempts);
}

pub async fn who_slept_through_failed_signs_nothing<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    // One slept before its first signature, one before signing anew.
    let first = scene.standing(1, State::IpfsUploaded).await;
    scene.advance(&first, failed(None)).await;
    assert_eq!(scene.commit(&first, submitted(1, 0, None)).await, Ok(Committed::Overtaken));
    assert_eq!(scene.world.attempts(first.id).await, []);

    let again = scene.standing(2, State::BlockchainSubmitted).await;
    let ended = scene.advance(&again, failed(Some(expired(2, 0)))).await;
    assert_eq!(scene.commit(&again, submitted(2, 1, Some(expired(2, 0)))).await, Ok(Committed::Overtaken));
    assert_eq!(scene.world.attempts(again.id).await.len(), 1);
    assert_eq!(scene.load(again.id).await, ended);
}

pub async fn every_verdict_is_recorded_as_it_was_told<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    for (number, verdict) in (0..).zip(Verdict::ALL) {
        let operation = scene.standing(number, State::BlockchainSubmitted).await;
        let decided = DecidedAttempt { signature: signature(number, 0), verdict };
        scene.advance(&operation, submitted(number, 1, Some(decided))).await;
        let attempts = [(3, signature(number, 0), Some(verdict)), (4, signature(number, 1), None)];
        assert_eq!(scene.world.attempts(operation.id).await, attempts);
        // It is decided for good: nobody decides it again.
        let signed_anew = scene.load(operation.id).await;
        let twice = failed(Some(expired(number, 0)));
        assert_eq!(scene.commit(&signed_anew, twice).await, Ok(Committed::Overtaken));
    }
}

pub async fn an_attempt_keeps_what_it_costs_whatever_becomes_of_it<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let operation = scene.standing(1, State::IpfsUploaded).await;
    // The chain did not tell what the first one costs.
    let untold = Attempt { cost: None, ..attempt(1, 0) };
    let first = Transition::Submitted { mint: mint(1), key_id: "k1".into(), attempt: untold, decided: None };
    let signed = scene.advance(&operation, first).await;
    assert_eq!(scene.load(operation.id).await, signed);
    let again = scene.advance(&signed, submitted(1, 1, Some(expired(1, 0)))).await;
    assert_eq!(scene.load(operation.id).await, again);
    assert_eq!(again.open_attempt.as_ref().and_then(|attempt| attempt.cost), Some(COST));
    let minted = scene.advance(&again, confirmed(1, 1)).await;
    scene.advance(&minted, database_updated(1, 1)).await;
    assert_eq!(scene.world.costs(operation.id).await, [None, Some(COST)]);
}

pub async fn the_attempt_of_another_operation_is_no_verdict_on_this_one<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let one = scene.standing(1, State::BlockchainSubmitted).await;
    let other = scene.standing(2, State::IpfsUploaded).await;
    for transition in [failed(Some(expired(1, 0))), submitted(2, 0, Some(expired(1, 0)))] {
        assert_eq!(scene.commit(&other, transition).await, Ok(Committed::Overtaken));
    }
    assert_eq!(scene.load(one.id).await, one);
    assert_eq!(scene.load(other.id).await, other);
}

pub async fn a_finalized_mint_closes_whichever_attempt_is_open<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let operation = scene.standing(1, State::DatabaseUpdated).await;
    assert_eq!(scene.world.attempts(operation.id).await, [(3, signature(1, 0), Some(Verdict::Finalized))]);
    assert_eq!(operation.open_attempt, None);
    // The attempt before minted it after all: the open one can mint nothing any more.
    let operation = scene.standing(2, State::BlockchainSubmitted).await;
    let again = scene.advance(&operation, submitted(2, 1, Some(expired(2, 0)))).await;
    let minted = scene.advance(&again, confirmed(2, 0)).await;
    assert!(minted.open_attempt.is_some(), "nothing is final yet");
    scene.advance(&minted, database_updated(2, 0)).await;
    let verdicts = scene.world.attempts(operation.id).await.into_iter().map(|(_, _, verdict)| verdict);
    assert_eq!(verdicts.collect::<Vec<_>>(), [Some(Verdict::Expired); 2]);
}

pub async fn what_finality_dropped_keeps_its_attempt<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let operation = scene.standing(1, State::BlockchainConfirmed).await;
    let dropped = scene.advance(&operation, Transition::Dropped).await;
    assert_eq!(scene.load(operation.id).await, dropped);
    assert_eq!((dropped.state, dropped.signature), (State::BlockchainSubmitted, None));
    assert_eq!(dropped.open_attempt.map(|attempt| attempt.signature), Some(signature(1, 0)));
}

pub async fn a_mint_address_is_one_operations_own<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    scene.standing(1, State::BlockchainSubmitted).await;
    let other = scene.standing(2, State::IpfsUploaded).await;
    let mut transition = submitted(2, 0, None);
    if let Transition::Submitted { mint: address, .. } = &mut transition {
        *address = mint(1);
    }
    assert_eq!(sqlstate(scene.commit(&other, transition).await), "23505");
    let found = Transition::Confirmed { mint: mint(1), signature: signature(2, 0) };
    assert_eq!(sqlstate(scene.commit(&other, found).await), "23505");
    assert_eq!(scene.load(other.id).await, other);
    assert_eq!(scene.world.attempts(other.id).await, []);
}

pub async fn a_mint_address_never_changes<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let operation = scene.standing(1, State::BlockchainSubmitted).await;
    let mut transition = submitted(1, 1, Some(expired(1, 0)));
    if let Transition::Submitted { mint: address, .. } = &mut transition {
        *address = mint(7);
    }
    assert_eq!(sqlstate(scene.commit(&operation, transition).await), "P0001");
    assert_eq!(scene.load(operation.id).await, operation);
}

pub async fn nothing_is_signed_without_bytes<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let operation = scene.standing(1, State::IpfsUploaded).await;
    let mut transition = submitted(1, 0, None);
    if let Transition::Submitted { attempt, .. } = &mut transition {
        attempt.wire.clear();
    }
    assert_eq!(sqlstate(scene.commit(&operation, transition).await), "23514");
    assert_eq!(scene.load(operation.id).await, operation);
}

pub async fn who_paid_is_on_record_where_it_was_told<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    for (number, payer) in [(1, Some(WalletAddress::from_bytes([6; 32]))), (2, None)] {
        let operation = scene.standing(number, State::IpfsUploaded).await;
        let mut transition = submitted(number, 0, None);
        if let Transition::Submitted { attempt, .. } = &mut transition {
            attempt.payer = payer;
        }
        let signed = scene.advance(&operation, transition).await;
        assert_eq!(scene.load(operation.id).await, signed);
        assert_eq!(signed.open_attempt.and_then(|attempt| attempt.payer), payer);
    }
}
