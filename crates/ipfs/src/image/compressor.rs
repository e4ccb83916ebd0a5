//! Checks and compresses images, as many at once as the memory allows.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::decode::{decode, decoded_bytes};
use super::encode::{Origin, encode};
use super::picture::Picture;
use super::{ImageError, ImageKind, ImageLimits};
use crate::{Content, metrics};

/// Decoding, turning, scaling and encoding hold about this many copies of the pixels at once.
const COPIES: u64 = 3;
/// The semaphore counts in these, for its counter has 32 bits.
const UNIT: u64 = 1024;

/// Turns images of any size into contents of one block. The same image gives the same content for ever.
#[derive(Debug, Clone)]
pub struct Compressor {
    limits: ImageLimits,
    units: u32,
    memory: Arc<Semaphore>,
}

impl Compressor {
    /// Works within these limits.
    #[must_use]
    pub fn new(limits: ImageLimits) -> Self {
        let units = units(limits.working_bytes).max(1);
        Self { limits, units, memory: Arc::new(Semaphore::new(units as usize)) }
    }

    /// Checks an image, leaves out its metadata and makes it fit one block: exactly where that is enough, scaled down in
    /// fixed steps where it is not. It works off the runtime's threads.
    ///
    /// # Errors
    /// [`ImageError`].
    ///
    /// # Panics
    /// Never: nobody closes the semaphore.
    pub async fn compress(&self, bytes: Bytes) -> Result<Content, ImageError> {
        let begun = Instant::now();
        let done = self.work(bytes).await;
        metrics::compression(done.as_ref().map_or_else(ImageError::code, |_| metrics::OK), begun.elapsed());
        done
    }

    async fn work(&self, bytes: Bytes) -> Result<Content, ImageError> {
        let limits = self.limits;
        if bytes.len() > limits.encoded_bytes {
            return Err(ImageError::TooManyBytes { bytes: bytes.len(), limit: limits.encoded_bytes });
        }
        let kind = ImageKind::sniff(&bytes).ok_or(ImageError::NotAnImage)?;
        let decoded = decoded_bytes(&bytes, kind, &limits)?;
        let wanted = units(decoded * COPIES + bytes.len() as u64).min(self.units);
        let memory = Arc::clone(&self.memory).acquire_many_owned(wanted).await.expect("nobody closes it");
        let worked = tokio::task::spawn_blocking(move || {
            let _memory = memory;
            let origin = Origin { kind, bytes: bytes.len() };
            encode(&Picture::of(decode(&bytes, kind, &limits)?), origin)
        });
        // A decoder that panics on an image says that the image is broken.
        worked.await.map_err(|_| ImageError::Broken("its decoder gave up".into()))?
    }
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX >> 3)
}
