//! The NFT as a partner sees it, who knows a wallet and a mint and nothing of us: the chain names the metadata, the
//! metadata names the image.

use domain::{Attribute, Cid, Failure, Operation};
use engine::StepError;
use serde::Deserialize;
use solana::MetadataAccount;

use crate::content::{CheckedContent, ContentSource};

const SCHEME: &str = "ipfs://";

/// What a wallet or marketplace would show.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct PartnerView {
    name: String,
    #[serde(default)]
    symbol: String,
    #[serde(default)]
    description: String,
    image: String,
    #[serde(default)]
    attributes: Vec<Attribute>,
}

/// Follows the URI on chain to the metadata, and the metadata to the image. Both are read; an image that many NFTs share,
/// once.
///
/// # Errors
/// Permanent where the metadata leads nowhere, otherwise those of the source.
pub(crate) async fn view<S: ContentSource>(content: &CheckedContent<S>, uri: &str) -> Result<PartnerView, StepError> {
    let metadata = content.read(&cid_of(uri)?).await?;
    let view: PartnerView = serde_json::from_slice(&metadata)
        .map_err(|error| StepError::Permanent(Failure::permanent("metadata-unreadable", error)))?;
    content.check(&cid_of(&view.image)?).await?;
    Ok(view)
}

/// Compares what a partner sees with what was asked for.
///
/// # Errors
/// A permanent failure with a code of its own for each difference.
pub(crate) fn compare(operation: &Operation, on_chain: &MetadataAccount, seen: &PartnerView) -> Result<(), Failure> {
    let wanted = &operation.content.nft;
    let image = operation.image_cid.as_ref().map(|cid| format!("{SCHEME}{cid}")).unwrap_or_default();
    same("partner-sees-wrong-name", &seen.name, &wanted.name)?;
    same("partner-sees-two-names", &seen.name, &on_chain.name)?;
    same("partner-sees-wrong-symbol", &seen.symbol, &wanted.symbol)?;
    same("partner-sees-wrong-description", &seen.description, &wanted.description)?;
    same("partner-sees-wrong-image", &seen.image, &image)?;
    match wanted.attributes.iter().find(|attribute| !seen.attributes.contains(attribute)) {
        None => Ok(()),
        Some(missing) => {
            Err(Failure::permanent("partner-misses-attribute", format!("{missing:?} is not in the metadata")))
        }
    }
}

fn same(code: &'static str, seen: &str, wanted: &str) -> Result<(), Failure> {
    if seen == wanted {
        Ok(())
    } else {
        Err(Failure::permanent(code, format!("a partner sees {seen:?} where {wanted:?} was asked for")))
    }
}

fn cid_of(uri: &str) -> Result<Cid, StepError> {
    let cid = uri.strip_prefix(SCHEME).and_then(|cid| cid.parse().ok());
    let not_ipfs = || Failure::permanent("metadata-leads-nowhere", format!("{uri:?} names no content on IPFS"));
    cid.ok_or_else(|| StepError::Permanent(not_ipfs()))
}
