//! The chain's conformance suite on a real SVM with the real Token Metadata program, which `crates/sim/src/chain/conformance.rs`
//! runs on the simulated chain; and what the simulated one knows nothing of.

mod support;

use std::sync::Arc;
use std::time::Duration;

use domain::{Attempt, MintAddress, OperationId, Priority, WalletAddress};
use mpl_token_metadata::accounts::Metadata;
use mpl_token_metadata::instructions::BurnNftBuilder;
use secrecy::SecretBox;
use serde_json::json;
use solana::{
    Chain, ChainView, Cluster, CollectionState, Commitment, KeypairSigner, Landing, MasterSecret, MasterSecrets,
    Membership, MintOrder, MintSigner, MintState, Mints, OnChainErrorKind, Payers, Pubkey, SendOutcome, SigningGround,
    TokenMetadata, Watch,
};
use solana_client::rpc_request::RpcRequest;
use solana_sdk::instruction::Instruction;
use solana_sdk::signature::{Keypair, Signer};
use solana_sdk::transaction::Transaction;
use solana_system_interface::instruction::transfer;
use spl_token_interface::ID as TOKEN_PROGRAM;
use support::RealChain;
use testkit::conformance::chain::ChainWorld;

const PATIENCE: Duration = Duration::from_mins(1);
const FIRST: SigningGround = SigningGround { lamports: 0, signed_before: 0, unit_price: None };

/// All cases share one chain.
impl ChainWorld for RealChain {
    type Chain = Cluster;

    fn fresh() -> Self {
        Self::connect()
    }

    fn chain(&self) -> &Cluster {
        &self.cluster
    }

    fn mints(&self) -> &Mints<TokenMetadata> {
        &self.mints
    }

    fn operation(&self) -> OperationId {
        self.order().0
    }

    async fn receives(&self, address: &MintAddress, lamports: u64) {
        let stranger = self.stranger().await;
        let gift = transfer(&stranger.pubkey(), &Pubkey::new_from_array(*address.as_bytes()), lamports);
        let gift = self.does(&stranger, gift).await;
        let landing = self.landed(&gift, Commitment::Finalized).await;
        assert!(matches!(landing, Landing::Landed { .. }), "{landing:?}");
    }
}

testkit::chain_conformance!(RealChain, tokio::test);

impl RealChain {
    async fn landed(&self, attempt: &Attempt, commitment: Commitment) -> Landing {
        self.cluster.landing(Watch::from(attempt), commitment, PATIENCE).await
    }

    async fn sign(&self, id: &OperationId, order: &MintOrder, ground: SigningGround) -> Attempt {
        self.mints.sign(&self.cluster, id, order, ground).await.unwrap()
    }

    async fn mint(&self, id: &OperationId, order: &MintOrder) -> Attempt {
        let attempt = self.sign(id, order, FIRST).await;
        assert_eq!(self.cluster.send(&attempt, Priority::Normal, 0, true).await, SendOutcome::Accepted);
        assert!(matches!(self.landed(&attempt, Commitment::Confirmed).await, Landing::Landed { .. }));
        attempt
    }

    /// A collection of `payer`, and the transaction that created it, confirmed.
    async fn collection(&self, mints: &Mints<TokenMetadata>, payer: &Pubkey, label: &str) -> (MintOrder, Attempt) {
        let (_, nft) = self.order();
        let owner = WalletAddress::from_bytes(payer.to_bytes());
        let order = MintOrder { mint: mints.collection_address(label), owner, ..nft };
        let attempt = mints.sign_collection(&self.cluster, label, &order, *payer, FIRST).await.unwrap();
        assert_eq!(self.cluster.send(&attempt, Priority::Normal, 0, true).await, SendOutcome::Accepted);
        assert!(matches!(self.landed(&attempt, Commitment::Confirmed).await, Landing::Landed { .. }));
        (order, attempt)
    }

    /// Somebody with a little to spend.
    async fn stranger(&self) -> Keypair {
        let stranger = Keypair::new();
        let airdrop = json!([stranger.pubkey().to_string(), 1_000_000_000]);
        let airdrop = self.endpoints.ask::<String>(RpcRequest::RequestAirdrop, airdrop).await.unwrap();
        let watch = Watch { signature: airdrop.value.parse().unwrap(), signed_at: None };
        assert!(matches!(self.cluster.landing(watch, Commitment::Confirmed, PATIENCE).await, Landing::Landed { .. }));
        stranger
    }

    /// What somebody does with the chain by themselves.
    async fn does(&self, somebody: &Keypair, instruction: Instruction) -> Attempt {
        let blockhash = self.cluster.blockhash().await.unwrap();
        let mut transaction = Transaction::new_with_payer(&[instruction], Some(&somebody.pubkey()));
        transaction.try_sign(&[somebody], blockhash.hash).unwrap();
        let attempt = Attempt {
            signature: domain::Signature::from_bytes(transaction.signatures[0].into()),
            wire: bincode::serialize(&transaction).unwrap(),
            context_slot: blockhash.context_slot,
            ..support::attempt()
        };
        assert_eq!(self.cluster.send(&attempt, Priority::Normal, 0, true).await, SendOutcome::Accepted);
        assert!(matches!(self.landed(&attempt, Commitment::Confirmed).await, Landing::Landed { .. }));
        attempt
    }

    async fn state(&self, order: &MintOrder) -> MintState {
        self.cluster.mint_state(&order.mint, Commitment::Confirmed, 0).await.unwrap()
    }
}

#[tokio::test]
async fn all_endpoints_serve_one_cluster() {
    let check = RealChain::connect().endpoints.check_cluster(None).await.unwrap();
    assert_eq!(check.unreachable, []);
}

#[tokio::test]
async fn a_burn_is_witnessed_and_the_minting_still_tells_whose_nft_it_was() {
    let chain = RealChain::connect();
    let owner = chain.stranger().await;
    let wallet = WalletAddress::from_bytes(owner.pubkey().to_bytes());
    let (id, order) = chain.order();
    let (collection, _) = chain.collection(&chain.mints, &chain.payer, &fresh_label()).await;
    let into = Membership { collection: collection.mint, authority: chain.payer };
    let order = MintOrder { owner: wallet, collection: Some(into), ..order };
    let minting = chain.mint(&id, &order).await;
    let at = solana::NftAddresses::of(&order.mint, &wallet);
    let burn = BurnNftBuilder::new()
        .metadata(at.metadata)
        .owner(owner.pubkey())
        .mint(at.mint)
        .token_account(at.token)
        .master_edition_account(at.edition)
        .spl_token_program(TOKEN_PROGRAM)
        .collection_metadata(Some(Metadata::find_pda(&pubkey(&collection)).0))
        .instruction();
    let burning = chain.does(&owner, burn).await;
    assert!(matches!(chain.landed(&burning, Commitment::Finalized).await, Landing::Landed { .. }));

    let witness = async |by| chain.cluster.witness(by, &order.mint, Commitment::Finalized).await.unwrap().unwrap();
    let burned = witness(&burning.signature).await;
    assert_eq!((burned.burned(), burned.taken_from(&wallet), burned.creation), (1, 1, None));
    assert_eq!(burned.taken_from(&WalletAddress::from_bytes([9; 32])), 0);
    assert_eq!(chain.cluster.metadata(&order.mint).await, Ok(None), "the metadata went with it");
    assert_eq!(chain.state(&order).await, MintState::Minted, "and the address stays closed");

    assert_eq!(chain.cluster.minted_by(&order.mint).await, Ok(Some(minting.signature)));
    let creation = witness(&minting.signature).await.creation.expect("it made the mint");
    assert!(chain.mints.mints_as(&creation.authority));
    assert_eq!(creation.collection, Some(collection.mint));
}

#[tokio::test]
async fn a_collection_is_created_once_and_takes_an_nft_in_by_the_transaction_that_mints_it() {
    let (chain, label) = (RealChain::connect(), fresh_label());
    let (collection, created) = chain.collection(&chain.mints, &chain.payer, &label).await;
    let dearer = SigningGround { unit_price: Some(1), ..FIRST };
    let again = chain.mints.sign_collection(&chain.cluster, &label, &collection, chain.payer, dearer).await.unwrap();
    assert_ne!(again.signature, created.signature);
    let outcome = chain.cluster.send(&again, Priority::Normal, 0, true).await;
    assert!(outcome.failed_for(OnChainErrorKind::AlreadyThere), "{outcome:?}");
    assert!(matches!(chain.landed(&created, Commitment::Finalized).await, Landing::Landed { .. }));
    let standing = CollectionState::Standing { authority: chain.payer };
    assert_eq!(chain.cluster.collection(&collection.mint).await, Ok(standing));

    let (id, order) = chain.order();
    let into = Membership { collection: collection.mint, authority: chain.payer };
    let order = MintOrder { collection: Some(into), ..order };
    let attempt = chain.mint(&id, &order).await;
    assert!(attempt.wire.len() < 1_232, "{} bytes", attempt.wire.len());
    let Landing::Landed { slot } = chain.landed(&attempt, Commitment::Finalized).await else { panic!("not final") };
    let nft = chain.cluster.nft(&order.mint, &order.owner, slot).await.unwrap();
    assert_eq!(nft.metadata.unwrap().collection, Some((pubkey(&collection), true)));
    assert_eq!(
        chain.cluster.collection(&order.mint).await,
        Ok(CollectionState::NoCollection),
        "it is one of ours, too"
    );

    let held = chain.cluster.holdings(&order.owner).await.unwrap();
    assert!(held.iter().any(|holding| (holding.mint, holding.amount) == (pubkey(&order), 1)), "seen from the wallet");
}

#[tokio::test]
async fn a_collection_of_one_payer_takes_in_what_another_pays_for() {
    let chain = RealChain::connect();
    let keys = [chain.stranger().await, chain.stranger().await];
    let [ruler, payer] = keys.each_ref().map(Signer::pubkey);
    let signers = keys.map(|key| Arc::new(KeypairSigner::new(key)) as Arc<dyn solana::Signer>);
    let masters = MasterSecrets::one(MasterSecret::new("two".into(), SecretBox::new(Box::new([9; 32]))));
    let mints = Mints::new(MintSigner::of(Payers::new(signers, &[]).unwrap(), masters), TokenMetadata);
    let (collection, created) = chain.collection(&mints, &ruler, &fresh_label()).await;
    assert!(matches!(chain.landed(&created, Commitment::Finalized).await, Landing::Landed { .. }));

    let mut ids = std::iter::repeat_with(|| OperationId::from_uuid(support::fresh()));
    let id = ids.find(|id| mints.payers().of(id) == payer).unwrap();
    let into = Membership { collection: collection.mint, authority: ruler };
    let order = MintOrder { mint: mints.address(&id), collection: Some(into), ..chain.order().1 };
    let attempt = mints.sign(&chain.cluster, &id, &order, FIRST).await.unwrap();
    assert_eq!(chain.cluster.send(&attempt, Priority::Normal, 0, true).await, SendOutcome::Accepted);
    let Landing::Landed { slot } = chain.landed(&attempt, Commitment::Finalized).await else { panic!("not final") };
    let metadata = chain.cluster.nft(&order.mint, &order.owner, slot).await.unwrap().metadata.unwrap();
    assert_eq!(metadata.collection, Some((pubkey(&collection), true)));
    assert_eq!((metadata.update_authority, &metadata.creators[..]), (payer, &[(payer, true, 100)][..]));
    assert_eq!(attempt.cost.map(|cost| cost.base_fee), Some(15_000), "three signatures");
}

#[tokio::test]
async fn nothing_is_put_into_the_collection_of_another() {
    let chain = RealChain::connect();
    let stranger = chain.stranger().await;
    let signer = MintSigner::new(stranger.insecure_clone(), SecretBox::new(Box::new([9; 32])), "theirs".into());
    let theirs = Mints::new(signer, TokenMetadata);
    let (collection, created) = chain.collection(&theirs, &stranger.pubkey(), &fresh_label()).await;
    assert!(matches!(chain.landed(&created, Commitment::Finalized).await, Landing::Landed { .. }));
    let standing = CollectionState::Standing { authority: stranger.pubkey() };
    assert_eq!(chain.cluster.collection(&collection.mint).await, Ok(standing));
    assert!(!chain.mints.puts_into_collections_of(&stranger.pubkey()));

    // Whoever signs for it all the same is refused by the program, and nothing is minted.
    let (id, order) = chain.order();
    let into = Membership { collection: collection.mint, authority: chain.payer };
    let order = MintOrder { collection: Some(into), ..order };
    let attempt = chain.sign(&id, &order, FIRST).await;
    let outcome = chain.cluster.send(&attempt, Priority::Normal, 0, true).await;
    assert!(outcome.failed_for(OnChainErrorKind::Hopeless), "{outcome:?}");
    assert_eq!(chain.state(&order).await, MintState::Absent { lamports: 0 });
}

fn fresh_label() -> String {
    format!("apes {}", support::fresh())
}

fn pubkey(order: &MintOrder) -> Pubkey {
    Pubkey::new_from_array(*order.mint.as_bytes())
}
