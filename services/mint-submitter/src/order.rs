//! What an operation asks to be minted.

use domain::{Failure, MintAddress, Operation};
use solana::{Membership, MintOrder};

/// The order for `mint`, which is put into that collection.
pub(crate) fn order(
    operation: &Operation,
    mint: MintAddress,
    collection: Option<Membership>,
) -> Result<MintOrder, Failure> {
    let metadata = operation.metadata_cid.as_ref();
    let metadata = metadata.ok_or_else(|| Failure::permanent("no-metadata", "it is to be minted without metadata"))?;
    let nft = &operation.content.nft;
    Ok(MintOrder {
        mint,
        owner: operation.content.wallet_address,
        name: nft.name.clone(),
        symbol: nft.symbol.clone(),
        uri: format!("ipfs://{metadata}"),
        seller_fee_basis_points: nft.seller_fee_basis_points,
        collection,
    })
}
