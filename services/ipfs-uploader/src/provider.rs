//! The kinds of pin providers, as one.

use domain::Cid;
use ipfs::{Content, Kubo, PinError, PinProvider, Pinata};

/// A pin provider of either kind.
#[derive(Debug)]
pub(crate) enum Provider {
    Pinata(Box<Pinata>),
    Kubo(Kubo),
}

impl PinProvider for Provider {
    fn name(&self) -> &'static str {
        match self {
            Self::Pinata(pinata) => pinata.name(),
            Self::Kubo(kubo) => kubo.name(),
        }
    }

    async fn pin(&self, content: &Content) -> Result<(), PinError> {
        match self {
            Self::Pinata(pinata) => pinata.pin(content).await,
            Self::Kubo(kubo) => kubo.pin(content).await,
        }
    }

    async fn unpin(&self, cid: &Cid) -> Result<(), PinError> {
        match self {
            Self::Pinata(pinata) => pinata.unpin(cid).await,
            Self::Kubo(kubo) => kubo.unpin(cid).await,
        }
    }

    async fn status(&self) -> Result<(), PinError> {
        match self {
            Self::Pinata(pinata) => pinata.status().await,
            Self::Kubo(kubo) => kubo.status().await,
        }
    }
}
