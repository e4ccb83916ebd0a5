//! Why an image could not be had.

use domain::{Failure, FailureClass};

use crate::GatewayError;
use crate::transport::TransportFault;

/// Whose trouble a failure is, which decides how long it is worth trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The request's own: never again.
    Input,
    /// A dependency of ours: again without limit.
    Ours,
    /// A server we do not know: again a few times.
    Foreign,
}

/// What went wrong at an image's source. Names hosts, never whole addresses: they may hold secrets of others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No asset of that name.
    #[error("there is no asset {0:?}")]
    UnknownAsset(String),
    /// The asset is there and cannot be read.
    #[error("the asset {name:?} cannot be read: {reason}")]
    UnreadableAsset {
        /// Its name.
        name: String,
        /// What the system said.
        reason: String,
    },
    /// Plain HTTP, or an address that is not public.
    #[error("images are not fetched from {host}: {reason}")]
    Forbidden {
        /// Host of the address.
        host: String,
        /// Why not.
        reason: &'static str,
    },
    /// It leads from one address to the next.
    #[error("{host} redirects too often")]
    TooManyRedirects {
        /// Where it began.
        host: String,
    },
    /// It leads nowhere.
    #[error("{host} redirects to what is no web address")]
    BadRedirect {
        /// Who does.
        host: String,
    },
    /// 4xx, other than 408 and 429, or another status that is no success.
    #[error("{host} refuses the image: status {status}")]
    Refused {
        /// Who.
        host: String,
        /// HTTP status.
        status: u16,
    },
    /// 429.
    #[error("{host} takes no more requests for now")]
    RateLimited {
        /// Who.
        host: String,
    },
    /// 408 or 5xx.
    #[error("{host} is in trouble: status {status}")]
    Trouble {
        /// Who.
        host: String,
        /// HTTP status.
        status: u16,
    },
    /// Not all of it came in time.
    #[error("{host} did not send the image in time")]
    TimedOut {
        /// Who.
        host: String,
    },
    /// Refused, or not found by name.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// Who.
        host: String,
        /// What the network said.
        reason: String,
    },
    /// The connection broke.
    #[error("{host} broke off: {reason}")]
    Broken {
        /// Who.
        host: String,
        /// What the network said.
        reason: String,
    },
    /// More bytes than are taken.
    #[error("the image has more than {limit} bytes")]
    TooLarge {
        /// The bound.
        limit: usize,
    },
    /// A path below a content id: the bytes could not be checked.
    #[error("ipfs://{cid}{path} names a file in a folder; images are taken by their own content id")]
    FolderPath {
        /// The folder.
        cid: String,
        /// The path in it.
        path: String,
    },
    /// The gateways.
    #[error(transparent)]
    Gateways(#[from] GatewayError),
}

impl SourceError {
    /// How it is answered.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::UnknownAsset(_)
            | Self::Forbidden { .. }
            | Self::TooManyRedirects { .. }
            | Self::BadRedirect { .. }
            | Self::Refused { .. }
            | Self::TooLarge { .. }
            | Self::FolderPath { .. } => FailureClass::Permanent,
            Self::RateLimited { .. } => FailureClass::RateLimited,
            Self::Trouble { .. } | Self::TimedOut { .. } | Self::Broken { .. } => FailureClass::Transient,
            Self::UnreadableAsset { .. } | Self::Unreachable { .. } => FailureClass::Outage,
            Self::Gateways(error) => error.class(),
        }
    }

    /// Its name for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownAsset(_) => "unknown-asset",
            Self::UnreadableAsset { .. } => "asset-unreadable",
            Self::Forbidden { .. } => "image-source-forbidden",
            Self::TooManyRedirects { .. } | Self::BadRedirect { .. } | Self::Refused { .. } => "image-source-refused",
            Self::RateLimited { .. } => "image-source-rate-limited",
            Self::Trouble { .. } => "image-source-trouble",
            Self::TimedOut { .. } => "image-source-timeout",
            Self::Unreachable { .. } => "image-source-unreachable",
            Self::Broken { .. } => "image-source-broken",
            Self::TooLarge { .. } => "image-too-large",
            Self::FolderPath { .. } => "image-not-verifiable",
            Self::Gateways(error) => error.code(),
        }
    }

    /// The failure it is.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::new(self.class(), self.code(), self)
    }

    /// Whose trouble it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::UnknownAsset(_)
            | Self::Forbidden { .. }
            | Self::TooManyRedirects { .. }
            | Self::BadRedirect { .. }
            | Self::Refused { .. }
            | Self::TooLarge { .. }
            | Self::FolderPath { .. }
            | Self::Gateways(GatewayError::Unverifiable(_) | GatewayError::NotAFile { .. }) => Fault::Input,
            Self::RateLimited { .. }
            | Self::Trouble { .. }
            | Self::TimedOut { .. }
            | Self::Unreachable { .. }
            | Self::Broken { .. } => Fault::Foreign,
            Self::Gateways(error) if error.is_missing() => Fault::Foreign,
            Self::UnreadableAsset { .. } | Self::Gateways(_) => Fault::Ours,
        }
    }

    pub(super) fn of_transport(host: String, fault: TransportFault) -> Self {
        match fault {
            TransportFault::TimedOut => Self::TimedOut { host },
            TransportFault::Unreachable(reason) => Self::Unreachable { host, reason },
            TransportFault::Broken(reason) => Self::Broken { host, reason },
        }
    }

    pub(super) const fn of_status(host: String, status: u16) -> Self {
        match status {
            429 => Self::RateLimited { host },
            408 | 500..=599 => Self::Trouble { host, status },
            _ => Self::Refused { host, status },
        }
    }
}
