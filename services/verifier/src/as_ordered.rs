//! The accounts of an NFT against the order.

use domain::Operation;
use engine::StepError;
use solana::{MaxSupply, MetadataAccount, NftAccounts, Pubkey};

use crate::problem::{missing, wrong};

/// The URI that stands on chain for an operation's metadata.
pub(crate) fn uri(operation: &Operation) -> Result<String, StepError> {
    let cid = operation.metadata_cid.as_ref().ok_or_else(|| missing("metadata CID"))?;
    Ok(format!("ipfs://{cid}"))
}

/// Every account of an NFT that exists is as it was ordered; whose it is now is another question.
pub(crate) fn check(operation: &Operation, accounts: &NftAccounts, creator: &Pubkey) -> Result<(), StepError> {
    let mut differences = Differences::default();
    let edition = Some(accounts.addresses.edition);
    if let Some(mint) = accounts.mint {
        differences.expect("decimals", &mint.decimals, &0);
        differences.expect("supply", &mint.supply, &1);
        differences.expect("mint authority", &mint.authority, &edition);
        differences.expect("freeze authority", &mint.freeze_authority, &edition);
    }
    differences.expect("prints", &accounts.edition, &Some(MaxSupply::Limited(0)));
    match &accounts.metadata {
        Some(metadata) => compare(&mut differences, operation, metadata, accounts.addresses.mint, creator)?,
        None => differences.0.push("there is no metadata account".into()),
    }
    if differences.0.is_empty() { Ok(()) } else { Err(wrong("nft-mismatch", &differences.0)) }
}

fn compare(
    differences: &mut Differences,
    operation: &Operation,
    metadata: &MetadataAccount,
    mint: Pubkey,
    creator: &Pubkey,
) -> Result<(), StepError> {
    let nft = &operation.content.nft;
    differences.expect("mint of the metadata", &metadata.mint, &mint);
    differences.expect("name", &metadata.name, &nft.name);
    differences.expect("symbol", &metadata.symbol, &nft.symbol);
    differences.expect("URI", &metadata.uri, &uri(operation)?);
    differences.expect("seller fee", &metadata.seller_fee_basis_points, &nft.seller_fee_basis_points);
    differences.expect("update authority", &metadata.update_authority, creator);
    differences.expect("creators", &metadata.creators, &vec![(*creator, true, 100)]);
    differences.expect("non-fungible", &metadata.non_fungible, &true);
    let collection = metadata.collection.map(|(key, _)| key.to_bytes());
    differences.expect("collection", &collection, &nft.collection.map(|key| *key.as_bytes()));
    Ok(())
}

#[derive(Debug, Default)]
struct Differences(Vec<String>);

impl Differences {
    fn expect<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: &T, ordered: &T) {
        if found != ordered {
            self.0.push(format!("{what} is {found:?}, not {ordered:?}"));
        }
    }
}
