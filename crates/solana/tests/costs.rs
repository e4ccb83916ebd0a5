//! What a mint is said to cost is what its payer really loses: on a real SVM with the real Token Metadata program.

mod support;

use std::time::Duration;

use domain::{Attempt, MintCost, OperationId, Priority, Verdict};
use solana::{
    Chain, ChainView, Commitment, FeePolicy, Landing, MintOrder, OnChainErrorKind, Pubkey, Purse as _, SigningGround,
    Watch,
};
use support::RealChain;

const PATIENCE: Duration = Duration::from_mins(1);
const FIRST: SigningGround = SigningGround { lamports: 0, signed_before: 0, unit_price: None };

/// A payer, and what it had when it was last looked at.
struct Purse {
    chain: RealChain,
    payer: Pubkey,
    held: u64,
}

impl Purse {
    async fn new() -> Self {
        let (chain, payer) = RealChain::with_a_payer_of_its_own().await;
        let held = chain.cluster.balances(&[payer], 0).await.unwrap()[0];
        Self { chain, payer, held }
    }

    async fn sign(&self, id: &OperationId, order: &MintOrder, ground: SigningGround) -> (Attempt, MintCost) {
        let attempt = self.chain.mints.sign(&self.chain.cluster, id, order, ground).await.unwrap();
        let cost = attempt.cost.expect("the chain tells what it costs");
        (attempt, cost)
    }

    async fn landing(&self, attempt: &Attempt) -> Landing {
        self.chain.cluster.send(attempt, Priority::Normal, 0, false).await;
        self.chain.cluster.landing(Watch::from(attempt), Commitment::Confirmed, PATIENCE).await
    }

    async fn lost(&mut self) -> u64 {
        let held = self.chain.cluster.balances(&[self.payer], 0).await.unwrap()[0];
        std::mem::replace(&mut self.held, held) - held
    }
}

#[tokio::test]
async fn a_mint_costs_what_was_recorded_with_and_without_priority() {
    let mut purse = Purse::new().await;
    for signed_before in [0, 1, 2] {
        let (id, order) = purse.chain.order();
        let (attempt, cost) = purse.sign(&id, &order, SigningGround { signed_before, ..FIRST }).await;
        assert_eq!(attempt.compute_unit_price, FeePolicy::default().price(0, signed_before));
        assert!(matches!(purse.landing(&attempt).await, Landing::Landed { .. }));
        assert_eq!(purse.lost().await, cost.total(), "{cost:?}");
        assert_eq!(cost.priority_fee > 0, signed_before > 0, "{cost:?}");
        // The program of the local chain is of a time when it asked for no fee of its own.
        assert!(cost.base_fee > 0 && cost.rent > 0, "{cost:?}");
    }
}

#[tokio::test]
async fn lamports_of_a_stranger_are_not_counted_as_spent() {
    let mut purse = Purse::new().await;
    // Less than the rent of a mint, and more.
    for lamports in [1_000_000, 2_000_000] {
        let (id, order) = purse.chain.order();
        let mint = solana::NftAddresses::of(&order.mint, &order.owner).mint;
        purse.chain.give(&mint, lamports).await;
        let (attempt, cost) = purse.sign(&id, &order, SigningGround { lamports, signed_before: 1, ..FIRST }).await;
        assert!(matches!(purse.landing(&attempt).await, Landing::Landed { .. }));
        assert_eq!(purse.lost().await, cost.total(), "{cost:?}");
    }
}

#[tokio::test]
async fn what_fails_on_chain_costs_its_two_fees() {
    let mut purse = Purse::new().await;
    let (id, order) = purse.chain.order();
    let (first, _) = purse.sign(&id, &order, FIRST).await;
    assert!(matches!(purse.landing(&first).await, Landing::Landed { .. }));
    purse.lost().await;
    let (again, cost) = purse.sign(&id, &order, SigningGround { signed_before: 1, ..FIRST }).await;
    let Landing::Failed { error, .. } = purse.landing(&again).await else { panic!("a second mint") };
    assert_eq!(error.kind, OnChainErrorKind::AlreadyThere, "{error}");
    let spent = cost.spent(Verdict::FailedOnChain);
    assert_eq!(purse.lost().await, spent.total(), "{spent:?}");
    assert!(spent.total() > 0 && spent.total() < cost.floor());
}
