//! Fetches images, whatever their source.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use domain::ImageSource;

use super::SourceError;
use super::asset::Assets;
use super::web::Web;
use crate::{ContentId, GatewayError, Gateways, metrics};

/// What may be fetched from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchOptions {
    /// The directory that `asset:` names; none where there are no assets.
    pub assets: Option<PathBuf>,
    /// Also takes plain http and addresses that are not public. For local stacks: it opens our network to whoever writes
    /// an operation.
    pub allow_private: bool,
    /// Most bytes of an image.
    pub bytes: usize,
    /// Longest wait for a foreign server, redirects and body included.
    pub time: Duration,
    /// Most redirects.
    pub redirects: u8,
}

impl Default for FetchOptions {
    /// No assets, public https only, 10 MiB, 20 s, 3 redirects.
    fn default() -> Self {
        Self { assets: None, allow_private: false, bytes: 10 << 20, time: Duration::from_secs(20), redirects: 3 }
    }
}

/// Fetches images by their source.
#[derive(Debug)]
pub struct ImageFetcher {
    assets: Assets,
    web: Web,
    gateways: Gateways,
}

impl ImageFetcher {
    /// Prepares; nothing is fetched.
    ///
    /// # Errors
    /// Where the machine gives no TLS roots or no sockets.
    pub fn new(options: &FetchOptions, gateways: Gateways) -> Result<Self, reqwest::Error> {
        let assets = Assets::new(options.assets.clone(), options.bytes);
        Ok(Self { assets, web: Web::new(options)?, gateways })
    }

    /// Fetches the bytes, whatever they are. Those from IPFS are what their CID names.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn fetch(&self, source: &ImageSource) -> Result<Bytes, SourceError> {
        let (kind, fetched) = match source {
            ImageSource::Asset(name) => ("asset", self.assets.read(name).await),
            ImageSource::Web(url) => ("web", self.web.fetch(url).await),
            ImageSource::Ipfs { cid, path } => ("ipfs", self.content(cid, path).await),
        };
        metrics::fetch(kind, fetched.as_ref().map_or_else(SourceError::code, |_| metrics::OK));
        fetched
    }

    /// A text that is the same exactly as long as the source gives the same bytes; none where nobody can know that, as on
    /// the web.
    ///
    /// # Errors
    /// [`SourceError`], where the source is gone.
    pub async fn stamp(&self, source: &ImageSource) -> Result<Option<String>, SourceError> {
        match source {
            ImageSource::Asset(name) => Ok(Some(format!("asset:{}", self.assets.stamp(name).await?))),
            ImageSource::Web(_) => Ok(None),
            ImageSource::Ipfs { cid, path } => Ok(Some(format!("ipfs://{cid}{path}"))),
        }
    }

    async fn content(&self, cid: &str, path: &str) -> Result<Bytes, SourceError> {
        if !path.trim_matches('/').is_empty() {
            return Err(SourceError::FolderPath { cid: cid.to_owned(), path: path.to_owned() });
        }
        let id = ContentId::parse(cid).map_err(GatewayError::from)?;
        Ok(self.gateways.fetch(&id.to_cid()).await?)
    }
}
