//! IPFS, simulated: the upload step pins by writing a content down, and the verifier reads it back.
//!
//! The uploader's own step is not what is proven here: it compresses images on threads and talks HTTP. What it leaves behind
//! is what the real one leaves: the metadata that its library makes, under the content id that `ipfs` computes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use domain::{Cid, Failure, MediaType, Operation, State, Step, Transition};
use engine::{Pin, Pinned, StepError, StepHandler};
use ipfs::Content;
use tokio::time::sleep;
use verifier::ContentSource;

use crate::life::Life;
use crate::store::SimStore;

/// Operations ask for a name that begins so where their image cannot be had.
pub const IMAGELESS: &str = "Imageless";
/// Every image.
const IMAGE: &[u8] = b"an image";
const PNG: &str = "image/png";
const LATENCY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(400));
const FOREIGN_ATTEMPTS: u32 = 3;

/// What is pinned: it survives every process.
#[derive(Debug, Default)]
pub struct Pins(Mutex<BTreeMap<Cid, Bytes>>);

impl Pins {
    fn pin(&self, content: &Content) {
        self.lock().insert(content.cid().clone(), content.bytes().clone());
    }

    fn get(&self, cid: &Cid) -> Option<Bytes> {
        self.lock().get(cid).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Cid, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The upload step of one process, and its gateways.
#[derive(Debug)]
pub struct Ipfs {
    /// What is pinned.
    pub pins: Arc<Pins>,
    /// The process.
    pub life: Arc<Life>,
    /// Where it is recorded what is pinned.
    pub store: SimStore,
}

impl Ipfs {
    /// A round trip, which may fail as calls to the chain do.
    async fn trip(&self) -> Result<(), Failure> {
        self.life.moment().await;
        let Life { dice, sky, .. } = &*self.life;
        sleep(dice.between(LATENCY.0, LATENCY.1)).await;
        self.life.moment().await;
        if sky.strikes(dice, |weather| weather.call_fails) {
            return Err(Failure::transient("ipfs-unavailable", "no answer"));
        }
        Ok(())
    }
}

impl Ipfs {
    async fn pin(&self, content: &Content) -> Result<(), StepError> {
        self.pins.pin(content);
        let size = u64::try_from(content.bytes().len()).unwrap_or(u64::MAX);
        let pin = Pin { cid: content.cid().clone(), size, provider: "pins".into() };
        // Nothing is ever unpinned here.
        let pinned = Pinned { pin, since: DateTime::UNIX_EPOCH };
        self.store.pinned(&[pinned]).await.map_err(|error| StepError::of_dependency(error.failure()))
    }
}

impl StepHandler for Ipfs {
    const STEP: Step = Step::Upload;
    const AT_ONCE: usize = 256;

    async fn run(&self, operation: &Operation) -> Result<Transition, StepError> {
        let nft = &operation.content.nft;
        self.trip().await.map_err(StepError::Dependency)?;
        if nft.name.starts_with(IMAGELESS) {
            let failure = Failure::transient("image-source-failed", "404");
            return Err(StepError::Foreign { failure, attempts: FOREIGN_ATTEMPTS });
        }
        let image = Content::new(IMAGE, PNG);
        self.pin(&image).await?;
        let image_cid = image.cid().clone();
        // In two steps where the row says so, or for one in four: both ways are the state machine's.
        if operation.state == State::Initiated && self.life.dice.chance(0.25) {
            return Ok(Transition::ImageUploaded { image_cid });
        }
        let metadata = Content::new(ipfs_uploader::metadata(nft, &image_cid, image.media_type()), MediaType::JSON);
        self.pin(&metadata).await?;
        Ok(Transition::IpfsUploaded { image_cid, metadata_cid: metadata.cid().clone() })
    }
}

impl ContentSource for Ipfs {
    async fn fetch(&self, cid: &Cid) -> Result<Bytes, Failure> {
        self.trip().await?;
        self.pins.get(cid).ok_or_else(|| Failure::transient("gateways-failed", "no gateway has it"))
    }
}
