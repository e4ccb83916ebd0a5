//! Mints on a real SVM with the real Token Metadata program.

mod support;

use std::time::Duration;

use domain::{Attempt, OperationId, Priority, WalletAddress};
use mpl_token_metadata::instructions::BurnNftBuilder;
use serde_json::json;
use solana::{
    Chain, ChainView, Commitment, Landing, MaxSupply, MintOrder, MintState, OnChainErrorKind, Opinions, SendOutcome,
    SigningGround, Watch,
};
use solana_client::rpc_request::RpcRequest;
use solana_sdk::instruction::Instruction;
use solana_sdk::signature::{Keypair, Signer};
use solana_sdk::transaction::Transaction;
use spl_token_interface::ID as TOKEN_PROGRAM;
use support::RealChain;

const PATIENCE: Duration = Duration::from_mins(1);
const FIRST: SigningGround = SigningGround { lamports: 0, signed_before: 0, unit_price: None };

impl RealChain {
    async fn sign(&self, id: &OperationId, order: &MintOrder, ground: SigningGround) -> Attempt {
        self.mints.sign(&self.cluster, id, order, ground).await.unwrap()
    }

    async fn landed(&self, attempt: &Attempt, commitment: Commitment) -> Landing {
        self.cluster.landing(Watch::from(attempt), commitment, PATIENCE).await
    }

    async fn minted(&self) -> (OperationId, MintOrder, Attempt) {
        let (id, order) = self.order();
        let attempt = self.mint(&id, &order).await;
        (id, order, attempt)
    }

    async fn mint(&self, id: &OperationId, order: &MintOrder) -> Attempt {
        let attempt = self.sign(id, order, FIRST).await;
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
async fn an_nft_is_minted_and_everything_about_it_is_right() {
    let chain = RealChain::connect();
    let genesis = chain.endpoints.check_cluster(None).await.unwrap();
    assert!(genesis.unreachable.is_empty());
    let (_, order) = chain.order();
    assert_eq!(chain.state(&order).await, MintState::Absent { lamports: 0 });
    let (_, order, attempt) = chain.minted().await;
    assert!(attempt.wire.len() < 1_232, "{} bytes", attempt.wire.len());
    assert_eq!(chain.state(&order).await, MintState::Minted);
    assert_eq!(chain.cluster.minted_by(&order.mint).await, Ok(Some(attempt.signature)));

    let Landing::Landed { slot } = chain.landed(&attempt, Commitment::Finalized).await else { panic!("not final") };
    let nft = chain.cluster.nft(&order.mint, &order.owner, slot).await.unwrap();
    let (mint, metadata, holding) = (nft.mint.unwrap(), nft.metadata.unwrap(), nft.holding.unwrap());
    assert_eq!((mint.decimals, mint.supply), (0, 1));
    assert_eq!((mint.authority, mint.freeze_authority), (Some(nft.addresses.edition), Some(nft.addresses.edition)));
    assert_eq!((&metadata.name, &metadata.symbol, &metadata.uri), (&order.name, &order.symbol, &order.uri));
    assert_eq!((metadata.seller_fee_basis_points, metadata.is_mutable, metadata.non_fungible), (500, false, true));
    assert_eq!(metadata.creators, [(metadata.update_authority, true, 100)]);
    assert_eq!(metadata.collection.map(|(_, verified)| verified), Some(false));
    assert_eq!(nft.edition, Some(MaxSupply::Limited(0)));
    assert_eq!((holding.amount, holding.owner.to_bytes()), (1, *order.owner.as_bytes()));

    let witness = chain.cluster.witness(&attempt.signature, &order.mint, Commitment::Finalized).await.unwrap().unwrap();
    assert!(witness.minted_for(&order.owner));
    assert_eq!(witness.slot, slot);
}

#[tokio::test]
async fn the_same_bytes_twice_are_one_nft() {
    let chain = RealChain::connect();
    let (_, order, attempt) = chain.minted().await;
    assert_eq!(chain.cluster.send(&attempt, Priority::Normal, 1, true).await, SendOutcome::AlreadyProcessed);
    chain.cluster.send(&attempt, Priority::Normal, 0, false).await;
    let Landing::Landed { slot } = chain.landed(&attempt, Commitment::Finalized).await else { panic!("not final") };
    let nft = chain.cluster.nft(&order.mint, &order.owner, slot).await.unwrap();
    assert_eq!((nft.mint.unwrap().supply, nft.holding.unwrap().amount), (1, 1));
}

#[tokio::test]
async fn a_second_transaction_for_the_same_mint_fails_and_is_a_question_for_the_chain() {
    let chain = RealChain::connect();
    let (id, order, first) = chain.minted().await;
    let again = chain.sign(&id, &order, SigningGround { signed_before: 1, ..FIRST }).await;
    assert_ne!(again.signature, first.signature);
    let outcome = chain.cluster.send(&again, Priority::Normal, 0, true).await;
    assert!(outcome.failed_for(OnChainErrorKind::AlreadyThere), "{outcome:?}");
    chain.cluster.send(&again, Priority::Normal, 0, false).await;
    let Landing::Failed { error, .. } = chain.landed(&again, Commitment::Confirmed).await else { panic!("it failed") };
    assert_eq!(error.kind, OnChainErrorKind::AlreadyThere, "{error}");
    assert_eq!(chain.state(&order).await, MintState::Minted);
    assert_eq!(chain.cluster.minted_by(&order.mint).await, Ok(Some(first.signature)));
}

#[tokio::test]
async fn lamports_of_a_stranger_do_not_block_the_address() {
    let chain = RealChain::connect();
    let (id, order) = chain.order();
    let mint = solana::NftAddresses::of(&order.mint, &order.owner).mint;
    let stranger = chain.stranger().await;
    chain.does(&stranger, solana_system_interface::instruction::transfer(&stranger.pubkey(), &mint, 1_000_000)).await;
    assert_eq!(chain.state(&order).await, MintState::Absent { lamports: 1_000_000 });

    let attempt = chain.sign(&id, &order, SigningGround { lamports: 1_000_000, ..FIRST }).await;
    assert_eq!(chain.cluster.send(&attempt, Priority::Normal, 0, true).await, SendOutcome::Accepted);
    assert!(matches!(chain.landed(&attempt, Commitment::Confirmed).await, Landing::Landed { .. }));
    assert_eq!(chain.state(&order).await, MintState::Minted);
    assert_eq!(chain.cluster.minted_by(&order.mint).await, Ok(Some(attempt.signature)), "not the gift");
}

/// A blockhash lives for about a minute, so this takes more than that.
#[tokio::test]
async fn an_attempt_that_was_never_sent_expires_and_lands_no_more() {
    let chain = RealChain::connect();
    let (id, order) = chain.order();
    let attempt = chain.sign(&id, &order, FIRST).await;
    let expired = || chain.cluster.expired(attempt.last_valid_block_height, &order.mint, Opinions::Two);
    assert_eq!(expired().await, Ok(false));
    let until_expired = async {
        while expired().await != Ok(true) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(4), until_expired).await.expect("it expires");
    let outcome = chain.cluster.send(&attempt, Priority::Normal, 0, true).await;
    assert!(matches!(outcome, SendOutcome::BlockhashNotFound(_)), "{outcome:?}");
    assert_eq!(chain.state(&order).await, MintState::Absent { lamports: 0 });
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
