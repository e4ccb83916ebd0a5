//! What there is to be seen of an NFT, and where there is none.

use domain::WalletAddress;
use solana::{ChainView, Commitment, MaxSupply, MintState};

use super::scene::Scene;
use super::world::ChainWorld;

/// The most that fits into a packet, bytes.
const PACKET: usize = 1_232;

pub async fn where_nothing_was_minted_there_is_nothing<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let (_, order) = scene.order();
    for commitment in [Commitment::Confirmed, Commitment::Finalized] {
        assert_eq!(scene.state(&order, commitment, 0).await, MintState::Absent { lamports: 0 });
    }
    assert_eq!(scene.minted_by(&order).await, None);
    assert_eq!(scene.chain().metadata(&order.mint).await, Ok(None));
    let nft = scene.nft(&order, 0).await;
    assert_eq!((nft.mint, nft.metadata, nft.edition, nft.holding), (None, None, None, None));
}

pub async fn the_nft_is_what_was_ordered<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let minted = scene.minted().await;
    assert!(minted.attempt.wire.len() <= PACKET, "{} bytes", minted.attempt.wire.len());
    let (order, payer) = (&minted.order, scene.world.mints().payers().of(&minted.id));
    let nft = scene.nft(order, minted.slot).await;
    assert!(nft.slot >= minted.slot);
    let (mint, metadata, holding) = (nft.mint.unwrap(), nft.metadata.unwrap(), nft.holding.unwrap());
    assert_eq!((mint.decimals, mint.supply), (0, 1));
    assert_eq!((mint.authority, mint.freeze_authority), (Some(nft.addresses.edition), Some(nft.addresses.edition)));
    assert_eq!((metadata.mint, metadata.update_authority), (nft.addresses.mint, payer));
    assert_eq!((&metadata.name, &metadata.symbol, &metadata.uri), (&order.name, &order.symbol, &order.uri));
    assert_eq!((metadata.seller_fee_basis_points, metadata.is_mutable, metadata.non_fungible), (500, false, true));
    assert_eq!(metadata.creators, [(payer, true, 100)]);
    assert_eq!(metadata.collection, None);
    assert_eq!(nft.edition, Some(MaxSupply::Limited(0)));
    assert_eq!((holding.mint, holding.amount), (nft.addresses.mint, 1));
    assert_eq!(holding.owner.to_bytes(), *order.owner.as_bytes());
    assert_eq!(scene.chain().metadata(&order.mint).await, Ok(Some(metadata)));
}

pub async fn the_transaction_that_minted_is_found_and_bears_witness<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let (minted, other) = (scene.minted().await, scene.minted().await);
    let signature = minted.attempt.signature;
    assert_eq!(scene.minted_by(&minted.order).await, Some(signature));
    let witness = scene.witness(&signature, &minted.order.mint).await;
    assert_eq!((witness.slot, &witness.error), (minted.slot, &None));
    assert!(witness.minted_for(&minted.order.owner));
    assert!(!witness.minted_for(&WalletAddress::from_bytes([1; 32])));
    assert!(!scene.witness(&signature, &other.order.mint).await.minted(), "it made no other");
}

pub async fn nobody_answers_for_a_slot_that_is_not_reached<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let minted = scene.minted().await;
    for commitment in [Commitment::Confirmed, Commitment::Finalized] {
        assert_eq!(scene.state(&minted.order, commitment, minted.slot).await, MintState::Minted);
        let ahead = scene.chain().mint_state(&minted.order.mint, commitment, minted.slot + 100_000).await;
        assert!(ahead.as_ref().is_err_and(|error| error.code() == "rpc-behind"), "{ahead:?}");
    }
}
