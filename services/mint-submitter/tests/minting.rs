//! What the mint step does in every turn that a transaction's fate can take.

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta};
use domain::{Attempt, MintAddress, Operation, RetryTerms, Signature, State, Transition, Verdict};
use engine::{StepError, StepHandler};
use mint_submitter::Rotation;
use solana::{
    Landing, MasterSecret, MasterSecrets, MintState, Mints, OnChainErrorKind, Opinions, Pubkey, SendOutcome, Signer,
    SignerError, SignerProblem, TokenMetadata,
};
use support::{
    FakeChain, Script, TestMinter, failed_preflight, master, minter, minter_at, minter_of, mints, mints_of, on_chain,
    operation, payer_1, payer_2, unreachable,
};

/// Not seen, long after it could land.
const LATE: Landing = Landing::Unknown { tip: Some(1_300) };
const ABSENT: MintState = MintState::Absent { lamports: 0 };

fn chain(script: Script) -> FakeChain {
    let chain = FakeChain::default();
    *chain.script.lock().unwrap() = script;
    chain
}

fn committed(operation: &Operation, transition: &Transition) -> Operation {
    operation.after(transition, DateTime::UNIX_EPOCH).expect("a transition the state machine knows")
}

/// The operation once its first transaction is on record.
async fn submitted(minter: &TestMinter) -> (Operation, Attempt) {
    let operation = operation();
    let transition = minter.run(&operation).await.unwrap();
    let operation = committed(&operation, &transition);
    let attempt = operation.open_attempt.clone().expect("a signed transaction");
    (operation, attempt)
}

fn code(error: &StepError) -> &str {
    &error.failure().code
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_it_is_on_record() {
    let chain = chain(Script::default());
    let minter = minter(&chain);
    let (operation, attempt) = submitted(&minter).await;
    assert!(chain.sent().is_empty());
    assert_eq!(operation.state, State::BlockchainSubmitted);
    assert_eq!(operation.mint_address, Some(mints().address(&operation.id)));
    let transition = minter.run(&operation).await.unwrap();
    assert_eq!(chain.sent(), [(attempt.signature, true)]);
    let mint = operation.mint_address.unwrap();
    assert_eq!(transition, Transition::Confirmed { mint, signature: attempt.signature });
}

#[tokio::test(start_paused = true)]
async fn what_is_minted_already_is_found_and_not_signed() {
    let signature = Signature::from_bytes([3; 64]);
    let script = Script { states: [MintState::Minted].into(), minted_by: Some(signature), ..Script::default() };
    let chain = chain(script);
    let transition = minter(&chain).run(&operation()).await.unwrap();
    assert_eq!(transition, Transition::Confirmed { mint: mints().address(&operation().id), signature });
    assert!(chain.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_go_out_again_while_nothing_is_known() {
    let unknown = Landing::Unknown { tip: Some(1_010) };
    let confirmed = [unknown.clone(), unknown, Landing::Landed { slot: 1_012 }].into();
    let sends = [SendOutcome::MayHaveLanded(unreachable()), SendOutcome::Accepted].into();
    let chain = chain(Script { sends, confirmed, ..Script::default() });
    let minter = minter(&chain);
    let (operation, attempt) = submitted(&minter).await;
    assert!(matches!(minter.run(&operation).await.unwrap(), Transition::Confirmed { .. }));
    let signature = attempt.signature;
    assert_eq!(
        chain.sent(),
        [(signature, true), (signature, true), (signature, false)],
        "no preflight once it was taken"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_in_a_block_is_not_sent_again() {
    let pending = Landing::Pending { slot: 1_001 };
    let confirmed = [pending.clone(), pending, Landing::Landed { slot: 1_001 }].into();
    let chain = chain(Script { confirmed, ..Script::default() });
    let minter = minter(&chain);
    let (operation, _) = submitted(&minter).await;
    minter.run(&operation).await.unwrap();
    assert_eq!(chain.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_signed_anew_while_an_attempt_is_undecided() {
    let expired = [false, false, false, true].into();
    let chain = chain(Script { confirmed: [LATE].into(), expired, ..Script::default() });
    let minter = minter(&chain);
    let (operation, first) = submitted(&minter).await;
    let Transition::Submitted { attempt, decided, .. } = minter.run(&operation).await.unwrap() else {
        panic!("signed anew");
    };
    assert_eq!(chain.opinions.lock().unwrap().len(), 4, "not before it was expired for sure");
    assert!(chain.sent().iter().all(|(signature, _)| *signature == first.signature));
    assert_ne!(attempt.signature, first.signature);
    assert_eq!(decided.map(|decided| (decided.signature, decided.verdict)), Some((first.signature, Verdict::Expired)));
}

#[tokio::test(start_paused = true)]
async fn one_opinion_is_enough_only_after_five_minutes() {
    for (minutes, expected) in [(4, Opinions::Two), (6, Opinions::One)] {
        let chain = chain(Script { confirmed: [LATE].into(), ..Script::default() });
        let minter = minter_at(&chain, TimeDelta::minutes(minutes));
        let (operation, _) = submitted(&minter).await;
        minter.run(&operation).await.unwrap();
        assert_eq!(*chain.opinions.lock().unwrap(), [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_attempt_whose_nft_exists_is_no_reason_to_sign() {
    let signature = Signature::from_bytes([3; 64]);
    let states = [ABSENT, MintState::Minted].into();
    let chain = chain(Script { confirmed: [LATE].into(), states, minted_by: Some(signature), ..Script::default() });
    let minter = minter(&chain);
    let (operation, _) = submitted(&minter).await;
    let mint = operation.mint_address.unwrap();
    assert_eq!(minter.run(&operation).await.unwrap(), Transition::Confirmed { mint, signature });
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_given_up_after_three_attempts_that_were_taken() {
    let chain = chain(Script { confirmed: [LATE].into(), ..Script::default() });
    let minter = minter(&chain);
    let (mut operation, _) = submitted(&minter).await;
    let mut prices = vec![];
    for _ in 0..2 {
        prices.push(operation.open_attempt.as_ref().unwrap().compute_unit_price);
        operation = committed(&operation, &minter.run(&operation).await.unwrap());
        assert_eq!(operation.state, State::BlockchainSubmitted);
    }
    let last = operation.open_attempt.clone().unwrap();
    prices.push(last.compute_unit_price);
    assert_eq!(prices, [0, 10_000, 20_000], "the price rises for what was taken and did not land");
    let Transition::Failed { failure, decided } = minter.run(&operation).await.unwrap() else { panic!("given up") };
    assert_eq!(failure.code, "mint-attempts-exhausted");
    assert_eq!(decided.map(|decided| decided.signature), Some(last.signature));
}

/// Its step was broken off when an endpoint could not be asked; when it went on, no endpoint took the bytes any more.
#[tokio::test(start_paused = true)]
async fn what_was_taken_once_counts_whatever_broke_in_between() {
    let unknown = Landing::Unknown { tip: Some(1_001) };
    let sends =
        [SendOutcome::Accepted, SendOutcome::NotReached(unreachable()), SendOutcome::MayHaveLanded(unreachable())];
    let chain =
        chain(Script { confirmed: [unknown.clone(), unknown, LATE].into(), sends: sends.into(), ..Script::default() });
    let minter = minter(&chain);
    let (operation, _) = submitted(&minter).await;
    assert_eq!(code(&minter.run(&operation).await.unwrap_err()), "rpc-unreachable");
    let Transition::Submitted { attempt, .. } = minter.run(&operation).await.unwrap() else { panic!("signed anew") };
    assert_eq!(attempt.compute_unit_price, 10_000, "the price rises");
}

/// The database did not store what the step concluded, so it concludes it again.
#[tokio::test(start_paused = true)]
async fn an_attempt_counts_once_however_often_its_end_is_concluded() {
    let chain = chain(Script { confirmed: [LATE].into(), ..Script::default() });
    let minter = minter(&chain);
    let (operation, _) = submitted(&minter).await;
    for _ in 0..4 {
        let Transition::Submitted { attempt, .. } = minter.run(&operation).await.unwrap() else {
            panic!("signed anew")
        };
        assert_eq!(attempt.compute_unit_price, 10_000);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_never_counted_against_the_operation() {
    let sends = [SendOutcome::MayHaveLanded(unreachable())].into();
    let chain = chain(Script { confirmed: [LATE].into(), sends, ..Script::default() });
    let minter = minter(&chain);
    let (mut operation, _) = submitted(&minter).await;
    for _ in 0..10 {
        operation = committed(&operation, &minter.run(&operation).await.unwrap());
        assert_eq!(operation.state, State::BlockchainSubmitted);
    }
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_are_out_are_a_dependencys_trouble() {
    let unknown = Landing::Unknown { tip: None };
    let sends = [SendOutcome::NotReached(unreachable())].into();
    let chain = chain(Script { confirmed: [unknown].into(), sends, ..Script::default() });
    let minter = minter(&chain);
    let (operation, _) = submitted(&minter).await;
    let error = minter.run(&operation).await.unwrap_err();
    assert!(matches!(error, StepError::Dependency(_)) && code(&error) == "rpc-unreachable", "{error}");
}

fn landed_with(kind: OnChainErrorKind) -> Landing {
    Landing::Failed { slot: 1_001, error: on_chain(kind) }
}

#[tokio::test(start_paused = true)]
async fn a_failure_on_chain_counts_once_it_is_final() {
    let failed = landed_with(OnChainErrorKind::Hopeless);
    let confirmed = [failed.clone()].into();
    let finalized = [Landing::Pending { slot: 1_001 }, failed].into();
    let chain = chain(Script { confirmed, finalized, ..Script::default() });
    let minter = minter(&chain);
    let (operation, attempt) = submitted(&minter).await;
    let Transition::Failed { failure, decided } = minter.run(&operation).await.unwrap() else { panic!("failed") };
    assert_eq!((failure.code.as_ref(), failure.is_permanent()), ("program-error", true));
    let decided = decided.unwrap();
    assert_eq!((decided.signature, decided.verdict), (attempt.signature, Verdict::FailedOnChain));
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_finality_takes_back_is_none() {
    let confirmed = [landed_with(OnChainErrorKind::Hopeless)].into();
    let finalized = [Landing::Landed { slot: 1_003 }].into();
    let chain = chain(Script { confirmed, finalized, ..Script::default() });
    let minter = minter(&chain);
    let (operation, _) = submitted(&minter).await;
    assert!(matches!(minter.run(&operation).await.unwrap(), Transition::Confirmed { .. }));
}

#[tokio::test(start_paused = true)]
async fn already_in_use_is_a_question_for_the_chain() {
    let failed = landed_with(OnChainErrorKind::AlreadyThere);
    let signature = Signature::from_bytes([3; 64]);
    for (then, confirmed) in [(MintState::Minted, true), (MintState::Absent { lamports: 5 }, false)] {
        let chain = chain(Script {
            confirmed: [failed.clone()].into(),
            finalized: [failed.clone()].into(),
            states: [ABSENT, then].into(),
            minted_by: Some(signature),
            ..Script::default()
        });
        let minter = minter(&chain);
        let (operation, _) = submitted(&minter).await;
        let transition = minter.run(&operation).await.unwrap();
        assert_eq!(matches!(transition, Transition::Confirmed { .. }), confirmed);
        assert_eq!(matches!(transition, Transition::Submitted { decided: Some(_), .. }), !confirmed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_preflight_that_meets_the_nft_finds_it() {
    let signature = Signature::from_bytes([3; 64]);
    let chain = chain(Script {
        sends: [failed_preflight(OnChainErrorKind::AlreadyThere)].into(),
        confirmed: [Landing::Unknown { tip: Some(1_001) }].into(),
        states: [ABSENT, MintState::Minted].into(),
        minted_by: Some(signature),
        ..Script::default()
    });
    let minter = minter(&chain);
    let (operation, _) = submitted(&minter).await;
    let mint = operation.mint_address.unwrap();
    assert_eq!(minter.run(&operation).await.unwrap(), Transition::Confirmed { mint, signature });
}

#[tokio::test(start_paused = true)]
async fn a_hopeless_preflight_fails_the_operation_once_it_can_no_longer_land() {
    let chain = chain(Script {
        sends: [failed_preflight(OnChainErrorKind::Hopeless)].into(),
        confirmed: [Landing::Unknown { tip: Some(1_001) }, LATE].into(),
        ..Script::default()
    });
    let minter = minter(&chain);
    let (operation, attempt) = submitted(&minter).await;
    let Transition::Failed { failure, decided } = minter.run(&operation).await.unwrap() else { panic!("failed") };
    assert_eq!(failure.code, "program-error");
    assert_eq!(decided.map(|decided| decided.verdict), Some(Verdict::Expired));
    assert_eq!(chain.sent(), [(attempt.signature, true), (attempt.signature, true)]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_signed_while_the_payer_is_out_of_funds() {
    let chain = chain(Script {
        sends: [failed_preflight(OnChainErrorKind::NoFunds)].into(),
        confirmed: [Landing::Unknown { tip: Some(1_001) }].into(),
        ..Script::default()
    });
    let minter = minter(&chain);
    let (submitted, _) = submitted(&minter).await;
    let error = minter.run(&submitted).await.unwrap_err();
    assert!(matches!(error, StepError::Dependency(_)) && code(&error) == "payer-out-of-funds", "{error}");
    let error = minter.run(&operation()).await.unwrap_err();
    assert_eq!(code(&error), "payer-out-of-funds");
    tokio::time::advance(std::time::Duration::from_secs(11)).await;
    assert!(matches!(minter.run(&operation()).await.unwrap(), Transition::Submitted { .. }));
}

/// The next operation, after that many, whose payer is this one.
fn operation_of(mints: &Mints<TokenMetadata>, payer: Pubkey, skip: usize) -> Operation {
    let mut ids = (0..).map(testkit::operation_id).filter(|id| mints.payers().of(id) == payer);
    Operation { id: ids.nth(skip).unwrap(), ..operation() }
}

#[tokio::test(start_paused = true)]
async fn a_payer_out_of_funds_holds_its_own_operations_alone() {
    let masters = MasterSecrets::one(master("k1", 0x17));
    let mints = || mints_of(&[payer_1(), payer_2()], masters.clone());
    let (poor, rich) = (payer_1().address(), payer_2().address());
    let chain = chain(Script {
        sends: [failed_preflight(OnChainErrorKind::NoFunds)].into(),
        confirmed: [Landing::Unknown { tip: Some(1_001) }].into(),
        ..Script::default()
    });
    let minter = minter_of(&chain, mints());
    let first = operation_of(&mints(), poor, 0);
    let submitted = committed(&first, &minter.run(&first).await.unwrap());
    let paid_by = |operation: &Operation| operation.open_attempt.as_ref().and_then(|attempt| attempt.payer).unwrap();
    assert_eq!(paid_by(&submitted).as_bytes(), &poor.to_bytes(), "the payer is on record with the attempt");
    assert_eq!(code(&minter.run(&submitted).await.unwrap_err()), "payer-out-of-funds");
    let error = minter.run(&operation_of(&mints(), poor, 1)).await.unwrap_err();
    assert_eq!(code(&error), "payer-out-of-funds");
    assert!(error.to_string().contains(&poor.to_string()), "{error}");
    let other = operation_of(&mints(), rich, 0);
    let other = committed(&other, &minter.run(&other).await.unwrap());
    assert_eq!(paid_by(&other).as_bytes(), &rich.to_bytes());
}

#[tokio::test(start_paused = true)]
async fn what_a_retired_payer_signed_is_carried_and_signed_anew_by_another() {
    let masters = MasterSecrets::one(master("k1", 0x17));
    let chain = chain(Script { confirmed: [LATE].into(), ..Script::default() });
    let before = minter_of(&chain, mints_of(&[payer_1()], masters.clone()));
    let operation = operation();
    let operation = committed(&operation, &before.run(&operation).await.unwrap());
    let first = operation.open_attempt.clone().unwrap();
    let after = minter_of(&chain, mints_of(&[payer_2()], masters));
    let Transition::Submitted { mint, attempt, decided, .. } = after.run(&operation).await.unwrap() else {
        panic!("signed anew")
    };
    assert!(chain.sent().iter().all(|(signature, _)| *signature == first.signature), "carried until it was over");
    assert_eq!((Some(mint), decided.map(|decided| decided.signature)), (operation.mint_address, Some(first.signature)));
    assert_eq!(attempt.payer.unwrap().as_bytes(), &payer_2().address().to_bytes());
}

/// Keeps its key elsewhere, and has nobody to ask.
#[derive(Debug)]
struct Unreachable;

#[async_trait]
impl Signer for Unreachable {
    fn address(&self) -> Pubkey {
        payer_1().address()
    }

    async fn sign(&self, _: &[u8]) -> Result<Signature, SignerError> {
        Err(SignerError { address: self.address(), problem: SignerProblem::Gone("no route".into()) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_signer_that_is_out_is_a_dependencys_trouble() {
    let masters = MasterSecrets::one(master("k1", 0x17));
    let minter = minter_of(&chain(Script::default()), mints_of(&[Arc::new(Unreachable)], masters));
    let error = minter.run(&operation()).await.unwrap_err();
    assert!(matches!(error, StepError::Dependency(_)) && code(&error) == "signer-gone", "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_address_is_signed_for_with_the_secret_it_came_from() {
    let (old, new) = (|| master("k1", 0x17), || master("k2", 0x18));
    let both = MasterSecrets::new(new(), vec![old()]).unwrap();
    let minted_at = |secret: MasterSecret, key_id: Option<&str>| Operation {
        mint_address: Some(secret.address(&operation().id)),
        key_id: key_id.map(str::to_owned),
        ..operation()
    };
    let chain = chain(Script::default());
    for key_id in [Some("k1"), None] {
        let minter = minter_of(&chain, mints_of(&[payer_1()], both.clone()));
        let transition = minter.run(&minted_at(old(), key_id)).await.unwrap();
        let Transition::Submitted { mint, key_id, .. } = transition else { panic!("signed") };
        assert_eq!((mint, key_id.as_str()), (old().address(&operation().id), "k1"));
    }
    let wrong_name = minter_of(&chain, mints_of(&[payer_1()], both)).run(&minted_at(old(), Some("k2"))).await;
    assert_eq!(code(&wrong_name.unwrap_err()), "mint-address-mismatch");
    let without = MasterSecrets::one(new());
    let error =
        minter_of(&chain, mints_of(&[payer_1()], without)).run(&minted_at(old(), Some("k1"))).await.unwrap_err();
    assert!(matches!(error, StepError::Dependency(_)) && code(&error) == "mint-key-not-configured", "{error}");
}

/// The master secret was changed from k1 to k2, an hour after the beginning of time; the event came before that.
fn rotated(chain: &FakeChain) -> TestMinter {
    let masters = MasterSecrets::new(master("k2", 0x18), vec![master("k1", 0x17)]).unwrap();
    let at = DateTime::UNIX_EPOCH + TimeDelta::hours(1);
    minter_of(chain, mints_of(&[payer_1()], masters)).rotated(Some(Rotation { at, settled_height: 1_300 }))
}

#[tokio::test(start_paused = true)]
async fn a_row_that_a_restored_backup_has_lost_is_minted_once_after_a_change_of_the_secret() {
    let signature = Signature::from_bytes([3; 64]);
    let before = mints().address(&operation().id);
    let chain =
        chain(Script { at: [(before, MintState::Minted)].into(), minted_by: Some(signature), ..Script::default() });
    let transition = rotated(&chain).run(&operation()).await.unwrap();
    assert_eq!(transition, Transition::Confirmed { mint: before, signature });
    assert!(chain.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_signed_before_the_retired_addresses_are_empty_for_sure() {
    let chain = chain(Script { expired: [false, true].into(), ..Script::default() });
    let minter = rotated(&chain);
    let error = minter.run(&operation()).await.unwrap_err();
    assert!(matches!(error, StepError::Dependency(_)) && code(&error) == "rotation-not-settled", "{error}");
    let Transition::Submitted { mint, key_id, .. } = minter.run(&operation()).await.unwrap() else { panic!("signed") };
    assert_eq!((key_id.as_str(), mint), ("k2", master("k2", 0x18).address(&operation().id)));
    assert_eq!(*chain.opinions.lock().unwrap(), [Opinions::Two, Opinions::Two]);
}

#[tokio::test(start_paused = true)]
async fn a_young_event_is_looked_for_too_for_it_may_have_been_published_again() {
    let young = Operation { event_at: DateTime::UNIX_EPOCH + TimeDelta::hours(3), ..operation() };
    let empty = chain(Script::default());
    assert!(matches!(rotated(&empty).run(&young).await.unwrap(), Transition::Submitted { .. }));
    assert_eq!(*empty.opinions.lock().unwrap(), [Opinions::One], "one answer is enough");
    let before = mints().address(&young.id);
    let minted = chain(Script {
        at: [(before, MintState::Minted)].into(),
        minted_by: Some(Signature::from_bytes([3; 64])),
        ..Script::default()
    });
    let transition = rotated(&minted).run(&young).await.unwrap();
    assert!(matches!(transition, Transition::Confirmed { mint, .. } if mint == before), "{transition:?}");
}

#[tokio::test(start_paused = true)]
async fn an_operation_with_its_address_on_record_is_looked_for_nowhere_else() {
    let chain = chain(Script::default());
    let old = master("k1", 0x17).address(&operation().id);
    let operation = Operation { mint_address: Some(old), key_id: Some("k1".into()), ..operation() };
    let Transition::Submitted { mint, key_id, .. } = rotated(&chain).run(&operation).await.unwrap() else {
        panic!("signed")
    };
    assert_eq!((mint, key_id.as_str()), (old, "k1"));
    assert!(chain.opinions.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_address_that_the_key_does_not_derive_is_never_signed_for() {
    let chain = chain(Script::default());
    let operation = Operation { mint_address: Some(MintAddress::from_bytes([1; 32])), ..operation() };
    let error = minter(&chain).run(&operation).await.unwrap_err();
    assert!(matches!(error, StepError::Permanent(_)) && code(&error) == "mint-address-mismatch", "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_operation_without_an_open_attempt_is_signed_for() {
    let chain = chain(Script::default());
    let operation = Operation { state: State::BlockchainSubmitted, ..operation() };
    assert!(matches!(minter(&chain).run(&operation).await.unwrap(), Transition::Submitted { decided: None, .. }));
}

#[tokio::test(start_paused = true)]
async fn a_persons_terms_hold_for_what_is_signed_sent_and_given_up() {
    let chain = chain(Script { confirmed: [LATE].into(), ..Script::default() });
    let minter = minter(&chain);
    let terms = RetryTerms { endpoint: Some("backup".into()), unit_price: Some(77_000), signings: Some(2) };
    let mut operation = Operation { terms, ..operation() };
    for _ in 0..2 {
        operation = committed(&operation, &minter.run(&operation).await.unwrap());
        let attempt = operation.open_attempt.as_ref().unwrap();
        assert_eq!(attempt.compute_unit_price, 77_000, "signed anew, it is still what the person set");
    }
    let Transition::Failed { failure, .. } = minter.run(&operation).await.unwrap() else { panic!("given up") };
    assert_eq!(failure.code, "mint-attempts-exhausted");
    let preferred = chain.preferred.lock().unwrap();
    let sent: Vec<_> = chain.sent().into_iter().map(|(signature, _)| signature).collect();
    assert_eq!(preferred.len(), 2, "each transaction once");
    assert!(preferred.iter().all(|(signature, endpoint)| endpoint == "backup" && sent.contains(signature)));
}
