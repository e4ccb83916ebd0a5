//! ipfs-uploader: takes the API's events in, and pins the image and metadata of each operation on IPFS.

mod known;
mod metadata;
mod pinning;
mod upload;
mod wire;

pub use metadata::metadata;
pub use pinning::PinLimits;
pub use upload::Uploader;
pub use wire::run;
