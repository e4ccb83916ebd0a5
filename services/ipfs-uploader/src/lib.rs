//! ipfs-uploader: takes the API's events in, and pins the image and metadata of each operation on IPFS: at the first of its
//! pin providers, or at a backup while that is down, from where they are brought home.

mod guarded;
mod homecoming;
mod known;
mod metadata;
mod metrics;
mod pinning;
mod provider;
mod providers;
mod rollback;
mod upload;
mod wire;

pub use homecoming::Homecoming;
pub use metadata::metadata;
pub use pinning::PinLimits;
pub use providers::{ProviderSetup, Providers};
pub use rollback::Rollbacks;
pub use upload::Uploader;
pub use wire::run;
