//! What the mint step makes of an upgrade: the burn is seen first, then claimed, and only then is anything signed.

mod support;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use domain::{Burn, MintAddress, NewOperation, Operation, OperationKind, Signature, State, Transition, WalletAddress};
use engine::{Commit, Committed, OperationStore, StepError, StepHandler};
use mint_submitter::{Minter, Rotation};
use solana::{
    CollectionState, Creation, Landing, MasterSecrets, MintSigner, MintState, Mints, OnChainErrorKind, Payers, Pubkey,
    TokenMetadata, Witness,
};
use support::{
    FakeChain, FixedClock, Script, TestMinter, authority, master, mints, mints_of, on_chain, payer_1, payer_2,
};
use testkit::{Crash, MemoryStore, PinState, Tables};

const OWNER: WalletAddress = WalletAddress::from_bytes([9; 32]);
const STRANGER: WalletAddress = WalletAddress::from_bytes([8; 32]);
const BURNED: MintAddress = MintAddress::from_bytes([3; 32]);
const COLLECTION: MintAddress = MintAddress::from_bytes([5; 32]);
const BURNING: Signature = Signature::from_bytes([4; 64]);
const MINTING: Signature = Signature::from_bytes([2; 64]);

/// The step over a chain on which BURNING burned BURNED for its OWNER, and MINTING had minted it.
struct Rig {
    chain: FakeChain,
    tables: Arc<Tables>,
    store: Arc<MemoryStore>,
}

impl Rig {
    fn new() -> Self {
        let tables = Arc::<Tables>::default();
        let store = MemoryStore::new(Arc::clone(&tables), Crash::never().into());
        let rig = Self { chain: FakeChain::default(), tables, store: store.into() };
        rig.script(|script| {
            let creation = Some(Creation { authority: authority(), collection: None });
            let minted = Witness { slot: 50, error: None, before: vec![], holders: vec![(OWNER, 1)], creation };
            let burned =
                Witness { slot: 90, before: vec![(OWNER, 1)], holders: vec![], creation: None, ..minted.clone() };
            script.witnesses = [(MINTING, minted), (BURNING, burned)].into();
            script.minted_by = Some(MINTING);
        });
        rig
    }

    fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.chain.script.lock().unwrap());
    }

    fn burning(&self, change: impl FnOnce(&mut Witness)) {
        self.script(|script| change(script.witnesses.get_mut(&BURNING).unwrap()));
    }

    fn creation(&self, creation: Option<Creation>) {
        self.script(|script| script.witnesses.get_mut(&MINTING).unwrap().creation = creation);
    }

    fn minter_at(&self, after: TimeDelta) -> TestMinter {
        self.minter_of(mints(), after)
    }

    fn minter_of(&self, mints: Mints<TokenMetadata>, after: TimeDelta) -> TestMinter {
        let clock = FixedClock(DateTime::UNIX_EPOCH + after);
        Minter::new(self.chain.clone(), mints, Arc::clone(&self.store), clock)
    }

    /// After the master secret was changed from k1 to k2.
    fn rotated(&self) -> TestMinter {
        let masters = MasterSecrets::new(master("k2", 0x18), vec![master("k1", 0x17)]).unwrap();
        let rotation = Rotation { at: DateTime::UNIX_EPOCH, settled_height: 1_300 };
        self.minter_of(mints_of(&[payer_1()], masters), TimeDelta::zero()).rotated(Some(rotation))
    }

    async fn run(&self, operation: &Operation) -> Result<Transition, StepError> {
        self.minter_at(TimeDelta::zero()).run(operation).await
    }

    /// An upgrade whose content is pinned.
    async fn upgrade(&self, number: u64, change: impl FnOnce(&mut NewOperation)) -> Operation {
        let mut new = testkit::new_operation(testkit::operation_id(number), DateTime::UNIX_EPOCH);
        new.content.wallet_address = OWNER;
        new.content.kind = OperationKind::Upgrade;
        new.content.burn = Some(Burn { mint: BURNED, signature: BURNING });
        change(&mut new);
        new.content_hash = new.content.hash();
        self.store.insert(&[new.clone()]).await.unwrap();
        let sample = support::operation();
        let (image_cid, metadata_cid) = (sample.image_cid.unwrap(), sample.metadata_cid.unwrap());
        for cid in [&image_cid, &metadata_cid] {
            self.tables.type_pin(cid, "pinata", PinState::Pinned);
        }
        let inserted = self.tables.operation(new.id).unwrap();
        self.advance(&inserted, Transition::IpfsUploaded { image_cid, metadata_cid }).await
    }

    async fn own(&self, number: u64) -> Operation {
        self.upgrade(number, |_| ()).await
    }

    async fn commit(&self, operation: &Operation, transition: Transition) -> Committed {
        self.store.commit(&[Commit { operation: operation.clone(), transition }]).await.unwrap().remove(0)
    }

    async fn advance(&self, operation: &Operation, transition: Transition) -> Operation {
        let committed = self.commit(operation, transition).await;
        assert!(matches!(committed, Committed::At(_)), "{committed:?}");
        self.tables.operation(operation.id).unwrap()
    }

    async fn fail(&self, operation: &Operation) {
        let operation = self.tables.operation(operation.id).unwrap();
        let failure = domain::Failure::permanent("program-error", "x");
        let decided = operation
            .open_attempt
            .as_ref()
            .map(|attempt| domain::DecidedAttempt { signature: attempt.signature, verdict: domain::Verdict::Expired });
        self.advance(&operation, Transition::Failed { failure, decided }).await;
    }

    fn claimed(&self, operation: &Operation) -> bool {
        self.tables.operation(operation.id).unwrap().mint_address.is_some()
    }
}

fn refused(answer: Result<Transition, StepError>) -> String {
    match answer {
        Err(StepError::Permanent(failure)) => failure.code.into_owned(),
        other => panic!("{other:?}"),
    }
}

fn waits(answer: Result<Transition, StepError>) -> String {
    match answer {
        Err(StepError::Dependency(failure)) => failure.code.into_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_burn_that_was_seen_and_claimed_is_minted_for() {
    let rig = Rig::new();
    let operation = rig.own(1).await;
    let Ok(Transition::Submitted { mint, attempt, .. }) = rig.run(&operation).await else { panic!("signed") };
    assert_eq!(mint, mints().address(domain::MintOrigin::Burn(BURNED)));
    assert_ne!(mint, mints().address(&operation.id), "the burn takes the operation's place");
    assert!(rig.claimed(&operation) && rig.chain.sent().is_empty());
    let claimed = rig.tables.operation(operation.id).unwrap();
    let transition = Transition::Submitted { mint, key_id: "k1".into(), attempt: attempt.clone(), decided: None };
    let submitted = rig.advance(&claimed, transition).await;
    let signature = attempt.signature;
    assert_eq!(rig.run(&submitted).await, Ok(Transition::Confirmed { mint, signature }));
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_claim_and_signing_costs_nothing() {
    let rig = Rig::new();
    let operation = rig.own(1).await;
    rig.run(&operation).await.unwrap();
    rig.script(|script| script.witnesses.clear());
    let claimed = rig.tables.operation(operation.id).unwrap();
    assert!(matches!(rig.run(&claimed).await, Ok(Transition::Submitted { .. })), "the claim stands for the burn");
}

#[tokio::test(start_paused = true)]
async fn a_burn_that_is_not_final_waits_and_is_given_up_after_an_hour() {
    let unknown = Landing::Unknown { tip: Some(7) };
    for landing in [unknown.clone(), Landing::Pending { slot: 90 }] {
        let rig = Rig::new();
        rig.script(|script| {
            script.finalized = [landing].into();
            script.witnesses.remove(&BURNING);
        });
        let operation = rig.own(1).await;
        assert_eq!(waits(rig.run(&operation).await), "burn-not-final");
        assert_eq!(waits(rig.minter_at(TimeDelta::minutes(59)).run(&operation).await), "burn-not-final");
        assert_eq!(refused(rig.minter_at(TimeDelta::minutes(61)).run(&operation).await), "burn-never-final");
        assert!(!rig.claimed(&operation));
    }
    // No status in time is no word of the chain.
    let rig = Rig::new();
    rig.script(|script| script.finalized = [unknown].into());
    let operation = rig.own(1).await;
    assert_eq!(waits(rig.minter_at(TimeDelta::minutes(61)).run(&operation).await), "burn-not-final");
    let rig = Rig::new();
    let operation = rig.own(1).await;
    rig.script(|script| drop(script.witnesses.remove(&BURNING)));
    assert_eq!(waits(rig.run(&operation).await), "burn-not-final");
    rig.script(|script| script.minted_by = None);
    assert_eq!(waits(rig.run(&operation).await), "burn-not-final");
}

#[tokio::test(start_paused = true)]
async fn every_false_burn_has_its_code_and_takes_no_claim() {
    type Falsify = fn(&Rig);
    let ours = |collection| Some(Creation { authority: authority(), collection });
    let cases: [(Falsify, &str); 9] = [
        (
            |rig| {
                let error = on_chain(OnChainErrorKind::Hopeless);
                rig.script(|script| script.finalized = [Landing::Failed { slot: 90, error }].into());
            },
            "burn-failed",
        ),
        (|rig| rig.burning(|burning| burning.before = vec![]), "burn-of-another-nft"),
        (|rig| rig.burning(|burning| burning.holders = vec![(STRANGER, 1)]), "burn-of-another-nft"),
        (|rig| rig.burning(|burning| burning.before = vec![(STRANGER, 1)]), "burn-by-another-user"),
        (
            |rig| {
                rig.burning(|burning| {
                    burning.before = vec![(STRANGER, 1), (OWNER, 1)];
                    burning.holders = vec![(OWNER, 1)];
                });
            },
            "burn-by-another-user",
        ),
        (|rig| rig.burning(|burning| burning.before = vec![(OWNER, 2)]), "burn-of-another-amount"),
        (|rig| rig.creation(None), "burn-not-of-fleet"),
        (
            |rig| rig.creation(Some(Creation { authority: Pubkey::new_from_array([1; 32]), collection: None })),
            "burn-not-of-fleet",
        ),
        (
            |rig| rig.creation(Some(Creation { authority: authority(), collection: Some(COLLECTION) })),
            "burn-of-another-collection",
        ),
    ];
    for (number, (falsify, code)) in (0..).zip(cases) {
        let rig = Rig::new();
        let operation = rig.own(number).await;
        falsify(&rig);
        assert_eq!(refused(rig.run(&operation).await), code);
        assert!(!rig.claimed(&operation), "{code}");
    }
    let rig = Rig::new();
    let collected = rig.upgrade(1, |new| new.content.nft.collection = Some(COLLECTION)).await;
    assert_eq!(refused(rig.run(&collected).await), "burn-of-another-collection");
    rig.creation(ours(Some(COLLECTION)));
    assert!(matches!(rig.run(&collected).await, Ok(Transition::Submitted { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_collection_that_takes_nothing_in_leaves_the_burn_unclaimed() {
    let rig = Rig::new();
    rig.creation(Some(Creation { authority: authority(), collection: Some(COLLECTION) }));
    rig.script(|script| script.collection = Some(CollectionState::NoCollection));
    let collected = rig.upgrade(1, |new| new.content.nft.collection = Some(COLLECTION)).await;
    assert_eq!(refused(rig.run(&collected).await), "not-a-collection");
    assert!(!rig.claimed(&collected));
}

#[tokio::test(start_paused = true)]
async fn a_strangers_claim_leaves_the_burn_to_its_rightful_user() {
    let rig = Rig::new();
    let stranger = rig.upgrade(1, |new| new.content.wallet_address = STRANGER).await;
    assert_eq!(refused(rig.run(&stranger).await), "burn-by-another-user");
    rig.fail(&stranger).await;
    let rightful = rig.own(2).await;
    assert!(matches!(rig.run(&rightful).await, Ok(Transition::Submitted { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_burn_pays_once() {
    let rig = Rig::new();
    let (first, second) = (rig.own(1).await, rig.own(2).await);
    let transition = rig.run(&first).await.unwrap();
    assert_eq!(refused(rig.run(&second).await), "burn-already-used", "while the first is on its way");
    let first = rig.advance(&rig.tables.operation(first.id).unwrap(), transition).await;
    let confirmed = rig.run(&first).await.unwrap();
    rig.advance(&first, confirmed).await;
    assert_eq!(refused(rig.run(&second).await), "burn-already-used", "and once it is minted");
    assert!(!rig.claimed(&second));
}

#[tokio::test(start_paused = true)]
async fn what_failed_for_good_hands_its_burn_to_the_next() {
    let rig = Rig::new();
    let first = rig.own(1).await;
    let transition = rig.run(&first).await.unwrap();
    let first = rig.advance(&rig.tables.operation(first.id).unwrap(), transition).await;
    rig.fail(&first).await;
    let second = rig.own(2).await;
    let Ok(transition) = rig.run(&second).await else { panic!("signed") };
    assert_eq!((rig.claimed(&first), rig.claimed(&second)), (false, true));
    let second = rig.advance(&rig.tables.operation(second.id).unwrap(), transition).await;
    assert_eq!(second.mint_address, first.mint_address, "one burn, one address");
    assert_eq!(second.state, State::BlockchainSubmitted);

    // A person tries the first one again.
    rig.tables.type_over(first.id, |row| (row.state, row.version) = (State::IpfsUploaded, row.version + 1));
    let retried = rig.tables.operation(first.id).unwrap();
    assert_eq!(refused(rig.run(&retried).await), "burn-already-used");
}

#[tokio::test(start_paused = true)]
async fn a_burn_whose_holder_is_minted_after_all_is_used() {
    let rig = Rig::new();
    let first = rig.own(1).await;
    rig.run(&first).await.unwrap();
    let mint = rig.tables.operation(first.id).unwrap().mint_address.unwrap();
    rig.fail(&first).await;
    rig.script(|script| script.at = [(mint, MintState::Minted)].into());
    let second = rig.own(2).await;
    assert_eq!(refused(rig.run(&second).await), "burn-already-used");
    assert!(rig.claimed(&first) && !rig.claimed(&second));
}

#[tokio::test(start_paused = true)]
async fn who_signed_before_the_claim_moved_inserts_nothing() {
    let rig = Rig::new();
    let first = rig.own(1).await;
    let late = rig.run(&first).await.unwrap();
    let seen = rig.tables.operation(first.id).unwrap();
    rig.fail(&first).await;
    let second = rig.own(2).await;
    rig.run(&second).await.unwrap();
    assert_eq!(rig.commit(&seen, late).await, Committed::Overtaken);
    assert!(rig.tables.attempts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_without_a_burn_is_never_signed_for() {
    let rig = Rig::new();
    let operation = rig.upgrade(1, |new| new.content.burn = None).await;
    assert_eq!(refused(rig.run(&operation).await), "no-burn");
}

#[tokio::test(start_paused = true)]
async fn what_a_retired_payer_minted_pays_for_an_upgrade() {
    let rig = Rig::new();
    let payers = Payers::new([payer_2()], &[authority()]).unwrap();
    let mints = Mints::new(MintSigner::of(payers, MasterSecrets::one(master("k1", 0x17))), TokenMetadata);
    let operation = rig.own(1).await;
    let Ok(Transition::Submitted { attempt, .. }) = rig.minter_of(mints, TimeDelta::zero()).run(&operation).await
    else {
        panic!("signed")
    };
    assert_eq!(attempt.payer.unwrap().as_bytes(), &payer_2().address().to_bytes());
}

#[tokio::test(start_paused = true)]
async fn after_a_change_of_the_secret_a_burn_is_still_minted_for_once() {
    let burned = domain::MintOrigin::Burn(BURNED);
    let (before, after) = (master("k1", 0x17).address(burned), master("k2", 0x18).address(burned));
    // Nothing is at the address of before.
    let rig = Rig::new();
    let operation = rig.own(1).await;
    let Ok(Transition::Submitted { mint, key_id, .. }) = rig.rotated().run(&operation).await else { panic!("signed") };
    assert_eq!((mint, key_id.as_str()), (after, "k2"));

    // What minted there is on no record any more, and neither is its claim.
    let rig = Rig::new();
    let operation = rig.own(1).await;
    rig.script(|script| script.at = [(before, MintState::Minted)].into());
    assert_eq!(rig.rotated().run(&operation).await, Ok(Transition::Confirmed { mint: before, signature: MINTING }));
    let claimed = rig.tables.operation(operation.id).unwrap();
    assert_eq!((claimed.mint_address, claimed.key_id.as_deref()), (Some(before), Some("k1")));

    // Whether something is there cannot be told yet: nothing is claimed.
    let rig = Rig::new();
    let operation = rig.own(1).await;
    rig.script(|script| script.expired = [false].into());
    assert_eq!(waits(rig.rotated().run(&operation).await), "rotation-not-settled");
    assert!(!rig.claimed(&operation));
}

#[tokio::test(start_paused = true)]
async fn a_claim_from_before_a_change_of_the_secret_is_inherited_under_the_new_one() {
    let rig = Rig::new();
    let first = rig.own(1).await;
    let transition = rig.run(&first).await.unwrap();
    let first = rig.advance(&rig.tables.operation(first.id).unwrap(), transition).await;
    let second = rig.own(2).await;
    assert_eq!(refused(rig.rotated().run(&second).await), "burn-already-used", "while the first is on its way");
    rig.fail(&first).await;
    let Ok(Transition::Submitted { key_id, .. }) = rig.rotated().run(&second).await else { panic!("signed") };
    assert_eq!(key_id, "k2");
    assert_eq!((rig.claimed(&first), rig.claimed(&second)), (false, true));
}
