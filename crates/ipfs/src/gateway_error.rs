//! Why no gateway gave a content.

use std::fmt;
use std::time::Duration;

use domain::{Cid, Failure, FailureClass};
use resilience::Fault;

use crate::dag::{BadCar, TooMuch};
use crate::transport::{BodyFault, TransportFault};
use crate::{NotAFile, Unverifiable};

/// What one gateway did instead of giving the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayFault {
    /// No complete answer in time.
    #[error("timed out")]
    TimedOut,
    /// Refused, or not found by name.
    #[error("unreachable ({0})")]
    Unreachable(String),
    /// The connection broke.
    #[error("broken answer ({0})")]
    Broken(String),
    /// 429 or 503: not now.
    #[error("status {status}")]
    Busy {
        /// HTTP status.
        status: u16,
        /// When it wants to be asked again, where it says so.
        retry_after: Option<Duration>,
    },
    /// It answered with another status than 200.
    #[error("status {0}")]
    Status(u16),
    /// More bytes than are taken.
    #[error("sends too much")]
    TooLarge,
    /// It was out a moment ago.
    #[error("was out a moment ago and is not asked")]
    NotAsked,
    /// All that it gave is right, and some is missing.
    #[error("left out a part")]
    Incomplete,
    /// Other bytes than the CID names.
    #[error("gave other bytes")]
    OtherBytes,
}

impl GatewayFault {
    const fn class(&self) -> FailureClass {
        match self {
            Self::TimedOut | Self::Broken(_) | Self::Busy { .. } | Self::Status(_) | Self::Incomplete => {
                FailureClass::Transient
            }
            Self::Unreachable(_) | Self::NotAsked | Self::TooLarge | Self::OtherBytes => FailureClass::Outage,
        }
    }

    /// Whether it was there to say that it does not have the content.
    pub(crate) const fn is_missing(&self) -> bool {
        match self {
            // 504 is what a gateway says that looked for it in vain.
            Self::Status(status) => matches!(*status, 400..=499 | 504),
            Self::TimedOut
            | Self::Unreachable(_)
            | Self::Broken(_)
            | Self::Busy { .. }
            | Self::TooLarge
            | Self::NotAsked
            | Self::Incomplete
            | Self::OtherBytes => false,
        }
    }

    /// What it says of the gateway itself: whoever says that it has not the content is well.
    pub(crate) fn heard(&self) -> Fault {
        let (class, retry_after) = match self {
            Self::Busy { status: 429, retry_after } => (FailureClass::RateLimited, *retry_after),
            Self::Busy { retry_after, .. } => (FailureClass::Transient, *retry_after),
            Self::Status(_) if self.is_missing() => (FailureClass::Permanent, None),
            Self::TimedOut => (FailureClass::Degraded, None),
            Self::Unreachable(_)
            | Self::Broken(_)
            | Self::Status(_)
            | Self::TooLarge
            | Self::NotAsked
            | Self::Incomplete
            | Self::OtherBytes => (self.class(), None),
        };
        Fault { class, code: self.code().into(), retry_after }
    }

    /// Of an answer with another status than 200.
    pub(crate) const fn of_status(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            429 | 503 => Self::Busy { status, retry_after },
            _ => Self::Status(status),
        }
    }

    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::TimedOut => "timeout",
            Self::Unreachable(_) => "unreachable",
            Self::Broken(_) => "broken",
            Self::Busy { .. } | Self::Status(_) => "status",
            Self::TooLarge => "too-large",
            Self::NotAsked => "not-asked",
            Self::Incomplete => "incomplete",
            Self::OtherBytes => "other-bytes",
        }
    }
}

impl From<TransportFault> for GatewayFault {
    fn from(fault: TransportFault) -> Self {
        match fault {
            TransportFault::TimedOut => Self::TimedOut,
            TransportFault::Unreachable(reason) => Self::Unreachable(reason),
            TransportFault::Broken(reason) => Self::Broken(reason),
        }
    }
}

impl From<BodyFault> for GatewayFault {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::TooLarge => Self::TooLarge,
            BodyFault::Transport(fault) => fault.into(),
        }
    }
}

impl From<BadCar> for GatewayFault {
    fn from(bad: BadCar) -> Self {
        match bad {
            BadCar::Malformed(reason) => Self::Broken(reason.into()),
            BadCar::Unverifiable(refused) => Self::Broken(refused.to_string()),
            BadCar::OtherBytes => Self::OtherBytes,
        }
    }
}

impl From<TooMuch> for GatewayFault {
    fn from(_: TooMuch) -> Self {
        Self::TooLarge
    }
}

/// Why a content could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// Nobody could tell right bytes from wrong ones.
    #[error(transparent)]
    Unverifiable(#[from] Unverifiable),
    /// It is there and no file that is taken, whoever gives it.
    #[error("{cid} cannot be taken: {reason}")]
    NotAFile {
        /// Which content.
        cid: Cid,
        /// Why not.
        reason: NotAFile,
    },
    /// Every gateway failed; they stand in their order of preference.
    #[error("no gateway gives {cid}: {}", Told(.faults))]
    AllFailed {
        /// Which content.
        cid: Cid,
        /// What each gateway did, by its host.
        faults: Vec<(String, GatewayFault)>,
    },
}

struct Told<'a>(&'a [(String, GatewayFault)]);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (gateway, fault)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{gateway} {fault}")?;
        }
        Ok(())
    }
}

impl GatewayError {
    /// How it is answered: an outage where every gateway is out, transient where one may yet have it.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Unverifiable(_) | Self::NotAFile { .. } => FailureClass::Permanent,
            Self::AllFailed { faults, .. } => {
                let out = faults.iter().all(|(_, fault)| fault.class() == FailureClass::Outage);
                if out { FailureClass::Outage } else { FailureClass::Transient }
            }
        }
    }

    /// Its name for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unverifiable(_) => "cid-not-verifiable",
            Self::NotAFile { .. } => "content-not-a-file",
            Self::AllFailed { .. } => "gateways-failed",
        }
    }

    /// The failure it is.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::new(self.class(), self.code(), self)
    }

    /// Whether a gateway was there to say that it does not have the content. Otherwise the gateways themselves are in
    /// trouble, and the content may be where it should be.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Unverifiable(_) | Self::NotAFile { .. } => false,
            Self::AllFailed { faults, .. } => faults.iter().any(|(_, fault)| fault.is_missing()),
        }
    }
}
