//! What the mint step makes of the collection that an order names: it is looked at before anything is claimed or signed.

mod support;

use chrono::{DateTime, TimeDelta};
use domain::{MintAddress, Operation, State, Transition, Verdict};
use engine::{StepError, StepHandler};
use solana::{CollectionState, Landing, MasterSecrets, MintSigner, Mints, Payers, Pubkey, TokenMetadata};
use support::{FakeChain, authority, master, minter, minter_at, minter_of, operation, payer_1, payer_2};

const COLLECTION: MintAddress = MintAddress::from_bytes([5; 32]);
const ANOTHERS: CollectionState = CollectionState::Standing { authority: Pubkey::new_from_array([6; 32]) };

fn ours() -> CollectionState {
    CollectionState::Standing { authority: authority() }
}

fn ordered() -> Operation {
    let mut operation = operation();
    operation.content.nft.collection = Some(COLLECTION);
    operation
}

fn chain(collection: CollectionState) -> FakeChain {
    let chain = FakeChain::default();
    chain.script.lock().unwrap().collection = Some(collection);
    chain
}

fn refused(answer: Result<Transition, StepError>) -> String {
    match answer {
        Err(StepError::Permanent(failure)) => failure.code.into_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_into_a_collection_of_ours_is_signed_for() {
    let chain = chain(ours());
    let Ok(Transition::Submitted { attempt: inside, .. }) = minter(&chain).run(&ordered()).await else {
        panic!("signed")
    };
    let Ok(Transition::Submitted { attempt: outside, .. }) = minter(&chain).run(&operation()).await else {
        panic!("signed")
    };
    assert!(inside.wire.len() > outside.wire.len(), "it is verified in the same transaction");
}

/// Payer 2 pays, and payer 1 is retired; its key may be there still.
fn after_payer_1(key_is_there: bool) -> Mints<TokenMetadata> {
    let signers = [payer_2()].into_iter().chain(key_is_there.then(payer_1));
    let payers = Payers::new(signers, &[authority()]).unwrap();
    Mints::new(MintSigner::of(payers, MasterSecrets::one(master("k1", 0x17))), TokenMetadata)
}

#[tokio::test(start_paused = true)]
async fn what_another_payer_pays_for_is_signed_by_both() {
    let minter = minter_of(&chain(ours()), after_payer_1(true));
    let Ok(Transition::Submitted { attempt, .. }) = minter.run(&ordered()).await else { panic!("signed") };
    assert_eq!(attempt.payer.unwrap().as_bytes(), &payer_2().address().to_bytes());
    assert_eq!(attempt.wire[0], 3, "signatures: payer, mint, and whoever rules the collection");
}

#[tokio::test(start_paused = true)]
async fn what_a_payer_rules_whose_key_is_gone_is_refused_with_its_own_code() {
    let minter = minter_of(&chain(ours()), after_payer_1(false));
    assert_eq!(refused(minter.run(&ordered()).await), "collection-key-gone");
}

#[tokio::test(start_paused = true)]
async fn what_is_anothers_or_none_is_refused_with_its_own_code() {
    for (collection, code) in [(ANOTHERS, "collection-not-ours"), (CollectionState::NoCollection, "not-a-collection")] {
        assert_eq!(refused(minter(&chain(collection)).run(&ordered()).await), code);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_there_yet_is_waited_for() {
    let chain = chain(CollectionState::Absent);
    let Err(StepError::Dependency(failure)) = minter(&chain).run(&ordered()).await else { panic!("it waits") };
    assert_eq!(failure.code, "collection-not-there");
    assert_eq!(refused(minter_at(&chain, TimeDelta::minutes(11)).run(&ordered()).await), "collection-missing");
}

#[tokio::test(start_paused = true)]
async fn one_that_changed_hands_ends_the_operation_once_its_transaction_is_decided() {
    let chain = chain(ours());
    let minter = minter(&chain);
    let operation = ordered();
    let signed = minter.run(&operation).await.unwrap();
    let submitted = operation.after(&signed, DateTime::UNIX_EPOCH).unwrap();
    assert_eq!(submitted.state, State::BlockchainSubmitted);
    {
        let mut script = chain.script.lock().unwrap();
        script.confirmed = [Landing::Unknown { tip: Some(1_300) }].into();
        script.collection = Some(ANOTHERS);
    }
    let Ok(Transition::Failed { failure, decided }) = minter.run(&submitted).await else { panic!("it ends") };
    assert_eq!(failure.code, "collection-not-ours");
    assert_eq!(decided.map(|decided| decided.verdict), Some(Verdict::Expired));
}
