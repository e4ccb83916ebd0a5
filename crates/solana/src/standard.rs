//! What a kind of NFT has to bring, so that another one can be minted by the same machine.

use domain::{MintAddress, WalletAddress};
use solana_sdk::instruction::Instruction;
use solana_sdk::pubkey::Pubkey;

use crate::compute::Shape;

/// An NFT to mint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MintOrder {
    /// Its derived address.
    pub mint: MintAddress,
    /// Who gets it.
    pub owner: WalletAddress,
    /// Name on chain, at most 32 bytes.
    pub name: String,
    /// Symbol on chain, at most 10 bytes.
    pub symbol: String,
    /// Where its metadata is, at most 200 bytes.
    pub uri: String,
    /// Royalty in basis points.
    pub seller_fee_basis_points: u16,
    /// The collection it is verified into.
    pub collection: Option<Membership>,
}

/// A place in a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The collection's mint.
    pub collection: MintAddress,
    /// Its update authority, without whose signature nothing is put into it.
    pub authority: Pubkey,
}

/// Lamports that a stranger sent to the mint's address before it was minted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefund {
    /// What lies there.
    pub lamports: u64,
    /// What a mint account has to hold to be free of rent.
    pub rent: u64,
}

/// The transaction that mints an order, before budget, signatures and blockhash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MintPlan {
    /// The instructions, all or none of which happen.
    pub instructions: Vec<Instruction>,
    /// What makes it cost like another one.
    pub shape: Shape,
    /// The accounts that the payer funds, the mint first.
    pub funded: Vec<Pubkey>,
    /// Steps that the search for its derived addresses takes beyond the least.
    pub search_steps: u32,
}

/// A kind of NFT.
pub trait MintStandard: Send + Sync + 'static {
    /// Plans the one transaction that mints `order` and that cannot succeed twice for one mint. `payer` pays, is the
    /// update authority and the creator.
    fn plan(&self, order: &MintOrder, payer: &Pubkey, prefund: Option<Prefund>) -> MintPlan;
}
