//! What is only tried out: it changes nothing, and tells what the real thing would take.

use domain::OperationId;
use solana::{
    Chain, Commitment, MintOrder, MintStandard, MintState, Prefund, SendOutcome, TokenMetadata, Toll, Transaction,
};

use super::scene::{FIRST, Scene};
use super::world::ChainWorld;

/// The payer and the mint sign.
const SIGNATURES: u64 = 2;
const FEE_PER_SIGNATURE: u64 = 5_000;

pub async fn a_simulation_measures_and_lands_nothing<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let (id, order) = scene.order();
    let attempt = scene.sign(&id, &order, FIRST).await;
    let simulated = scene.chain().simulate(&attempt.wire).await.unwrap();
    assert!(simulated.succeeded && simulated.units > 0, "{simulated:?}");
    scene.is_unheard_of(&attempt, &order.mint).await;
    assert_eq!(scene.state(&order, Commitment::Confirmed, 0).await, MintState::Absent { lamports: 0 });
    assert_eq!(scene.send(&attempt).await, SendOutcome::Accepted);
    scene.landed(&attempt, Commitment::Confirmed).await;
}

pub async fn what_would_fail_is_no_measure<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let minted = scene.minted().await;
    let simulated = scene.chain().simulate(&minted.attempt.wire).await.unwrap();
    assert!(!simulated.succeeded, "{simulated:?}");
    assert_eq!(toll(&scene, &minted.id, &minted.order, 0).await, None);
}

pub async fn the_toll_is_the_same_whatever_lies_at_the_address<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let (id, order) = scene.order();
    let expected = toll(&scene, &id, &order, 0).await.expect("it is told");
    let rent = scene.chain().mint_rent().await.unwrap();
    assert_eq!(expected.base_fee, SIGNATURES * FEE_PER_SIGNATURE);
    assert!(expected.rent > rent, "a mint is not all there is: {expected:?}");
    for gift in [rent - 1, rent + 1] {
        let (id, order) = scene.order();
        scene.world.receives(&order.mint, gift).await;
        assert_eq!(toll(&scene, &id, &order, gift).await, Some(expected), "{gift} lamports lie there");
    }
}

async fn toll<W: ChainWorld>(scene: &Scene<W>, id: &OperationId, order: &MintOrder, lamports: u64) -> Option<Toll> {
    let payer = scene.world.mints().payers().of(id);
    let rent = scene.chain().mint_rent().await.unwrap();
    let prefund = (lamports > 0).then_some(Prefund { lamports, rent });
    let plan = TokenMetadata.plan(order, &payer, prefund);
    let probe = Transaction::new_with_payer(&plan.instructions, Some(&payer));
    scene.chain().toll(&probe, &plan.funded, lamports).await.unwrap()
}
