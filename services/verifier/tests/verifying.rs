//! What the verify step makes of every state in which chain and content can be.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::{
    Attempt, Attribute, Cid, Content, Failure, MintAddress, Nft, Operation, OperationKind, Signature, State,
    Transition, WalletAddress,
};
use engine::{StepError, StepHandler};
use serde_json::{Value, json};
use solana::{
    ChainView, CollectionState, Commitment, Holding, Landing, MaxSupply, MetadataAccount, MintAccount, MintState,
    NftAccounts, NftAddresses, Pubkey, RpcError, Watch, Witness,
};
use verifier::{ContentSource, Verifier};

const MINT: MintAddress = MintAddress::from_bytes([4; 32]);
const OWNER: WalletAddress = WalletAddress::from_bytes([9; 32]);
const SIGNATURE: Signature = Signature::from_bytes([5; 64]);
const ANOTHER: Signature = Signature::from_bytes([6; 64]);
const AUTHORITY: Pubkey = Pubkey::new_from_array([2; 32]);
const IMAGE: &str = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const METADATA: &str = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

struct FakeChain {
    landing: Landing,
    state: MintState,
    nft: NftAccounts,
    /// As the other endpoint has it.
    elsewhere: Option<NftAccounts>,
    /// As each endpoint by itself has it, where that is something else again.
    by_each: Option<Vec<NftAccounts>>,
    /// What is answered first, and never again, where it is not what there is.
    at_first: Mutex<Option<NftAccounts>>,
    /// What the owner's wallet holds besides.
    others: Vec<Holding>,
    minted_by: Option<Signature>,
    witness: Option<Witness>,
}

impl ChainView for FakeChain {
    async fn landing(&self, watch: Watch, commitment: Commitment, _: Duration) -> Landing {
        assert_eq!((watch.signature, commitment), (SIGNATURE, Commitment::Finalized));
        self.landing.clone()
    }

    async fn mint_state(&self, _: &MintAddress, commitment: Commitment, _: u64) -> Result<MintState, RpcError> {
        assert_eq!(commitment, Commitment::Finalized);
        Ok(self.state)
    }

    async fn minted_by(&self, _: &MintAddress) -> Result<Option<Signature>, RpcError> {
        Ok(self.minted_by)
    }

    async fn witness(&self, _: &Signature, _: &MintAddress, at: Commitment) -> Result<Option<Witness>, RpcError> {
        assert_eq!(at, Commitment::Finalized);
        Ok(self.witness.clone())
    }

    async fn nft(&self, _: &MintAddress, _: &WalletAddress, _: u64) -> Result<NftAccounts, RpcError> {
        Ok(self.at_first.lock().unwrap().take().unwrap_or_else(|| self.nft.clone()))
    }

    async fn nft_by_each(&self, _: &MintAddress, _: &WalletAddress, _: u64) -> Vec<Result<NftAccounts, RpcError>> {
        let all = || std::iter::once(&self.nft).chain(&self.elsewhere).cloned().collect();
        self.by_each.clone().unwrap_or_else(all).into_iter().map(Ok).collect()
    }

    async fn metadata(&self, _: &MintAddress) -> Result<Option<MetadataAccount>, RpcError> {
        let at_first = self.at_first.lock().unwrap().take();
        Ok(at_first.map_or_else(|| self.nft.metadata.clone(), |nft| nft.metadata))
    }

    async fn collection(&self, _: &MintAddress) -> Result<CollectionState, RpcError> {
        unreachable!("the NFT itself says whether it is verified into its collection")
    }

    async fn holdings(&self, wallet: &WalletAddress) -> Result<Vec<Holding>, RpcError> {
        assert_eq!(*wallet, OWNER);
        Ok(self.others.iter().copied().chain(self.nft.holding).collect())
    }
}

#[derive(Default)]
struct FakeIpfs {
    contents: Mutex<HashMap<String, Bytes>>,
    image_reads: std::sync::Arc<AtomicU32>,
}

impl ContentSource for FakeIpfs {
    async fn fetch(&self, cid: &Cid) -> Result<Bytes, Failure> {
        tokio::task::yield_now().await;
        if cid.as_str() == IMAGE {
            self.image_reads.fetch_add(1, Ordering::Relaxed);
        }
        let contents = self.contents.lock().unwrap();
        contents.get(cid.as_str()).cloned().ok_or_else(|| Failure::transient("gateways-failed", "no gateway has it"))
    }
}

fn operation(state: State) -> Operation {
    let nft = Nft {
        name: "Quant Ape".into(),
        symbol: "AIW3".into(),
        description: "Reads order books.".into(),
        level: 2,
        image: "asset:quant-ape.png".into(),
        attributes: vec![Attribute { trait_type: "Level".into(), value: "2".into() }],
        seller_fee_basis_points: 500,
        collection: None,
    };
    Operation {
        content: Content { kind: OperationKind::Unlock, wallet_address: OWNER, nft, burn: None },
        state,
        version: 4,
        mint_address: Some(MINT),
        key_id: Some("k1".into()),
        image_cid: Some(IMAGE.parse().unwrap()),
        metadata_cid: Some(METADATA.parse().unwrap()),
        signature: Some(SIGNATURE),
        ..testkit::operation(testkit::operation_id(7))
    }
}

/// A chain on which everything is right.
fn chain() -> FakeChain {
    let addresses = NftAddresses::of(&MINT, &OWNER);
    let edition = Some(addresses.edition);
    let nft = NftAccounts {
        addresses,
        slot: 100,
        mint: Some(MintAccount { decimals: 0, supply: 1, authority: edition, freeze_authority: edition }),
        metadata: Some(MetadataAccount {
            mint: addresses.mint,
            update_authority: AUTHORITY,
            name: "Quant Ape".into(),
            symbol: "AIW3".into(),
            uri: format!("ipfs://{METADATA}"),
            seller_fee_basis_points: 500,
            creators: vec![(AUTHORITY, true, 100)],
            is_mutable: false,
            non_fungible: true,
            collection: None,
            is_collection: false,
        }),
        edition: Some(MaxSupply::Limited(0)),
        holding: Some(Holding { mint: addresses.mint, owner: Pubkey::new_from_array([9; 32]), amount: 1 }),
    };
    let witness = Witness { slot: 90, error: None, before: vec![], holders: vec![(OWNER, 1)], creation: None };
    let landing = Landing::Landed { slot: 90 };
    FakeChain {
        landing,
        state: MintState::Minted,
        nft,
        elsewhere: None,
        by_each: None,
        at_first: Mutex::default(),
        others: vec![Holding { mint: AUTHORITY, owner: Pubkey::new_from_array([9; 32]), amount: 1_000 }],
        minted_by: Some(SIGNATURE),
        witness: Some(witness),
    }
}

fn metadata() -> Value {
    json!({
        "name": "Quant Ape", "symbol": "AIW3", "description": "Reads order books.", "image": format!("ipfs://{IMAGE}"),
        "attributes": [{"trait_type": "Level", "value": "2"}, {"trait_type": "Season", "value": "1"}],
        "properties": {"category": "image"}
    })
}

fn ipfs(metadata: &Value) -> FakeIpfs {
    let contents = [(METADATA.to_owned(), metadata.to_string().into()), (IMAGE.to_owned(), Bytes::from_static(b"png"))];
    FakeIpfs { contents: Mutex::new(contents.into()), ..FakeIpfs::default() }
}

async fn on_chain(chain: FakeChain) -> Result<Transition, StepError> {
    Verifier::new(chain, FakeIpfs::default(), vec![AUTHORITY]).run(&operation(State::BlockchainConfirmed)).await
}

async fn as_partner(chain: FakeChain, ipfs: FakeIpfs) -> Result<Transition, StepError> {
    Verifier::new(chain, ipfs, vec![AUTHORITY]).run(&operation(State::DatabaseUpdated)).await
}

fn permanent(result: Result<Transition, StepError>) -> String {
    match result {
        Err(StepError::Permanent(failure)) => failure.code.into_owned(),
        other => panic!("a mismatch, not {other:?}"),
    }
}

fn dependency(result: Result<Transition, StepError>) -> String {
    match result {
        Err(StepError::Dependency(failure)) => failure.code.into_owned(),
        other => panic!("to be tried again, not {other:?}"),
    }
}

#[tokio::test]
async fn what_is_final_and_right_gets_its_record() {
    let Ok(Transition::DatabaseUpdated { record }) = on_chain(chain()).await else { panic!("a record") };
    assert_eq!((record.mint, record.owner, record.signature, record.slot), (MINT, OWNER, SIGNATURE, 90));
    assert_eq!((record.name.as_str(), record.uri), ("Quant Ape", format!("ipfs://{METADATA}")));
}

#[tokio::test]
async fn what_one_endpoint_shows_wrong_is_looked_for_at_the_others_before_a_person_is_asked() {
    let right = chain();
    let mut wrong = chain();
    wrong.nft.mint = None;
    let lying = FakeChain { elsewhere: Some(right.nft.clone()), nft: wrong.nft.clone(), ..chain() };
    assert!(matches!(on_chain(lying).await, Ok(Transition::DatabaseUpdated { .. })));
    let agreeing = FakeChain { elsewhere: Some(wrong.nft.clone()), ..wrong };
    let Err(StepError::Permanent(failure)) = on_chain(agreeing).await else { panic!("a mismatch") };
    assert_eq!(failure.code, "mint-missing");
    assert!(failure.message.contains("2 endpoint(s)"), "{failure}");
}

#[tokio::test]
async fn every_mismatch_has_its_code() {
    type Change = fn(&mut NftAccounts);
    fn mint(nft: &mut NftAccounts) -> &mut MintAccount {
        nft.mint.as_mut().unwrap()
    }
    fn metadata(nft: &mut NftAccounts) -> &mut MetadataAccount {
        nft.metadata.as_mut().unwrap()
    }
    let changes: [(Change, &str); 18] = [
        (|nft| nft.mint = None, "mint-missing"),
        (|nft| mint(nft).decimals = 1, "wrong-decimals"),
        (|nft| mint(nft).supply = 2, "wrong-supply"),
        (|nft| mint(nft).authority = Some(AUTHORITY), "wrong-mint-authority"),
        (|nft| mint(nft).freeze_authority = None, "wrong-freeze-authority"),
        (|nft| nft.metadata = None, "metadata-missing"),
        (|nft| metadata(nft).mint = AUTHORITY, "wrong-mint"),
        (|nft| metadata(nft).name.push('!'), "wrong-name"),
        (|nft| metadata(nft).symbol.clear(), "wrong-symbol"),
        (|nft| metadata(nft).uri.push('/'), "wrong-uri"),
        (|nft| metadata(nft).seller_fee_basis_points = 0, "wrong-seller-fee"),
        (|nft| metadata(nft).creators[0].1 = false, "wrong-creators"),
        (|nft| metadata(nft).update_authority = Pubkey::default(), "wrong-update-authority"),
        (|nft| metadata(nft).is_mutable = true, "metadata-mutable"),
        (|nft| metadata(nft).non_fungible = false, "wrong-token-standard"),
        (|nft| metadata(nft).collection = Some((AUTHORITY, true)), "wrong-collection"),
        (|nft| nft.edition = None, "edition-missing"),
        (|nft| nft.edition = Some(MaxSupply::Unlimited), "wrong-max-supply"),
    ];
    for (change, code) in changes {
        let mut chain = chain();
        change(&mut chain.nft);
        assert_eq!(permanent(on_chain(chain).await), code);
    }
}

/// An NFT whose creator and update authority is `payer`.
fn created_by(payer: Pubkey) -> FakeChain {
    let mut chain = chain();
    let metadata = chain.nft.metadata.as_mut().unwrap();
    (metadata.update_authority, metadata.creators) = (payer, vec![(payer, true, 100)]);
    chain
}

fn signed_by(payer: Option<Pubkey>, signature: Signature) -> Operation {
    let attempt = Attempt {
        signature,
        wire: vec![1],
        payer: payer.map(|payer| WalletAddress::from_bytes(payer.to_bytes())),
        blockhash: "hash".into(),
        last_valid_block_height: 1,
        context_slot: 1,
        compute_unit_price: 0,
        endpoint: "e0".into(),
        cost: None,
    };
    Operation { open_attempt: Some(attempt), ..operation(State::BlockchainConfirmed) }
}

#[tokio::test]
async fn an_nft_is_its_own_payers_retired_or_not() {
    let (retired, unlisted) = (Pubkey::new_from_array([3; 32]), Pubkey::new_from_array([7; 32]));
    let verdict = async |creator: Pubkey, operation: Operation| {
        let verifier = Verifier::new(created_by(creator), FakeIpfs::default(), vec![AUTHORITY, retired]);
        match verifier.run(&operation).await {
            Ok(Transition::DatabaseUpdated { .. }) => "accepted".to_owned(),
            other => permanent(other),
        }
    };
    let confirmed = || operation(State::BlockchainConfirmed);
    assert_eq!(verdict(retired, confirmed()).await, "accepted");
    assert_eq!(verdict(unlisted, confirmed()).await, "wrong-creators");
    // What is on record of the transaction outweighs every list.
    assert_eq!(verdict(unlisted, signed_by(Some(unlisted), SIGNATURE)).await, "accepted");
    assert_eq!(verdict(AUTHORITY, signed_by(Some(retired), SIGNATURE)).await, "wrong-creators");
    // Another transaction may have been another payer's; what was signed before payers were written down, anyone's.
    assert_eq!(verdict(AUTHORITY, signed_by(Some(unlisted), ANOTHER)).await, "accepted");
    assert_eq!(verdict(retired, signed_by(None, SIGNATURE)).await, "accepted");
}

#[tokio::test]
async fn what_its_owner_moved_or_burned_is_witnessed_by_the_transaction() {
    fn moved() -> FakeChain {
        let mut chain = chain();
        chain.nft.holding = None;
        chain
    }
    fn burned() -> FakeChain {
        let mut chain = moved();
        chain.nft.mint.as_mut().unwrap().supply = 0;
        (chain.nft.metadata, chain.nft.edition) = (None, None);
        chain
    }
    for gone in [moved as fn() -> FakeChain, burned] {
        assert!(matches!(on_chain(gone()).await, Ok(Transition::DatabaseUpdated { .. })));
        let stranger = vec![(WalletAddress::from_bytes([1; 32]), 1)];
        let to_a_stranger = Witness { holders: stranger, ..gone().witness.unwrap() };
        assert_eq!(permanent(on_chain(FakeChain { witness: Some(to_a_stranger), ..gone() }).await), "wrong-owner");
        let not_shown = on_chain(FakeChain { witness: None, ..gone() }).await;
        assert_eq!(dependency(not_shown), "minting-transaction-not-found");
    }
    assert!(matches!(as_partner(burned(), ipfs(&metadata())).await, Ok(Transition::Verified)));
    assert_eq!(dependency(as_partner(burned(), FakeIpfs::default()).await), "gateways-failed");
}

#[tokio::test]
async fn a_signature_that_finality_dropped_is_sent_again_unless_another_one_minted() {
    let absent = MintState::Absent { lamports: 0 };
    let unknown = Landing::Unknown { tip: Some(500) };
    let dropped = FakeChain { landing: unknown.clone(), state: absent, ..chain() };
    assert_eq!(on_chain(dropped).await, Ok(Transition::Dropped));
    let another = FakeChain { landing: unknown, minted_by: Some(ANOTHER), ..chain() };
    let Ok(Transition::DatabaseUpdated { record }) = on_chain(another).await else { panic!("a record") };
    assert_eq!((record.signature, record.slot), (ANOTHER, 90));
    let pending = FakeChain { landing: Landing::Pending { slot: 90 }, ..chain() };
    assert_eq!(dependency(on_chain(pending).await), "not-final-yet");
}

#[tokio::test]
async fn what_a_partner_sees_is_what_was_asked_for() {
    assert_eq!(as_partner(chain(), ipfs(&metadata())).await, Ok(Transition::Verified));
    let cases = [
        ("/name", json!("Another"), "partner-sees-wrong-name"),
        ("/symbol", json!(""), "partner-sees-wrong-symbol"),
        ("/description", json!(""), "partner-sees-wrong-description"),
        ("/image", json!(format!("ipfs://{METADATA}")), "partner-sees-wrong-image"),
        ("/image", json!("https://example.org/a.png"), "metadata-leads-nowhere"),
        ("/attributes", json!([]), "partner-misses-attribute"),
        ("/attributes", json!(7), "metadata-unreadable"),
    ];
    for (pointer, value, code) in cases {
        let mut changed = metadata();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert_eq!(permanent(as_partner(chain(), ipfs(&changed)).await), code);
    }
    assert_eq!(dependency(as_partner(chain(), FakeIpfs::default()).await), "gateways-failed");
}

#[tokio::test]
async fn a_collection_counts_where_the_nft_is_verified_into_it() {
    let collected = async |collection| {
        let mut chain = chain();
        chain.nft.metadata.as_mut().unwrap().collection = collection;
        let mut operation = operation(State::BlockchainConfirmed);
        operation.content.nft.collection = Some(MintAddress::from_bytes([8; 32]));
        Verifier::new(chain, FakeIpfs::default(), vec![AUTHORITY]).run(&operation).await
    };
    let ordered = Pubkey::new_from_array([8; 32]);
    assert!(matches!(collected(Some((ordered, true))).await, Ok(Transition::DatabaseUpdated { .. })));
    assert_eq!(permanent(collected(Some((ordered, false))).await), "collection-unverified");
    assert_eq!(permanent(collected(Some((AUTHORITY, true))).await), "wrong-collection");
    assert_eq!(permanent(collected(None).await), "wrong-collection");
}

fn reason(result: Result<Transition, StepError>) -> String {
    match result {
        Err(StepError::Permanent(failure)) => failure.to_string(),
        other => panic!("a mismatch, not {other:?}"),
    }
}

#[tokio::test]
async fn before_a_person_is_asked_it_is_looked_for_from_the_wallet_alone() {
    let garbled = || {
        let mut nft = chain().nft;
        nft.metadata.as_mut().unwrap().name = "Another".into();
        nft
    };
    let at_first = || FakeChain { at_first: Mutex::new(Some(garbled())), ..chain() };
    assert_eq!(as_partner(at_first(), ipfs(&metadata())).await, Ok(Transition::Verified), "it was one bad answer");
    let by_then = FakeChain { elsewhere: Some(garbled()), nft: garbled(), ..chain() };
    let seen = reason(on_chain(by_then).await);
    assert!(seen.starts_with("wrong-name") && seen.contains("from the wallet alone: gateways-failed"), "{seen}");

    let mut changed = metadata();
    changed["description"] = json!("");
    let sold = FakeChain { nft: NftAccounts { holding: None, ..chain().nft }, ..chain() };
    let seen = reason(as_partner(sold, ipfs(&changed)).await);
    assert!(seen.starts_with("partner-sees-wrong-description"), "{seen}");
    assert!(
        seen.contains("from the wallet alone: partner-finds-no-nft") && seen.contains("holds 1 token(s)"),
        "{seen}"
    );
}

#[tokio::test]
async fn what_all_endpoints_show_wrong_and_is_mended_when_looked_at_from_the_wallet_passes() {
    let mut wrong = chain().nft;
    wrong.metadata.as_mut().unwrap().symbol.clear();
    let mended = FakeChain { at_first: Mutex::new(Some(wrong.clone())), by_each: Some(vec![wrong]), ..chain() };
    let verifier = Verifier::new(mended, ipfs(&metadata()), vec![AUTHORITY]);
    let transition = verifier.run(&operation(State::BlockchainConfirmed)).await;
    assert!(matches!(transition, Ok(Transition::DatabaseUpdated { .. })), "{transition:?}");
}

#[tokio::test]
async fn an_image_that_many_share_is_read_once() {
    let ipfs = ipfs(&metadata());
    let reads = std::sync::Arc::clone(&ipfs.image_reads);
    let verifier = Verifier::new(chain(), ipfs, vec![AUTHORITY]);
    let operation = operation(State::DatabaseUpdated);
    let (one, two) = tokio::join!(verifier.run(&operation), verifier.run(&operation));
    assert_eq!((one, two), (Ok(Transition::Verified), Ok(Transition::Verified)));
    assert_eq!(verifier.run(&operation).await, Ok(Transition::Verified));
    assert_eq!(reads.load(Ordering::Relaxed), 1);
}
