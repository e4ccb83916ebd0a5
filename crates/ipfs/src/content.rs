//! Content on its way to a provider.

use bytes::Bytes;
use domain::{Cid, Failure};

use crate::ContentId;

/// Largest content that has the same CID everywhere by construction: one block, 256 KiB. Above it a provider may cut as it
/// likes, and every cut has another CID.
pub const BLOCK: usize = 256 * 1024;

/// Bytes under their name. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    cid: Cid,
    bytes: Bytes,
    media_type: &'static str,
}

/// Content that does not fit one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes; one block holds {BLOCK}")]
pub struct ContentTooLarge {
    /// Its size.
    pub bytes: usize,
}

impl ContentTooLarge {
    /// The failure it is: permanent, `content-too-large`.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::permanent("content-too-large", self)
    }
}

impl Content {
    /// Names the bytes.
    ///
    /// # Errors
    /// [`ContentTooLarge`] above [`BLOCK`].
    pub fn new(bytes: impl Into<Bytes>, media_type: &'static str) -> Result<Self, ContentTooLarge> {
        let bytes = bytes.into();
        if bytes.len() > BLOCK {
            return Err(ContentTooLarge { bytes: bytes.len() });
        }
        Ok(Self { cid: ContentId::of(&bytes).to_cid(), bytes, media_type })
    }

    /// Its name.
    #[must_use]
    pub const fn cid(&self) -> &Cid {
        &self.cid
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Its media type, such as `image/png`.
    #[must_use]
    pub const fn media_type(&self) -> &'static str {
        self.media_type
    }
}
