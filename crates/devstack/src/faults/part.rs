//! The parts of a stack that can be told to fail.

use super::FaultKind;
use crate::content::PIN_METHODS;

/// What a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// An RPC endpoint.
    Rpc,
    /// A pin server.
    Pins,
    /// A gateway.
    Gateway,
    /// PostgreSQL.
    Postgres,
    /// Kafka.
    Kafka,
    /// The chain behind all RPC endpoints.
    Chain,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 6] = [Self::Rpc, Self::Pins, Self::Gateway, Self::Postgres, Self::Kafka, Self::Chain];

    /// What all targets of this part are called together.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rpc => "rpc",
            Self::Pins => "pins",
            Self::Gateway => "gateway",
            Self::Postgres => "postgres",
            Self::Kafka => "kafka",
            Self::Chain => "chain",
        }
    }

    /// Whether this can happen to it.
    #[must_use]
    pub const fn can_suffer(self, kind: FaultKind) -> bool {
        let speaks_http = matches!(self, Self::Rpc | Self::Pins | Self::Gateway);
        match kind {
            FaultKind::Refused | FaultKind::Hang | FaultKind::Delay(_) => !matches!(self, Self::Chain),
            FaultKind::Reset
            | FaultKind::Status(_)
            | FaultKind::TooMany(_)
            | FaultKind::DropReply
            | FaultKind::Garbage => speaks_http,
            FaultKind::NullStatuses | FaultKind::Behind(_) | FaultKind::Swallow | FaultKind::Late(_) => {
                matches!(self, Self::Rpc)
            }
            FaultKind::Fork(_) => matches!(self, Self::Chain),
            FaultKind::WrongCid | FaultKind::HalfUpload | FaultKind::OverQuota => matches!(self, Self::Pins),
            FaultKind::OtherBytes => matches!(self, Self::Gateway),
            FaultKind::Cut(_) => matches!(self, Self::Postgres | Self::Kafka),
            FaultKind::Kill(_) | FaultKind::Deadlock | FaultKind::SerializationFailure => {
                matches!(self, Self::Postgres)
            }
        }
    }

    /// Whether its requests can be told apart, and this is one of their names.
    pub(super) fn has_method(self, method: &str) -> bool {
        match self {
            Self::Rpc => !method.is_empty(),
            Self::Pins => PIN_METHODS.contains(&method),
            Self::Gateway | Self::Postgres | Self::Kafka | Self::Chain => false,
        }
    }

    /// Whether single requests can be spared: a proxy sees only bytes.
    pub(super) const fn sees_requests(self) -> bool {
        match self {
            Self::Rpc | Self::Pins | Self::Gateway => true,
            Self::Postgres | Self::Kafka | Self::Chain => false,
        }
    }
}
