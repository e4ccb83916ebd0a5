//! When a transaction is too old. A blockhash lives for 150 blocks, and a chain of real time takes its time for them.

use std::time::Duration;

use solana::{Commitment, MintState, Opinions, SendOutcome};
use tokio::time::{sleep, timeout};

use super::scene::{BLOCKHASH_LIFE, FIRST, Scene};
use super::world::ChainWorld;

/// Between looks.
const LOOK: Duration = Duration::from_millis(500);
/// How long a blockhash may take to be too old.
const PATIENCE: Duration = Duration::from_mins(4);

/// Looks again until the answer is yes.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            sleep(LOOK).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"));
}

pub async fn what_is_not_sent_expires_once_its_height_is_past_and_lands_no_more<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let (id, order) = scene.order();
    let attempt = scene.sign(&id, &order, FIRST).await;
    assert!(!scene.expired(&attempt, &order, Opinions::One).await, "it can still land");
    until("it expires", async || scene.expired(&attempt, &order, Opinions::Two).await).await;
    // Finality is further behind than what is remembered of the height.
    let (height, last_valid) = (scene.height().await, attempt.last_valid_block_height);
    assert!(height > last_valid, "it was called expired at {height}, and is good until {last_valid}");
    assert!(scene.expired(&attempt, &order, Opinions::One).await);

    let outcome = scene.send(&attempt).await;
    assert!(matches!(outcome, SendOutcome::BlockhashNotFound(_)), "{outcome:?}");
    scene.pass_on(&attempt).await;
    scene.is_unheard_of(&attempt, &order.mint).await;
    assert_eq!(scene.state(&order, Commitment::Confirmed, 0).await, MintState::Absent { lamports: 0 });
}

pub async fn what_lands_late_in_its_life_never_expires<W: ChainWorld>() {
    let scene = Scene::<W>::new();
    let ((id, order), (idle_id, idle_order)) = (scene.order(), scene.order());
    let attempt = scene.sign(&id, &order, FIRST).await;
    // It lives no shorter, and is never sent.
    let idle = scene.sign(&idle_id, &idle_order, FIRST).await;
    let late = attempt.last_valid_block_height - BLOCKHASH_LIFE / 2;
    let is_late = async || {
        assert!(!scene.expired(&attempt, &order, Opinions::One).await, "it can still land");
        scene.height().await >= late
    };
    until("it is late in its life", is_late).await;
    scene.pass_on(&attempt).await;
    let slot = scene.landed(&attempt, Commitment::Confirmed).await;
    assert_eq!(scene.state(&order, Commitment::Confirmed, slot).await, MintState::Minted);

    let is_past = async || {
        for opinions in [Opinions::One, Opinions::Two] {
            assert!(!scene.expired(&attempt, &order, opinions).await, "it has landed");
        }
        scene.expired(&idle, &idle_order, Opinions::Two).await
    };
    until("the other one expires", is_past).await;
    for opinions in [Opinions::One, Opinions::Two] {
        assert!(!scene.expired(&attempt, &order, opinions).await, "it has landed");
    }
    assert_eq!(scene.landed(&attempt, Commitment::Finalized).await, slot);
}
