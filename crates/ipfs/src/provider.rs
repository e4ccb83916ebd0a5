//! Who keeps content available.

use std::future::Future;

use crate::{Content, PinError};

/// A pin provider. Pinning the same content again is no error and changes nothing.
pub trait PinProvider: Send + Sync + 'static {
    /// Its name in the database and in metrics, such as `pinata`.
    fn name(&self) -> &'static str;

    /// Uploads the content and has it pinned. `Ok` means that the provider holds it under the CID that we computed.
    fn pin(&self, content: &Content) -> impl Future<Output = Result<(), PinError>> + Send;
}
