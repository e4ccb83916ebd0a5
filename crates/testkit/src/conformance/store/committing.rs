//! What a commit does to the row, to its history and to its record.

use domain::{Failure, Operation, State, Transition};
use engine::{Committed, OperationStore, PinLedger, StoreError};

use super::scene::{Scene, commit};
use super::world::{Bookkeeping, Happened, StoreWorld};
use crate::memory_store::PinState;
use crate::samples::operation_id;
use crate::transitions::{
    at_the_backup, database_updated, every_transition, failed, image, image_uploaded, ipfs_uploaded, later, metadata,
    submitted, taken,
};

pub async fn the_row_becomes_what_the_domain_says<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    for (number, case) in (0..).zip(0..every_transition(0).len()) {
        let (from, transition) = every_transition(number).swap_remove(case);
        let id = scene.standing(number, from).await.id;
        scene.world.wear(id).await;
        let before = scene.load(id).await;
        assert_eq!((before.attempts, before.next_attempt_at), (3, Some(later())));
        let worn = Bookkeeping { claimed: true, requested: true, wakes: 2, status_owed: true };
        assert_eq!(scene.world.bookkeeping(id).await, worn);
        let committed = scene.commit(&before, transition.clone()).await.unwrap();
        let Committed::At(at) = committed else { panic!("{from}, {transition:?}: {committed:?}") };
        assert_eq!(scene.load(id).await, before.after(&transition, at).unwrap(), "{from}, {transition:?}");
        let left = Bookkeeping { status_owed: true, ..Bookkeeping::default() };
        assert_eq!(scene.world.bookkeeping(id).await, left, "{from}, {transition:?}");
    }
}

pub async fn a_transition_that_the_domain_does_not_know_is_the_rows_fault<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    for (number, from) in (0..).zip(State::ALL) {
        let operation = scene.standing(number, from).await;
        // Of those that no other guard has a say in.
        for transition in [image_uploaded(), ipfs_uploaded(), Transition::Dropped, Transition::Verified] {
            let to = transition.to();
            if from.may_become(to) {
                continue;
            }
            let refusal = scene.commit(&operation, transition).await;
            let Err(StoreError::Row { sqlstate, message }) = &refusal else { panic!("{from}, {to}: {refusal:?}") };
            assert_eq!(sqlstate, "P0001");
            assert_eq!(*message, format!("operation {} may not go from {from} to {to}", operation.id));
        }
        assert_eq!(scene.load(operation.id).await, operation);
    }
}

pub async fn a_stale_view_is_overtaken_and_leaves_nothing<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let stale = scene.inserted(1).await;
    let current = scene.advance(&stale, ipfs_uploaded()).await;
    assert_eq!(scene.commit(&stale, failed(None)).await, Ok(Committed::Overtaken));
    let wrong_version = Operation { version: 7, ..current.clone() };
    assert_eq!(scene.commit(&wrong_version, submitted(1, 0, None)).await, Ok(Committed::Overtaken));
    let wrong_state = Operation { state: State::Initiated, ..current.clone() };
    assert_eq!(scene.commit(&wrong_state, failed(None)).await, Ok(Committed::Overtaken));
    let nobody = Operation { id: operation_id(99), ..current.clone() };
    assert_eq!(scene.commit(&nobody, submitted(1, 0, None)).await, Ok(Committed::Overtaken));
    assert_eq!(scene.load(stale.id).await, current);
    assert_eq!(scene.world.attempts(stale.id).await, []);
    assert_eq!(scene.world.history(stale.id).await.len(), 2);
}

pub async fn a_content_that_is_not_pinned_is_not_stored<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let operation = scene.inserted(1).await;
    assert_eq!(scene.commit(&operation, image_uploaded()).await, Ok(Committed::NotPinned));
    scene.pin(&[image()]).await;
    assert_eq!(scene.commit(&operation, ipfs_uploaded()).await, Ok(Committed::NotPinned));
    scene.pin(&[metadata()]).await;
    for state in [PinState::Pending, PinState::Unpinning, PinState::Unpinned] {
        scene.world.type_pin(&image(), "pinata", state).await;
        assert_eq!(scene.commit(&operation, ipfs_uploaded()).await, Ok(Committed::NotPinned), "{state:?}");
    }
    assert_eq!(scene.load(operation.id).await, operation);
    scene.world.type_pin(&image(), "pinata", PinState::Pinned).await;
    scene.advance(&operation, ipfs_uploaded()).await;
}

pub async fn a_content_at_another_provider_will_do<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let operation = scene.inserted(1).await;
    scene.pin(&[image()]).await;
    scene.world.type_pin(&image(), "pinata", PinState::Unpinned).await;
    let elsewhere = [image(), metadata()].map(|cid| taken(at_the_backup(&cid)));
    scene.store().pinned(&elsewhere).await.unwrap();
    scene.advance(&operation, ipfs_uploaded()).await;
}

pub async fn a_batch_may_mix_everything<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let mut batch = Vec::new();
    for (number, case) in (0..).zip(0..every_transition(0).len()) {
        let (from, transition) = every_transition(number).swap_remove(case);
        batch.push(commit(&scene.standing(number, from).await, transition));
    }
    // And one that is overtaken, which is nothing to the others.
    batch.push(commit(&Operation { version: 7, ..scene.inserted(99).await }, failed(None)));
    let answers = scene.store().commit(&batch).await.unwrap();
    assert_eq!(answers.len(), batch.len());
    assert_eq!(answers.last(), Some(&Committed::Overtaken));
    for (commit, answer) in batch.iter().zip(&answers).take(every_transition(0).len()) {
        let Committed::At(at) = answer else { panic!("{commit:?}: {answer:?}") };
        let after = commit.operation.after(&commit.transition, *at).unwrap();
        assert_eq!(scene.load(commit.operation.id).await, after);
    }
}

pub async fn of_two_transitions_of_one_operation_in_a_batch_one_is_overtaken<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let operation = scene.inserted(1).await;
    let batch = [commit(&operation, ipfs_uploaded()), commit(&operation, failed(None))];
    let answers = scene.store().commit(&batch).await.unwrap();
    assert!(matches!(answers[..], [Committed::At(_), Committed::Overtaken]), "{answers:?}");
    assert_eq!(scene.load(operation.id).await.state, State::IpfsUploaded);
}

pub async fn a_failure_with_a_nul_in_its_message_can_be_stored<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let operation = scene.inserted(1).await;
    let failure = Failure::permanent("odd", "a\0b");
    scene.advance(&operation, Transition::Failed { failure, decided: None }).await;
    assert_eq!(scene.load(operation.id).await.failure.unwrap().message, "a\u{fffd}b");
}

pub async fn a_flag_keeps_its_first_reason_and_moves_nothing<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let operation = scene.inserted(1).await;
    scene.store().flag(operation.id, "first\0").await.unwrap();
    scene.store().flag(operation.id, "second").await.unwrap();
    scene.store().flag(operation_id(99), "nobody").await.unwrap();
    let flagged = scene.load(operation.id).await;
    assert_eq!(flagged, Operation { needs_review: Some("first\u{fffd}".into()), ..operation });
    let history = scene.world.history(flagged.id).await;
    assert_eq!(history.iter().map(|line| &*line.kind).collect::<Vec<_>>(), ["transition", "flagged"]);
    assert_eq!(scene.load(scene.inserted(99).await.id).await.needs_review, None, "a flag is no promise");
}

pub async fn every_transition_is_one_line_of_history<W: StoreWorld>() {
    use State as S;
    let scene = Scene::<W>::with_contents().await;
    let operation = scene.standing(1, S::Verified).await;
    let way = [
        (None, S::Initiated),
        (Some(S::Initiated), S::IpfsUploaded),
        (Some(S::IpfsUploaded), S::BlockchainSubmitted),
        (Some(S::BlockchainSubmitted), S::BlockchainConfirmed),
        (Some(S::BlockchainConfirmed), S::DatabaseUpdated),
        (Some(S::DatabaseUpdated), S::Verified),
    ];
    let line = |(version, (from, to))| Happened { kind: "transition".into(), version, from, to: Some(to) };
    assert_eq!(scene.world.history(operation.id).await, (1..).zip(way).map(line).collect::<Vec<_>>());
}

pub async fn the_finished_record_is_business_data_once_it_is_verified<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let confirmed = scene.standing(1, State::BlockchainConfirmed).await;
    assert_eq!(scene.world.nft(confirmed.id).await, None);
    let recorded = scene.advance(&confirmed, database_updated(1, 0)).await;
    let Transition::DatabaseUpdated { record } = database_updated(1, 0) else { unreachable!() };
    assert_eq!(scene.world.nft(confirmed.id).await, Some((record.clone(), None)));
    let verified = scene.advance(&recorded, Transition::Verified).await;
    assert_eq!(scene.world.nft(confirmed.id).await, Some((record, Some(verified.updated_at))));
}
