//! Why an image is not taken. Nothing of it mends itself: every one is permanent.

use domain::Failure;

use crate::BLOCK;

/// What is wrong with an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It begins like none of the kinds that are taken.
    #[error("neither PNG nor JPEG, WebP or GIF")]
    NotAnImage,
    /// It begins like one and does not go on like it.
    #[error("the image is broken: {0}")]
    Broken(String),
    /// Larger than is taken in.
    #[error("the image has {bytes} bytes; {limit} are taken")]
    TooManyBytes {
        /// Its size.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// More pixels than are decoded. A small file can announce very many.
    #[error(
        "the image is {width} by {height} pixels, {decoded} bytes decoded; \
         {side} pixels a side and {limit} bytes are taken"
    )]
    TooManyPixels {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Bytes it would have in memory.
        decoded: u64,
        /// Pixels a side may have.
        side: u32,
        /// Bytes it may have in memory.
        limit: u64,
    },
    /// Decoding it wants more memory than its pixels explain.
    #[error("the image wants too much memory: {0}")]
    TooDemanding(String),
    /// It does not get small enough, however much is left out.
    #[error("the image of {bytes} bytes compresses to {smallest} bytes at best; {BLOCK} are taken")]
    Incompressible {
        /// Its size.
        bytes: usize,
        /// The smallest that was reached.
        smallest: usize,
    },
    /// More than one picture: only the first would be left of it.
    #[error("the image is animated; stills are taken")]
    Animated,
}

impl ImageError {
    /// Its name for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAnImage => "not-an-image",
            Self::Broken(_) => "image-broken",
            Self::TooManyBytes { .. }
            | Self::TooManyPixels { .. }
            | Self::TooDemanding(_)
            | Self::Incompressible { .. } => "image-too-large",
            Self::Animated => "image-animated",
        }
    }

    /// The failure it is: permanent.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::permanent(self.code(), self)
    }
}
