//! What an operation is about: frozen when it is accepted, and hashed so that an id can never come to mean two things.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{MintAddress, Signature, WalletAddress};

/// Why an NFT is minted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OperationKind {
    /// The user earned it.
    Unlock,
    /// The user burned a lower one for it.
    Upgrade,
    /// A campaign gives it.
    Airdrop,
}

impl OperationKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Unlock, Self::Upgrade, Self::Airdrop];

    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unlock => "unlock",
            Self::Upgrade => "upgrade",
            Self::Airdrop => "airdrop",
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One trait of an NFT, as wallets and marketplaces show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attribute {
    /// What the trait is called.
    pub trait_type: String,
    /// Its value.
    pub value: String,
}

/// The NFT to mint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Nft {
    /// Name on chain: 1 to 32 bytes of UTF-8.
    pub name: String,
    /// Symbol on chain: at most 10 bytes of UTF-8.
    #[serde(default)]
    pub symbol: String,
    /// Text for people; goes into the metadata, not on chain.
    #[serde(default)]
    pub description: String,
    /// The level it stands for.
    pub level: u32,
    /// Where its image is: `asset:NAME`, `https://…` or `ipfs://CID[/PATH]`.
    pub image: String,
    /// Traits.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// Royalty in basis points: 0 to 10,000.
    #[serde(default)]
    #[schemars(range(max = 10_000))]
    pub seller_fee_basis_points: u16,
    /// The collection of ours into which it is verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<MintAddress>,
}

/// The burn that pays for an upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Burn {
    /// The NFT that was burned: one that this fleet minted, of the collection of the one that is ordered.
    pub mint: MintAddress,
    /// The transaction that burned it, for the wallet that is to get the new one.
    pub signature: Signature,
}

/// Version 1 of what "content" means. A later version is a type of its own, so that an old record hashes alike for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// Why it is minted.
    #[serde(rename = "type")]
    pub kind: OperationKind,
    /// Who gets it.
    pub wallet_address: WalletAddress,
    /// What it is.
    pub nft: Nft,
    /// What pays for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn: Option<Burn>,
}

/// SHA-256 over the canonical JSON (RFC 8785) of a [`Content`] and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Content {
    /// The version that [`Content::hash`] hashes with.
    pub const VERSION: u8 = 1;

    /// Tells contents apart: equal hash, equal content.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        let canonical = serde_json_canonicalizer::to_vec(&(Self::VERSION, self)).expect("content has a JSON form");
        ContentHash(Sha256::digest(canonical).into())
    }
}
