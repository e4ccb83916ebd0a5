//! From an image source to a content that can be pinned, once for however many operations want it.

use std::sync::Arc;

use domain::{Failure, ImageSource};

use crate::flights::Flights;
use crate::recent::Recent;
use crate::source::Fault;
use crate::{Compressor, Content, ImageError, ImageFetcher, SourceError};

/// Why an image is not ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// It could not be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It is none that is taken.
    #[error(transparent)]
    Image(#[from] ImageError),
}

impl PrepareError {
    /// The failure it is.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Source(error) => error.failure(),
            Self::Image(error) => error.failure(),
        }
    }

    /// Whose trouble it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Source(error) => error.fault(),
            Self::Image(_) => Fault::Input,
        }
    }
}

/// Images ready to be pinned. Whoever wants one that is under way waits for it; assets and contents of IPFS are remembered
/// while they do not change, images on the web are not.
#[derive(Debug, Clone)]
pub struct Images {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    fetcher: ImageFetcher,
    compressor: Compressor,
    under_way: Flights<String, Result<Content, PrepareError>>,
    recent: Recent,
}

impl Images {
    /// Remembers at most `remembered` bytes of compressed images.
    #[must_use]
    pub fn new(fetcher: ImageFetcher, compressor: Compressor, remembered: usize) -> Self {
        let (under_way, recent) = (Flights::default(), Recent::new(remembered));
        Self { shared: Arc::new(Shared { fetcher, compressor, under_way, recent }) }
    }

    /// Fetches, checks and compresses an image.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub async fn content(&self, source: &ImageSource) -> Result<Content, PrepareError> {
        let stamp = self.shared.fetcher.stamp(source).await?;
        if let Some(content) = stamp.as_ref().and_then(|stamp| self.shared.recent.get(stamp)) {
            return Ok(content);
        }
        let key = match (&stamp, source) {
            (Some(stamp), _) => stamp.clone(),
            (None, ImageSource::Web(url)) => url.to_string(),
            (None, other) => format!("{other:?}"),
        };
        let (shared, source) = (Arc::clone(&self.shared), source.clone());
        let begin = move || async move {
            let content = shared.prepare(&source).await?;
            if let Some(stamp) = stamp {
                shared.recent.put(stamp, content.clone());
            }
            Ok(content)
        };
        self.shared.under_way.join(key, begin).await
    }
}

impl Shared {
    async fn prepare(&self, source: &ImageSource) -> Result<Content, PrepareError> {
        let bytes = self.fetcher.fetch(source).await?;
        Ok(self.compressor.compress(bytes).await?)
    }
}
