//! Content ids: CIDv1, one raw block, sha2-256, base32 in text (<https://github.com/multiformats/cid>).

use std::fmt;

use domain::Cid;
use multihash_codetable::{Code, MultihashDigest as _};

const RAW: u64 = 0x55;

/// A content id against which bytes can be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentId(cid::Cid);

/// A content id that says nothing of the bytes themselves: of a tree of blocks, with another hash, or no id at all.
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

    /// Reads an id in any of its text forms.
    ///
    /// # Errors
    /// [`Unverifiable`] where it is not of a raw block with sha2-256.
    pub fn parse(text: &str) -> Result<Self, Unverifiable> {
        let refuse = |reason: String| Unverifiable { cid: text.to_owned(), reason };
        let cid = cid::Cid::try_from(text).map_err(|error| refuse(error.to_string()))?;
        if cid.codec() != RAW {
            return Err(refuse(format!("codec {:#x}, raw ({RAW:#x}) is wanted", cid.codec())));
        }
        match Code::try_from(cid.hash().code()) {
            Ok(Code::Sha2_256) => Ok(Self(cid)),
            _ => Err(refuse(format!("hash {:#x}, sha2-256 is wanted", cid.hash().code()))),
        }
    }

    /// Whether these are the bytes that the id names.
    #[must_use]
    pub fn matches(&self, bytes: &[u8]) -> bool {
        Self::of(bytes).0.hash() == self.0.hash()
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
    fn what_says_nothing_of_the_bytes_is_refused_with_its_reason() {
        let refused = |text: &str| ContentId::parse(text).unwrap_err().reason;
        assert!(refused("bafybeieyivkj3dyjmsefvqxqiodd7s4cvnlhh7l7wztg7pnqf27um23dum").starts_with("codec 0x70"));
        assert!(refused("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG").starts_with("codec 0x70"));
        assert!(!refused("nonsense").is_empty());
    }
}
