//! What becomes of a transaction that is sent, and of one that is not.

use std::time::Duration;

use solana::{ChainView, Commitment, Landing, MintState, SendOutcome, Watch};

use super::scene::{FIRST, Scene};
use super::world::ChainWorld;

pub async fn what_is_sent_is_confirmed_and_then_final<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let (id, order) = scene.order();
    let attempt = scene.sign(&id, &order, FIRST).await;
    assert_eq!(scene.send(&attempt).await, SendOutcome::Accepted);
    let slot = scene.landed(&attempt, Commitment::Confirmed).await;
    assert_eq!(scene.state(&order, Commitment::Confirmed, slot).await, MintState::Minted);
    assert_eq!(scene.landed(&attempt, Commitment::Finalized).await, slot);
    assert_eq!(scene.state(&order, Commitment::Finalized, slot).await, MintState::Minted);
}

pub async fn what_was_signed_and_not_sent_is_unknown<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let (id, order) = scene.order();
    let attempt = scene.sign(&id, &order, FIRST).await;
    scene.is_unheard_of(&attempt, &order.mint).await;
    assert_eq!(scene.state(&order, Commitment::Confirmed, 0).await, MintState::Absent { lamports: 0 });
    // That proves nothing: it may still be sent.
    assert_eq!(scene.send(&attempt).await, SendOutcome::Accepted);
    scene.landed(&attempt, Commitment::Confirmed).await;
}

pub async fn the_same_bytes_twice_are_one_nft<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let minted = scene.minted().await;
    assert_eq!(scene.send(&minted.attempt).await, SendOutcome::AlreadyProcessed);
    scene.pass_on(&minted.attempt).await;
    // Another one that was sent later is final: so would these be.
    let later = scene.minted().await.slot;
    assert_eq!(scene.landed(&minted.attempt, Commitment::Finalized).await, minted.slot);
    let nft = scene.nft(&minted.order, later).await;
    assert_eq!((nft.mint.unwrap().supply, nft.holding.unwrap().amount), (1, 1));
}

pub async fn what_landed_is_found_in_the_history<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let minted = scene.minted().await;
    let of_old = Watch { signature: minted.attempt.signature, signed_at: None };
    let landing = scene.chain().landing(of_old, Commitment::Finalized, Duration::from_mins(1)).await;
    assert_eq!(landing, Landing::Landed { slot: minted.slot });
}
