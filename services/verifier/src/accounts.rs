//! Whether the accounts of an NFT are what its operation asked for.

use domain::{Failure, Operation};
use solana::{Holding, MaxSupply, MetadataAccount, MintAccount, NftAccounts, Pubkey};

/// What became of the NFT since it was minted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It lies where it was minted to.
    Held,
    /// Its owner gave it away.
    Moved,
    /// Its owner burned it: the mint is left, without a token.
    Burned,
}

/// Where its metadata has to be.
pub(crate) fn uri(operation: &Operation) -> String {
    operation.metadata_cid.as_ref().map(|cid| format!("ipfs://{cid}")).unwrap_or_default()
}

/// Checks every account. One of `creators` has to be update authority and only creator.
///
/// # Errors
/// A permanent failure with a code of its own for each thing that can be wrong.
pub(crate) fn check(operation: &Operation, nft: &NftAccounts, creators: &[Pubkey]) -> Result<Standing, Failure> {
    let mint = nft.mint.as_ref().ok_or_else(|| Failure::permanent("mint-missing", "there is no mint account"))?;
    check_mint(mint, &nft.addresses.edition)?;
    if mint.supply == 0 {
        return Ok(Standing::Burned);
    }
    let metadata = nft.metadata.as_ref();
    let metadata = metadata.ok_or_else(|| Failure::permanent("metadata-missing", "there is no metadata account"))?;
    check_metadata(operation, metadata, nft, creators)?;
    check_edition(nft.edition)?;
    Ok(if holds(nft.holding, operation, &nft.addresses.mint) { Standing::Held } else { Standing::Moved })
}

fn check_mint(mint: &MintAccount, edition: &Pubkey) -> Result<(), Failure> {
    equal("wrong-decimals", mint.decimals, 0)?;
    if mint.supply > 1 {
        equal("wrong-supply", mint.supply, 1)?;
    }
    equal("wrong-mint-authority", mint.authority, Some(*edition))?;
    equal("wrong-freeze-authority", mint.freeze_authority, Some(*edition))
}

fn check_metadata(
    operation: &Operation,
    metadata: &MetadataAccount,
    nft: &NftAccounts,
    creators: &[Pubkey],
) -> Result<(), Failure> {
    let wanted = &operation.content.nft;
    equal("wrong-mint", metadata.mint, nft.addresses.mint)?;
    equal("wrong-name", metadata.name.as_str(), wanted.name.as_str())?;
    equal("wrong-symbol", metadata.symbol.as_str(), wanted.symbol.as_str())?;
    equal("wrong-uri", &metadata.uri, &uri(operation))?;
    equal("wrong-seller-fee", metadata.seller_fee_basis_points, wanted.seller_fee_basis_points)?;
    check_creator(metadata, creators)?;
    equal("metadata-mutable", metadata.is_mutable, false)?;
    equal("wrong-token-standard", metadata.non_fungible, true)?;
    let collection = metadata.collection.map(|(collection, _)| collection.to_bytes());
    equal("wrong-collection", collection, wanted.collection.map(|collection| *collection.as_bytes()))?;
    let verified = metadata.collection.is_none_or(|(_, verified)| verified);
    equal("collection-unverified", verified, true)
}

/// Whoever is the creator has to be the update authority too.
fn check_creator(metadata: &MetadataAccount, creators: &[Pubkey]) -> Result<(), Failure> {
    let creator = match metadata.creators[..] {
        [(creator, true, 100)] if creators.contains(&creator) => creator,
        _ => {
            let message = format!("found {:?} on chain where one of {creators:?} was to be", metadata.creators);
            return Err(Failure::permanent("wrong-creators", message));
        }
    };
    equal("wrong-update-authority", metadata.update_authority, creator)
}

fn check_edition(edition: Option<MaxSupply>) -> Result<(), Failure> {
    let edition = edition.ok_or_else(|| Failure::permanent("edition-missing", "there is no master edition"))?;
    equal("wrong-max-supply", edition, MaxSupply::Limited(0))
}

fn holds(holding: Option<Holding>, operation: &Operation, mint: &Pubkey) -> bool {
    holding.is_some_and(|holding| {
        holding.amount == 1
            && holding.mint == *mint
            && holding.owner.to_bytes() == *operation.content.wallet_address.as_bytes()
    })
}

/// Text from the chain is shown quoted and escaped.
fn equal<T: PartialEq + Copy + std::fmt::Debug>(code: &'static str, found: T, wanted: T) -> Result<(), Failure> {
    if found == wanted {
        Ok(())
    } else {
        Err(Failure::permanent(code, format!("found {found:?} on chain where {wanted:?} was asked for")))
    }
}
