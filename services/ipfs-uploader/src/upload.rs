//! The upload step: an operation's image and metadata, on IPFS.

use std::sync::Arc;

use domain::{Cid, Failure, ImageSource, MediaType, Operation, Step, Transition};
use engine::{PinLedger, StepError, StepHandler};
use futures::future::try_join;
use ipfs::{Content, Fault, Images, PinProvider, PrepareError};
use resilience::Jitter;

use crate::metadata::metadata;
use crate::pinning::{PinLimits, Pinning};
use crate::providers::Providers;

/// How often somebody else's server is asked for an image in all.
const FOREIGN_ATTEMPTS: u32 = 5;

/// Pins image and metadata of an operation, each distinct content once.
#[derive(Debug)]
pub struct Uploader<P> {
    images: Images,
    pinning: Arc<Pinning<P>>,
}

impl<P: PinProvider> Uploader<P> {
    /// Pins at `providers` what `ledger` does not know as pinned.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new<L: PinLedger>(
        images: Images,
        providers: Arc<Providers<P>>,
        ledger: &Arc<L>,
        limits: PinLimits,
        jitter: Arc<Jitter>,
    ) -> Self {
        Self { images, pinning: Pinning::new(providers, ledger, limits, jitter) }
    }

    /// Asks the ledger about a content again, whatever it said before.
    pub fn forget(&self, cid: &Cid) {
        self.pinning.forget(cid);
    }

    async fn image(&self, source: &str) -> Result<Content, StepError> {
        // Intake refused what cannot be read; a row may be older than its rules.
        let source = ImageSource::parse(source)
            .map_err(|problem| StepError::Permanent(Failure::permanent("invalid-content", problem)))?;
        self.images.content(&source).await.map_err(|error| judge(&error))
    }
}

impl<P: PinProvider> StepHandler for Uploader<P> {
    const STEP: Step = Step::Upload;
    /// Several times what the provider takes at once; contents are held in memory meanwhile.
    const AT_ONCE: usize = 256;

    /// From INITIATED as from IMAGE_UPLOADED: both contents are computed before either is uploaded, so the two uploads run
    /// side by side and one commit holds both. What an earlier run pinned is not pinned again.
    async fn run(&self, operation: &Operation) -> Result<Transition, StepError> {
        let nft = &operation.content.nft;
        let image = self.image(&nft.image).await?;
        let metadata = Content::new(metadata(nft, image.cid(), image.media_type()), MediaType::JSON);
        try_join(self.pinning.ensure(&image), self.pinning.ensure(&metadata))
            .await
            .map_err(StepError::of_dependency)?;
        Ok(Transition::IpfsUploaded { image_cid: image.cid().clone(), metadata_cid: metadata.cid().clone() })
    }

    fn not_pinned(&self, transition: &Transition) {
        match transition {
            Transition::ImageUploaded { image_cid } => self.forget(image_cid),
            Transition::IpfsUploaded { image_cid, metadata_cid } => {
                self.forget(image_cid);
                self.forget(metadata_cid);
            }
            Transition::Submitted { .. }
            | Transition::Confirmed { .. }
            | Transition::Dropped
            | Transition::DatabaseUpdated { .. }
            | Transition::Verified
            | Transition::Failed { .. } => {}
        }
    }
}

fn judge(error: &PrepareError) -> StepError {
    let failure = error.failure();
    match error.fault() {
        Fault::Input => StepError::Permanent(failure),
        Fault::Ours => StepError::Dependency(failure),
        Fault::Foreign => StepError::Foreign { failure, attempts: FOREIGN_ATTEMPTS },
    }
}
