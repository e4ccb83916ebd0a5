//! Who keeps content available.

use std::future::Future;
use std::time::Instant;

use domain::Cid;

use crate::{Content, PinError, metrics};

/// A pin provider. Pinning the same content again is no error and changes nothing.
pub trait PinProvider: Send + Sync + 'static {
    /// Its name in the database and in metrics, such as `pinata`.
    fn name(&self) -> &'static str;

    /// Uploads the content and has it pinned. `Ok` means that the provider holds it under the CID that we computed.
    fn pin(&self, content: &Content) -> impl Future<Output = Result<(), PinError>> + Send;

    /// Unpins a content. What the provider does not hold is no error.
    fn unpin(&self, cid: &Cid) -> impl Future<Output = Result<(), PinError>> + Send;

    /// Asks the provider whether it is up and knows us. Costs it next to nothing.
    fn status(&self) -> impl Future<Output = Result<(), PinError>> + Send;
}

/// Counts an upload, whatever becomes of it.
pub(crate) async fn counted(
    provider: &'static str,
    content: &Content,
    upload: impl Future<Output = Result<(), PinError>>,
) -> Result<(), PinError> {
    let begun = Instant::now();
    let done = upload.await;
    let outcome = done.as_ref().map_or_else(PinError::code, |()| metrics::OK);
    metrics::pin(provider, outcome, content.bytes().len(), begun.elapsed());
    done
}
