//! Content ids: CIDv1, sha2-256, base32 in text (<https://github.com/multiformats/cid>), of one raw block or of the root of
//! a tree of blocks.

use std::fmt;

use domain::Cid;
use multihash_codetable::{Code, MultihashDigest as _};

const RAW: u64 = 0x55;
const DAG_PB: u64 = 0x70;

/// A content id against which the bytes of its block can be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentId(cid::Cid);

/// A content id that is of no file's block, with another hash, or no id at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cid} cannot be checked against bytes: {reason}")]
pub struct Unverifiable {
    /// Which one.
    pub cid: String,
    /// Why not.
    pub reason: String,
}

impl ContentId {
    /// The id of these bytes as one raw block.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(cid::Cid::new_v1(RAW, Code::Sha2_256.digest(bytes)))
    }

    /// The id of a block that links to others.
    pub(crate) fn of_node(block: &[u8]) -> Self {
        Self(cid::Cid::new_v1(DAG_PB, Code::Sha2_256.digest(block)))
    }

    /// Reads an id in any of its text forms.
    ///
    /// # Errors
    /// [`Unverifiable`] where it is not of a file's block with sha2-256.
    pub fn parse(text: &str) -> Result<Self, Unverifiable> {
        let refuse = |reason: String| Unverifiable { cid: text.to_owned(), reason };
        cid::Cid::try_from(text).map_err(|error| refuse(error.to_string()))?.try_into()
    }

    /// Whether the block links to others, so that its own bytes are not the content.
    #[must_use]
    pub fn is_node(&self) -> bool {
        self.0.codec() == DAG_PB
    }

    /// Whether these are the bytes of the block that the id names.
    #[must_use]
    pub fn matches(&self, block: &[u8]) -> bool {
        Code::Sha2_256.digest(block) == *self.0.hash()
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// Its canonical text, as the domain has it.
    ///
    /// # Panics
    /// Never: the text form of a content id is one.
    #[must_use]
    pub fn to_cid(&self) -> Cid {
        self.to_string().parse().expect("59 characters of base32")
    }
}

impl TryFrom<cid::Cid> for ContentId {
    type Error = Unverifiable;

    fn try_from(cid: cid::Cid) -> Result<Self, Unverifiable> {
        let refuse = |reason: String| Unverifiable { cid: cid.to_string(), reason };
        if !matches!(cid.codec(), RAW | DAG_PB) {
            return Err(refuse(format!("codec {:#x}, raw ({RAW:#x}) or dag-pb ({DAG_PB:#x}) is wanted", cid.codec())));
        }
        match Code::try_from(cid.hash().code()) {
            Ok(Code::Sha2_256) => cid.into_v1().map(Self).map_err(|error| refuse(error.to_string())),
            _ => Err(refuse(format!("hash {:#x}, sha2-256 is wanted", cid.hash().code()))),
        }
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq";

    #[test]
    fn ids_are_those_of_other_implementations() {
        // As `ipfs add --cid-version=1 --raw-leaves` has it.
        assert_eq!(ContentId::of(b"hello").to_string(), HELLO);
        assert_eq!(ContentId::of(b"hello").to_cid().as_str(), HELLO);
    }

    #[test]
    fn bytes_are_checked_against_the_id_in_any_of_its_forms() {
        let base16 = "f015512202cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        for text in [HELLO, base16] {
            let id = ContentId::parse(text).unwrap();
            assert!(id.matches(b"hello") && !id.matches(b"hellO"));
            assert_eq!(id.to_cid().as_str(), HELLO);
        }
    }

    #[test]
    fn a_tree_has_one_name_however_it_is_written() {
        let old = ContentId::parse("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG").unwrap();
        assert_eq!(old.to_string(), "bafybeie5nqv6kd3qnfjupgvz34woh3oksc3iau6abmyajn7qvtf6d2ho34");
        assert!(old.is_node() && !ContentId::of(b"hello").is_node());
    }

    #[test]
    fn what_says_nothing_of_the_bytes_is_refused_with_its_reason() {
        let refused = |text: &str| ContentId::parse(text).unwrap_err().reason;
        assert!(refused("bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy").starts_with("codec 0x71"));
        assert!(!refused("nonsense").is_empty());
    }
}
