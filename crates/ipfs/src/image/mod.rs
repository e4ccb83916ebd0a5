//! Images: what they are, how large they may be, and how they get small.

mod compressor;
mod decode;
mod encode;
mod error;
mod limits;
mod picture;
mod sniff;

pub use compressor::Compressor;
pub use error::ImageError;
pub use limits::ImageLimits;
pub use sniff::ImageKind;
