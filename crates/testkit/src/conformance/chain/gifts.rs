//! Lamports that a stranger sends to the address of a mint, which anybody can who knows it.

use solana::{Commitment, MintState, OnChainErrorKind, SendOutcome, SigningGround};

use super::scene::{ANEW, FIRST, Scene};
use super::world::ChainWorld;

const GIFT: u64 = 1_000_000;

pub async fn lamports_of_a_stranger_do_not_block_the_address<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let (id, order) = scene.order();
    scene.world.receives(&order.mint, GIFT).await;
    for commitment in [Commitment::Confirmed, Commitment::Finalized] {
        assert_eq!(scene.state(&order, commitment, 0).await, MintState::Absent { lamports: GIFT });
    }
    assert_eq!(scene.minted_by(&order).await, None, "a gift mints nothing");

    let attempt = scene.sign(&id, &order, SigningGround { lamports: GIFT, ..FIRST }).await;
    assert_eq!(scene.send(&attempt).await, SendOutcome::Accepted);
    let slot = scene.landed(&attempt, Commitment::Finalized).await;
    assert_eq!(scene.state(&order, Commitment::Finalized, slot).await, MintState::Minted);
    assert_eq!(scene.minted_by(&order).await, Some(attempt.signature), "not the gift");
}

pub async fn lamports_that_come_after_the_signature_are_a_question_for_the_chain<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let (id, order) = scene.order();
    let unaware = scene.sign(&id, &order, FIRST).await;
    scene.world.receives(&order.mint, GIFT).await;
    let outcome = scene.send(&unaware).await;
    assert!(outcome.failed_for(OnChainErrorKind::AlreadyThere), "{outcome:?}");
    scene.pass_on(&unaware).await;
    let slot = scene.failed(&unaware, OnChainErrorKind::AlreadyThere).await;
    // The answer is another one than to a second transaction.
    assert_eq!(scene.state(&order, Commitment::Finalized, slot).await, MintState::Absent { lamports: GIFT });

    let aware = scene.sign(&id, &order, SigningGround { lamports: GIFT, ..ANEW }).await;
    assert_eq!(scene.send(&aware).await, SendOutcome::Accepted);
    let slot = scene.landed(&aware, Commitment::Finalized).await;
    assert_eq!(scene.state(&order, Commitment::Finalized, slot).await, MintState::Minted);
    assert_eq!(scene.minted_by(&order).await, Some(aware.signature));
}
