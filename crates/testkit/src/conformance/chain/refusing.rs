//! What the chain refuses: the reason why there is never a second NFT.

use domain::Attempt;
use futures::future::join;
use solana::{Commitment, Landing, MintOrder, MintState, OnChainErrorKind};

use super::scene::{ANEW, FIRST, Scene};
use super::world::ChainWorld;

/// A byte more than Token Metadata takes.
const TOO_LONG: &str = "A name of thirty-three bytes, one";

/// Sends a transaction that fails: tried out, it goes no further; and where it lands, it does nothing.
async fn fails<W: ChainWorld>(scene: &Scene<W>, attempt: &Attempt, order: &MintOrder, expected: OnChainErrorKind) {
    let outcome = scene.send(attempt).await;
    assert!(outcome.failed_for(expected), "{outcome:?}");
    scene.is_unheard_of(attempt, &order.mint).await;
    scene.pass_on(attempt).await;
    let slot = scene.failed(attempt, expected).await;
    let witness = scene.witness(&attempt.signature, &order.mint).await;
    assert_eq!((witness.slot, witness.minted()), (slot, false));
    assert_eq!(witness.error.map(|error| error.kind), Some(expected));
}

pub async fn a_second_transaction_for_the_same_mint_fails_and_is_a_question_for_the_chain<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let first = scene.minted().await;
    let second = scene.sign(&first.id, &first.order, ANEW).await;
    assert_ne!(second.signature, first.attempt.signature);
    fails(&scene, &second, &first.order, OnChainErrorKind::AlreadyThere).await;
    // The answer to the question: it is there, and there is one of it.
    assert_eq!(scene.state(&first.order, Commitment::Finalized, 0).await, MintState::Minted);
    assert_eq!(scene.minted_by(&first.order).await, Some(first.attempt.signature));
    assert_eq!(scene.nft(&first.order, 0).await.mint.unwrap().supply, 1);
}

pub async fn of_two_transactions_at_once_one_mints<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let (id, order) = scene.order();
    let (one, other) = (scene.sign(&id, &order, FIRST).await, scene.sign(&id, &order, ANEW).await);
    assert_ne!(one.signature, other.signature);
    join(scene.pass_on(&one), scene.pass_on(&other)).await;
    let (first, second) =
        join(scene.landing(&one, Commitment::Finalized), scene.landing(&other, Commitment::Finalized)).await;
    let (minted, slot) = match (&first, &second) {
        (Landing::Landed { slot }, Landing::Failed { error, .. }) if is_question(error.kind) => (one, *slot),
        (Landing::Failed { error, .. }, Landing::Landed { slot }) if is_question(error.kind) => (other, *slot),
        _ => panic!("one mints and one fails: {first:?}, {second:?}"),
    };
    assert_eq!(scene.minted_by(&order).await, Some(minted.signature));
    assert_eq!(scene.nft(&order, slot).await.mint.unwrap().supply, 1);
}

fn is_question(kind: OnChainErrorKind) -> bool {
    kind == OnChainErrorKind::AlreadyThere
}

pub async fn what_the_program_refuses_fails_and_mints_nothing<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let (id, order) = scene.order();
    let order = MintOrder { name: TOO_LONG.into(), ..order };
    let attempt = scene.sign(&id, &order, FIRST).await;
    fails(&scene, &attempt, &order, OnChainErrorKind::Hopeless).await;
    assert_eq!(scene.state(&order, Commitment::Finalized, 0).await, MintState::Absent { lamports: 0 });
    assert_eq!(scene.minted_by(&order).await, None);
}
