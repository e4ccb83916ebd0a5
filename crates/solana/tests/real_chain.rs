//! The chain's conformance suite on a real SVM with the real Token Metadata program, which `crates/sim/src/chain/conformance.rs`
//! runs on the simulated chain; and what the simulated one knows nothing of.

mod support;

use std::time::Duration;

use domain::{Attempt, MintAddress, OperationId, Priority, WalletAddress};
use mpl_token_metadata::instructions::BurnNftBuilder;
use serde_json::json;
use solana::{
    Chain, ChainView, Cluster, Commitment, Landing, MintOrder, MintState, Mints, Pubkey, SendOutcome, SigningGround,
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

    async fn mint(&self, id: &OperationId, order: &MintOrder) -> Attempt {
        let attempt = self.mints.sign(&self.cluster, id, order, FIRST).await.unwrap();
        assert_eq!(self.cluster.send(&attempt, Priority::Normal, 0, true).await, SendOutcome::Accepted);
        assert!(matches!(self.landed(&attempt, Commitment::Confirmed).await, Landing::Landed { .. }));
        attempt
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
    let order = MintOrder { owner: wallet, ..order };
    let minting = chain.mint(&id, &order).await;
    let at = solana::NftAddresses::of(&order.mint, &wallet);
    let burn = BurnNftBuilder::new()
        .metadata(at.metadata)
        .owner(owner.pubkey())
        .mint(at.mint)
        .token_account(at.token)
        .master_edition_account(at.edition)
        .spl_token_program(TOKEN_PROGRAM)
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
    assert_eq!(creation.collection, order.collection);
}
