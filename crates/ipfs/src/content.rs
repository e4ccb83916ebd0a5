//! Content on its way to a provider.

use std::sync::Arc;

use bytes::Bytes;
use domain::Cid;

use crate::dag::{Block, Car, blocks_of};

/// Largest content that has the same CID everywhere by construction: one block, 256 KiB. Above it a provider may cut as it
/// likes, and every cut has another CID: so we cut, and send the blocks.
pub const BLOCK: usize = 256 * 1024;

/// Bytes under their name. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    cid: Cid,
    bytes: Bytes,
    media_type: &'static str,
    /// Root first.
    blocks: Arc<[Block]>,
}

impl Content {
    /// Names the bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>, media_type: &'static str) -> Self {
        let bytes = bytes.into();
        let blocks = blocks_of(&bytes);
        Self { cid: blocks[0].id.to_cid(), bytes, media_type, blocks: blocks.into() }
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

    /// How it travels where it is more than one block.
    pub(crate) fn car(&self) -> Option<Car> {
        (self.blocks.len() > 1).then(|| Car::of(&self.blocks))
    }
}
