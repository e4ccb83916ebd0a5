//! Chain and records compared, both ways: on a real database, against a chain in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::DateTime;
use domain::{
    Attempt, Cid, DecidedAttempt, Failure, MintAddress, NftRecord, Operation, OperationId, Signature, State,
    Transition, Verdict, WalletAddress,
};
use engine::{Commit, Committed, Inserted, OperationStore as _, Pin, PinLedger as _};
use solana::{
    AuditedChain, ChainView, CollectionState, Commitment, Holding, Landing, MetadataAccount, MintFound, MintState,
    NftAccounts, Pubkey, RpcError, Watch, Witness,
};
use store::{PoolSettings, Store};
use testkit::transitions::taken;
use testkit::{Database, new_operation, operation_id};
use verifier::{Finding, Reconciler, ReconcilerSettings};

/// Whoever mints now.
const CREATOR: Pubkey = Pubkey::new_from_array([2; 32]);
/// Whoever minted before.
const RETIRED: Pubkey = Pubkey::new_from_array([3; 32]);
const CID: &str = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

/// What is minted, by which transaction, for whom, and how many tokens are left of it.
type Minted = HashMap<MintAddress, (Signature, WalletAddress, u64)>;

#[derive(Debug, Clone, Default)]
struct FakeChain {
    minted: Arc<Mutex<Minted>>,
    /// What the retired creator has minted; all else is the other one's.
    by_retired: Arc<Mutex<Vec<MintAddress>>>,
    /// Transactions of the creator that minted nothing, newest first, before those that did.
    others: Arc<Mutex<Vec<Signature>>>,
    asked: Arc<Mutex<Vec<u64>>>,
    /// No endpoint knows its transactions any more.
    has_forgotten: Arc<AtomicBool>,
    /// Which mints are collections, and whose.
    collections: Arc<Mutex<HashMap<MintAddress, Pubkey>>>,
}

impl FakeChain {
    fn find<T>(&self, look: impl FnOnce(&Minted) -> T) -> T {
        look(&self.minted.lock().unwrap())
    }
}

impl ChainView for FakeChain {
    async fn landing(&self, _: Watch, _: Commitment, _: Duration) -> Landing {
        unreachable!("nobody waits for anything")
    }

    async fn mint_state(&self, _: &MintAddress, _: Commitment, _: u64) -> Result<MintState, RpcError> {
        unreachable!("many are asked for at once")
    }

    async fn minted_by(&self, mint: &MintAddress) -> Result<Option<Signature>, RpcError> {
        let found = self.find(|minted| minted.get(mint).map(|(signature, ..)| *signature));
        Ok(found.filter(|_| !self.has_forgotten.load(Ordering::Relaxed)))
    }

    async fn witness(&self, of: &Signature, mint: &MintAddress, at: Commitment) -> Result<Option<Witness>, RpcError> {
        assert_eq!(at, Commitment::Finalized);
        let found = self.find(|minted| minted.get(mint).copied()).filter(|(signature, ..)| signature == of);
        Ok(found.map(|(_, owner, _)| Witness {
            slot: 7,
            error: None,
            before: vec![],
            holders: vec![(owner, 1)],
            creation: None,
        }))
    }

    async fn nft(&self, _: &MintAddress, _: &WalletAddress, _: u64) -> Result<NftAccounts, RpcError> {
        unreachable!("nothing is verified")
    }

    async fn metadata(&self, _: &MintAddress) -> Result<Option<MetadataAccount>, RpcError> {
        unreachable!("nothing is verified")
    }

    async fn collection(&self, mint: &MintAddress) -> Result<CollectionState, RpcError> {
        let authority = self.collections.lock().unwrap().get(mint).copied();
        Ok(authority.map_or(CollectionState::NoCollection, |authority| CollectionState::Standing { authority }))
    }

    async fn holdings(&self, _: &WalletAddress) -> Result<Vec<Holding>, RpcError> {
        unreachable!("nothing is verified")
    }
}

impl AuditedChain for FakeChain {
    async fn mints(&self, mints: &[MintAddress], min_context_slot: u64) -> Result<Vec<MintFound>, RpcError> {
        self.asked.lock().unwrap().push(min_context_slot);
        let found = |mint| match self.find(|minted| minted.get(mint).copied()) {
            Some((.., supply)) => MintFound::Minted { supply },
            None => MintFound::Absent,
        };
        Ok(mints.iter().map(found).collect())
    }

    async fn transactions_of(
        &self,
        of: &Pubkey,
        before: Option<Signature>,
    ) -> Result<Vec<(Signature, bool)>, RpcError> {
        let is_retired = *of == RETIRED;
        let mut all = if is_retired { vec![] } else { self.others.lock().unwrap().clone() };
        let by_retired = self.by_retired.lock().unwrap().clone();
        let own = |mint: &MintAddress| by_retired.contains(mint) == is_retired;
        all.extend(self.find(|minted| {
            let own = minted.iter().filter(|(mint, _)| own(mint));
            own.map(|(_, (signature, ..))| *signature).collect::<Vec<_>>()
        }));
        all.sort_unstable_by_key(|signature| std::cmp::Reverse(signature.as_bytes().to_vec()));
        let from = before.map_or(0, |before| all.iter().position(|one| *one == before).unwrap() + 1);
        Ok(all[from..].iter().map(|signature| (*signature, true)).collect())
    }

    async fn minted_in(&self, transaction: &Signature, _: &Pubkey) -> Result<Vec<MintAddress>, RpcError> {
        let of = |(mint, (signature, ..)): (&MintAddress, &(Signature, WalletAddress, u64))| {
            (signature == transaction).then_some(*mint)
        };
        Ok(self.find(|minted| minted.iter().filter_map(of).collect()))
    }
}

fn mint(number: u8) -> MintAddress {
    MintAddress::from_bytes([number; 32])
}

fn signature(number: u8) -> Signature {
    Signature::from_bytes([number; 64])
}

struct Records {
    store: Arc<Store>,
    chain: FakeChain,
    _database: Database,
}

impl Records {
    async fn new() -> Self {
        let database = Database::fresh().await;
        let settings = PoolSettings { min_connections: 0, ..PoolSettings::new(database.url()) };
        let store = Arc::new(Store::connect(&settings).await.unwrap());
        let pin = Pin { cid: CID.parse().unwrap(), size: 1, provider: "pinata".into() };
        store.pinned(&[taken(pin)]).await.unwrap();
        Self { store, chain: FakeChain::default(), _database: database }
    }

    /// An operation that came to FAILED or VERIFIED, and its transaction with it.
    async fn operation(&self, number: u8, end: State) -> OperationId {
        let new = new_operation(operation_id(number.into()), DateTime::UNIX_EPOCH);
        let Inserted::Present(mut operation) = self.store.insert(&[new]).await.unwrap().remove(0) else {
            panic!("a conflict")
        };
        for transition in way(number, &operation, end) {
            let commit = Commit { operation: (*operation).clone(), transition: transition.clone() };
            let Committed::At(at) = self.store.commit(&[commit]).await.unwrap().remove(0) else { panic!("overtaken") };
            *operation = operation.after(&transition, at).unwrap();
        }
        operation.id
    }

    fn mint(&self, number: u8, owner: WalletAddress, supply: u64) {
        self.chain.minted.lock().unwrap().insert(mint(number), (signature(number), owner, supply));
    }

    fn reconciler(&self, fix: bool) -> Reconciler<FakeChain> {
        let (rested, pause) = (Duration::ZERO, Duration::ZERO);
        let settings = ReconcilerSettings { creators: vec![CREATOR, RETIRED], fix, rested, pause, by: "anna".into() };
        Reconciler::new(self.chain.clone(), Arc::clone(&self.store), settings)
    }

    async fn findings(&self, fix: bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.reconciler(fix).pass(|finding| findings.push(finding)).await.unwrap();
        findings
    }

    async fn load(&self, id: OperationId) -> Operation {
        self.store.load(&[id]).await.unwrap().operations.remove(&id).unwrap().unwrap()
    }
}

fn way(number: u8, operation: &Operation, end: State) -> Vec<Transition> {
    let (mint, signature) = (mint(number), signature(number));
    let cid: Cid = CID.parse().unwrap();
    let attempt = Attempt {
        signature,
        wire: vec![number],
        payer: None,
        blockhash: "b".into(),
        last_valid_block_height: 1,
        context_slot: 1,
        compute_unit_price: 1,
        endpoint: "e".into(),
        cost: None,
    };
    let record = NftRecord {
        mint,
        owner: operation.content.wallet_address,
        name: "n".into(),
        symbol: "s".into(),
        uri: "u".into(),
        signature,
        slot: 100 + u64::from(number),
    };
    let decided = Some(DecidedAttempt { signature, verdict: Verdict::Expired });
    let mut way = vec![
        Transition::IpfsUploaded { image_cid: cid.clone(), metadata_cid: cid },
        Transition::Submitted { mint, key_id: "1".into(), attempt, decided: None },
    ];
    match end {
        State::Failed => {
            way.push(Transition::Failed { failure: Failure::permanent("not-minted", "no block took it"), decided });
        }
        State::Verified => way.extend([
            Transition::Confirmed { mint, signature },
            Transition::DatabaseUpdated { record },
            Transition::Verified,
        ]),
        other => panic!("no way to {other} is known here"),
    }
    way
}

#[tokio::test]
async fn where_both_agree_nothing_is_found() {
    let records = Records::new().await;
    let verified = records.load(records.operation(1, State::Verified).await).await;
    records.operation(2, State::Failed).await;
    records.mint(1, verified.content.wallet_address, 1);
    records.chain.others.lock().unwrap().push(signature(9));
    assert_eq!(records.findings(true).await, []);
    assert_eq!(*records.chain.asked.lock().unwrap(), [101], "no endpoint that has not come as far as the newest NFT");
}

#[tokio::test]
async fn what_failed_and_is_minted_goes_on_from_there_and_only_when_asked_for() {
    let records = Records::new().await;
    let id = records.operation(1, State::Failed).await;
    let owner = records.load(id).await.content.wallet_address;
    records.mint(1, owner, 1);
    let found =
        |mended| Finding::MintedAfterAll { operation: id, state: State::Failed, signature: signature(1), mended };
    assert_eq!(records.findings(false).await, [found(false)]);
    assert_eq!(records.load(id).await.state, State::Failed);
    assert_eq!(records.findings(true).await, [found(true)]);
    let mended = records.load(id).await;
    assert_eq!((mended.state, mended.signature), (State::BlockchainConfirmed, Some(signature(1))));
    let history = records.store.operation(id).await.unwrap().unwrap().history;
    assert_eq!(history.last().unwrap().detail["by"], "anna");
}

#[tokio::test]
async fn what_was_minted_for_somebody_else_is_told_and_not_mended() {
    let records = Records::new().await;
    let id = records.operation(1, State::Failed).await;
    records.mint(1, WalletAddress::from_bytes([8; 32]), 1);
    assert!(matches!(records.findings(true).await[..], [Finding::MintedAfterAll { mended: false, .. }]));
    assert_eq!(records.load(id).await.state, State::Failed);
}

#[tokio::test]
async fn what_is_minted_and_nobody_shows_by_what_is_put_before_a_person() {
    let records = Records::new().await;
    let id = records.operation(1, State::Failed).await;
    records.mint(1, records.load(id).await.content.wallet_address, 1);
    records.chain.has_forgotten.store(true, Ordering::Relaxed);
    let found = Finding::Unwitnessed { operation: id, state: State::Failed, mint: mint(1) };
    assert_eq!(records.findings(true).await, [found]);
    let operation = records.load(id).await;
    assert_eq!(operation.state, State::Failed);
    assert!(operation.needs_review.unwrap().contains("whose minting nobody shows"));
}

#[tokio::test]
async fn what_is_recorded_and_not_on_chain_is_put_before_a_person() {
    let records = Records::new().await;
    let id = records.operation(1, State::Verified).await;
    let found = Finding::NotOnChain { operation: id, mint: mint(1), found: "nothing" };
    assert_eq!(records.findings(false).await, std::slice::from_ref(&found));
    assert_eq!(records.load(id).await.needs_review, None);
    assert_eq!(records.findings(true).await, [found]);
    assert!(records.load(id).await.needs_review.unwrap().contains("recorded as VERIFIED"));
    assert_eq!(records.load(id).await.state, State::Verified, "what to do about it is a person's to say");
}

#[tokio::test]
async fn what_was_burned_is_known_as_that_from_then_on() {
    let records = Records::new().await;
    let id = records.operation(1, State::Verified).await;
    records.mint(1, records.load(id).await.content.wallet_address, 0);
    let burned = Finding::Burned { operation: id, mint: mint(1) };
    assert_eq!(records.findings(false).await, std::slice::from_ref(&burned));
    assert_eq!(records.findings(true).await, [burned]);
    assert_eq!(records.findings(true).await, [], "once");
    assert_eq!(records.store.operation(id).await.unwrap().unwrap().history.last().unwrap().kind, "burned");
}

#[tokio::test]
async fn what_was_minted_in_our_name_and_nobody_knows_is_told_once_by_each_who_looks() {
    let records = Records::new().await;
    let known = records.load(records.operation(1, State::Verified).await).await;
    records.mint(1, known.content.wallet_address, 1);
    records.mint(5, known.content.wallet_address, 1);
    records.chain.others.lock().unwrap().push(signature(7));
    let unknown = Finding::Unknown { mint: mint(5), signature: signature(5) };
    let mut reconciler = records.reconciler(true);
    let mut findings = Vec::new();
    reconciler.pass(|finding| findings.push(finding)).await.unwrap();
    assert_eq!(findings, std::slice::from_ref(&unknown));
    records.mint(9, known.content.wallet_address, 1);
    reconciler.pass(|finding| findings.push(finding)).await.unwrap();
    assert_eq!(findings[1..], [Finding::Unknown { mint: mint(9), signature: signature(9) }], "what is new since");
    assert!(records.findings(false).await.contains(&unknown));
}

#[tokio::test]
async fn what_a_retired_payer_minted_is_looked_through_by_itself() {
    let records = Records::new().await;
    let known = records.load(records.operation(1, State::Verified).await).await;
    let owner = known.content.wallet_address;
    records.mint(1, owner, 1);
    records.mint(5, owner, 1);
    records.chain.by_retired.lock().unwrap().push(mint(5));
    let mut reconciler = records.reconciler(true);
    let mut findings = Vec::new();
    reconciler.pass(|finding| findings.push(finding)).await.unwrap();
    assert_eq!(findings, [Finding::Unknown { mint: mint(5), signature: signature(5) }]);
    // What is new of one creator is not hidden by what was seen of the other.
    records.mint(9, owner, 1);
    reconciler.pass(|finding| findings.push(finding)).await.unwrap();
    assert_eq!(findings[1..], [Finding::Unknown { mint: mint(9), signature: signature(9) }]);
}

#[tokio::test]
async fn a_collection_of_ours_is_nothing_to_be_told() {
    let records = Records::new().await;
    records.mint(5, WalletAddress::from_bytes(CREATOR.to_bytes()), 1);
    records.chain.collections.lock().unwrap().insert(mint(5), CREATOR);
    assert_eq!(records.findings(true).await, []);
    records.chain.collections.lock().unwrap().insert(mint(5), Pubkey::new_from_array([4; 32]));
    assert_eq!(records.findings(true).await, [Finding::Unknown { mint: mint(5), signature: signature(5) }]);
}
