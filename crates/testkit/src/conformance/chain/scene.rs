//! A chain, and the ways round it that cases share.

use std::time::Duration;

use domain::{Attempt, MintAddress, OperationId, Priority, Signature, WalletAddress};
use futures::future::join_all;
use solana::{
    Chain, ChainView, Commitment, Landing, MintOrder, MintState, NftAccounts, OnChainErrorKind, Opinions, SendOutcome,
    SigningGround, Watch, Witness,
};

use super::world::ChainWorld;

/// How an operation is signed for the first time.
pub const FIRST: SigningGround = SigningGround { lamports: 0, signed_before: 0, unit_price: None };
/// How it is signed anew.
pub const ANEW: SigningGround = SigningGround { signed_before: 1, ..FIRST };
/// Blocks for which a blockhash is good.
pub const BLOCKHASH_LIFE: u64 = 150;
/// How long whatever is to land may take to be final.
const PATIENCE: Duration = Duration::from_mins(1);
/// Time enough for what was sent to be seen, if it were.
const QUIET: Duration = Duration::from_secs(3);

/// A world, and the ways round it that cases share.
pub struct Scene<W> {
    /// What is looked into.
    pub world: W,
}

/// An NFT that is final.
pub struct Minted {
    pub id: OperationId,
    pub order: MintOrder,
    pub attempt: Attempt,
    pub slot: u64,
}

impl<W: ChainWorld> Scene<W> {
    pub fn new() -> Self {
        Self { world: W::fresh() }
    }

    pub fn chain(&self) -> &W::Chain {
        self.world.chain()
    }

    /// An order of an operation that nobody had before.
    pub fn order(&self) -> (OperationId, MintOrder) {
        let id = self.world.operation();
        (id, order(self.world.mints().address(&id)))
    }

    /// Signs, and sends nothing.
    pub async fn sign(&self, id: &OperationId, order: &MintOrder, ground: SigningGround) -> Attempt {
        self.world.mints().sign(self.chain(), id, order, ground).await.unwrap()
    }

    /// Sends it where it is tried out first.
    pub async fn send(&self, attempt: &Attempt) -> SendOutcome {
        self.chain().send(attempt, Priority::Normal, 0, true).await
    }

    /// Sends it where nobody tries it out. Whatever the answer is: it proves nothing.
    pub async fn pass_on(&self, attempt: &Attempt) {
        self.chain().send(attempt, Priority::Normal, 1, false).await;
    }

    /// What became of it.
    pub async fn landing(&self, attempt: &Attempt, commitment: Commitment) -> Landing {
        self.chain().landing(attempt.into(), commitment, PATIENCE).await
    }

    /// The slot in which it landed and did what it was to do.
    pub async fn landed(&self, attempt: &Attempt, commitment: Commitment) -> u64 {
        match self.landing(attempt, commitment).await {
            Landing::Landed { slot } => slot,
            other => panic!("it did not land: {other:?}"),
        }
    }

    /// The slot in which it landed and failed in that way.
    pub async fn failed(&self, attempt: &Attempt, expected: OnChainErrorKind) -> u64 {
        match self.landing(attempt, Commitment::Finalized).await {
            Landing::Failed { slot, error } if error.kind == expected => slot,
            other => panic!("it did not fail as it should: {other:?}"),
        }
    }

    /// An NFT that is final.
    pub async fn minted(&self) -> Minted {
        let (id, order) = self.order();
        let attempt = self.sign(&id, &order, FIRST).await;
        assert_eq!(self.send(&attempt).await, SendOutcome::Accepted);
        let slot = self.landed(&attempt, Commitment::Finalized).await;
        Minted { id, order, attempt, slot }
    }

    /// Makes sure that nobody has seen a transaction, neither lately nor in the history.
    pub async fn is_unheard_of(&self, attempt: &Attempt, mint: &MintAddress) {
        let recent = Watch::from(attempt);
        let watches = [recent, Watch { signed_at: None, ..recent }];
        let landings = watches.map(|watch| self.chain().landing(watch, Commitment::Confirmed, QUIET));
        for landing in join_all(landings).await {
            assert!(matches!(landing, Landing::Unknown { tip: Some(_) }), "{landing:?}");
        }
        assert_eq!(self.chain().witness(&attempt.signature, mint, Commitment::Confirmed).await, Ok(None));
    }

    /// Whether the NFT exists, as of that slot or a later one.
    pub async fn state(&self, order: &MintOrder, commitment: Commitment, slot: u64) -> MintState {
        self.chain().mint_state(&order.mint, commitment, slot).await.unwrap()
    }

    /// Its accounts, as of that slot or a later one.
    pub async fn nft(&self, order: &MintOrder, slot: u64) -> NftAccounts {
        self.chain().nft(&order.mint, &order.owner, slot).await.unwrap()
    }

    /// The transaction that minted it.
    pub async fn minted_by(&self, order: &MintOrder) -> Option<Signature> {
        self.chain().minted_by(&order.mint).await.unwrap()
    }

    /// What a final transaction did to the mint.
    pub async fn witness(&self, signature: &Signature, mint: &MintAddress) -> Witness {
        let witness = self.chain().witness(signature, mint, Commitment::Finalized).await;
        witness.unwrap().expect("it is known")
    }

    /// Whether nothing can land any more that was good as long as that attempt, and its mint is absent.
    pub async fn expired(&self, attempt: &Attempt, order: &MintOrder, opinions: Opinions) -> bool {
        self.chain().expired(attempt.last_valid_block_height, &order.mint, opinions).await.unwrap()
    }

    /// The block height that is confirmed, or was a moment ago.
    pub async fn height(&self) -> u64 {
        self.chain().blockhash().await.unwrap().last_valid_block_height - BLOCKHASH_LIFE
    }
}

/// An order of an NFT at that address.
#[must_use]
pub fn order(mint: MintAddress) -> MintOrder {
    MintOrder {
        mint,
        owner: WalletAddress::from_bytes([9; 32]),
        name: "Quant Ape of thirty-two bytes ok".into(),
        symbol: "AIW3".into(),
        uri: "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy".into(),
        seller_fee_basis_points: 500,
        collection: None,
    }
}
