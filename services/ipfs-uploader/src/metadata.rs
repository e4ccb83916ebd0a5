//! The metadata JSON of an NFT, after the Metaplex standard. Canonical (RFC 8785), so that the same NFT has the same
//! content id for ever.

use domain::{Attribute, Cid, Nft};
use serde::Serialize;

#[derive(Serialize)]
struct Metadata<'a> {
    name: &'a str,
    symbol: &'a str,
    description: &'a str,
    seller_fee_basis_points: u16,
    image: &'a str,
    attributes: Vec<Attribute>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Properties<'a> {
    category: &'static str,
    files: [File<'a>; 1],
}

#[derive(Serialize)]
struct File<'a> {
    uri: &'a str,
    #[serde(rename = "type")]
    media_type: &'a str,
}

/// The metadata of `nft` with its image pinned as `image`, of that media type.
///
/// # Panics
/// Never: metadata has a JSON form.
#[must_use]
pub fn metadata(nft: &Nft, image: &Cid, media_type: &str) -> Vec<u8> {
    let uri = format!("ipfs://{image}");
    let metadata = Metadata {
        name: &nft.name,
        symbol: &nft.symbol,
        description: &nft.description,
        seller_fee_basis_points: nft.seller_fee_basis_points,
        image: &uri,
        attributes: attributes(nft),
        properties: Properties { category: "image", files: [File { uri: &uri, media_type }] },
    };
    serde_json_canonicalizer::to_vec(&metadata).expect("metadata has a JSON form")
}

/// The traits as they were asked for, and the level where nobody named it.
fn attributes(nft: &Nft) -> Vec<Attribute> {
    const LEVEL: &str = "Level";
    let mut attributes = nft.attributes.clone();
    if !attributes.iter().any(|attribute| attribute.trait_type == LEVEL) {
        attributes.push(Attribute { trait_type: LEVEL.into(), value: nft.level.to_string() });
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_canonical_and_never_changes() {
        let nft = Nft {
            name: "Quant Ape".into(),
            symbol: "AIW3".into(),
            description: "Reads order books for breakfast.".into(),
            level: 2,
            image: "asset:quant-ape.png".into(),
            attributes: vec![],
            seller_fee_basis_points: 500,
            collection: None,
        };
        let image = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy".parse().unwrap();
        let text = String::from_utf8(metadata(&nft, &image, "image/png")).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"attributes":[{"trait_type":"Level","value":"2"}],"description":"Reads order books for breakfast.","#,
                r#""image":"ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy","name":"Quant Ape","#,
                r#""properties":{"category":"image","files":[{"type":"image/png","#,
                r#""uri":"ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"}]},"#,
                r#""seller_fee_basis_points":500,"symbol":"AIW3"}"#
            )
        );
    }
}
