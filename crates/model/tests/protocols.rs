//! Every state that the models can reach: the protocols hold, and each of the classic mistakes is found.

use model::{Delivery, DeliveryMistake, MintKey, SignAgain, SignMistake};
use stateright::{Checker, Model};

const ONE_NFT: &str = "at most one NFT";

/// What the checker found broken, by name.
fn broken(model: SignAgain) -> Vec<&'static str> {
    let checked = model.checker().threads(2).spawn_bfs().join();
    let mut broken: Vec<_> = checked
        .discoveries()
        .into_keys()
        .filter(|name| checked.discovery_classification(name).to_string() == "counterexample")
        .collect();
    broken.sort_unstable();
    broken
}

#[test]
fn signing_again_as_designed_mints_once_and_fails_only_what_is_not_minted() {
    let model = SignAgain { key: MintKey::Derived, mistake: None };
    let checked = model.checker().threads(2).spawn_bfs().join();
    println!("sign again: {} states, all of them", checked.unique_state_count());
    checked.assert_properties();
}

#[test]
fn each_mistake_in_signing_again_is_found() {
    let net = [
        (SignMistake::GivenUpAfterNullStatus, "what was given up does not land"),
        (SignMistake::GivenUpAfterInvalidBlockhash, "what was given up does not land"),
        (SignMistake::AbsenceReadBeforeHeight, "what was given up does not land"),
        (SignMistake::StoredAfterSend, "what was sent is on record"),
        (SignMistake::NoGuard, "one attempt at a time"),
        (SignMistake::FailedWhileUndecided, "what has failed is not minted"),
        (SignMistake::FailedKeepsVersion, "what has failed is not minted"),
    ];
    for (mistake, leads_to) in net {
        let broken = broken(SignAgain { key: MintKey::Derived, mistake: Some(mistake) });
        println!("{mistake:?}: {broken:?}");
        assert!(broken.contains(&leads_to), "{mistake:?} breaks {broken:?}");
        // Whatever is done wrong, the chain refuses a second NFT of one address.
        assert!(!broken.contains(&ONE_NFT), "{mistake:?} mints twice");
    }
}

#[test]
fn a_mint_key_drawn_anew_turns_a_mistake_into_a_second_nft() {
    let mistake = Some(SignMistake::GivenUpAfterNullStatus);
    assert!(broken(SignAgain { key: MintKey::Fresh, mistake }).contains(&ONE_NFT));
}

#[test]
fn commit_then_publish_then_offset_loses_nothing() {
    let checked = Delivery { mistake: None }.checker().threads(2).spawn_bfs().join();
    println!("delivery: {} states, all of them", checked.unique_state_count());
    checked.assert_properties();
}

#[test]
fn each_mistake_in_delivery_is_found() {
    let net = [
        (DeliveryMistake::OffsetStoredBeforeCommit, "what lies before the stored offset was published"),
        (DeliveryMistake::SkippedWhenAlreadyPast, "what lies before the stored offset was published"),
        (DeliveryMistake::OffsetPassesGaps, "what lies before the stored offset was published"),
        (DeliveryMistake::NoGuard, "a step is taken once"),
    ];
    for (mistake, leads_to) in net {
        let checked = Delivery { mistake: Some(mistake) }.checker().threads(2).spawn_bfs().join();
        checked.assert_any_discovery(leads_to);
    }
}
