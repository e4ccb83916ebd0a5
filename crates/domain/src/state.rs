//! The state machine of an operation, and which step takes which state.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an operation stands. The trigger in `migrations/` knows the same table; a test compares the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Accepted and recorded.
    Initiated,
    /// The image is pinned, the metadata not yet.
    ImageUploaded,
    /// Image and metadata are pinned.
    IpfsUploaded,
    /// A signed transaction is on record and may be on its way.
    BlockchainSubmitted,
    /// The NFT exists, at `confirmed`.
    BlockchainConfirmed,
    /// The NFT exists at `finalized`, and the `nfts` record is written.
    DatabaseUpdated,
    /// Everything was checked the way a partner would.
    Verified,
    /// Ended for good without an NFT.
    Failed,
    /// Ended for good, and its content is unpinned.
    RolledBack,
}

impl State {
    /// Every state, in the order of the flow.
    pub const ALL: [Self; 9] = [
        Self::Initiated,
        Self::ImageUploaded,
        Self::IpfsUploaded,
        Self::BlockchainSubmitted,
        Self::BlockchainConfirmed,
        Self::DatabaseUpdated,
        Self::Verified,
        Self::Failed,
        Self::RolledBack,
    ];

    /// The states that may follow this one.
    #[must_use]
    pub const fn successors(self) -> &'static [Self] {
        match self {
            Self::Initiated => &[Self::ImageUploaded, Self::IpfsUploaded, Self::Failed],
            Self::ImageUploaded => &[Self::IpfsUploaded, Self::Failed],
            Self::IpfsUploaded => &[Self::BlockchainSubmitted, Self::Failed, Self::BlockchainConfirmed],
            Self::BlockchainSubmitted => &[Self::BlockchainSubmitted, Self::BlockchainConfirmed, Self::Failed],
            Self::BlockchainConfirmed => &[Self::DatabaseUpdated, Self::BlockchainSubmitted],
            Self::DatabaseUpdated => &[Self::Verified],
            Self::Verified => &[],
            Self::Failed => &[Self::RolledBack, Self::Initiated, Self::IpfsUploaded, Self::BlockchainConfirmed],
            Self::RolledBack => &[Self::Initiated, Self::BlockchainConfirmed],
        }
    }

    /// Whether `next` may follow this state.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self.successors().contains(&next)
    }

    /// Whether an operation in this state has ended, and there is no NFT.
    #[must_use]
    pub const fn ended_without_nft(self) -> bool {
        match self {
            Self::Failed | Self::RolledBack => true,
            Self::Initiated
            | Self::ImageUploaded
            | Self::IpfsUploaded
            | Self::BlockchainSubmitted
            | Self::BlockchainConfirmed
            | Self::DatabaseUpdated
            | Self::Verified => false,
        }
    }

    /// The step that takes an operation in this state; none where it has ended.
    #[must_use]
    pub const fn step(self) -> Option<Step> {
        match self {
            Self::Initiated | Self::ImageUploaded => Some(Step::Upload),
            Self::IpfsUploaded | Self::BlockchainSubmitted => Some(Step::Mint),
            Self::BlockchainConfirmed | Self::DatabaseUpdated => Some(Step::Verify),
            Self::Verified | Self::Failed | Self::RolledBack => None,
        }
    }

    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initiated => "INITIATED",
            Self::ImageUploaded => "IMAGE_UPLOADED",
            Self::IpfsUploaded => "IPFS_UPLOADED",
            Self::BlockchainSubmitted => "BLOCKCHAIN_SUBMITTED",
            Self::BlockchainConfirmed => "BLOCKCHAIN_CONFIRMED",
            Self::DatabaseUpdated => "DATABASE_UPDATED",
            Self::Verified => "VERIFIED",
            Self::Failed => "FAILED",
            Self::RolledBack => "ROLLED_BACK",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Text that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown state {0:?}")]
pub struct UnknownState(String);

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| UnknownState(text.to_owned()))
    }
}

/// A step that takes request events: one consumer group each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Pins image and metadata (ipfs-uploader).
    Upload,
    /// Signs, records, sends, confirms (mint-submitter).
    Mint,
    /// Checks chain, record and content (verifier).
    Verify,
}

impl Step {
    /// Every step, in the order of the flow.
    pub const ALL: [Self; 3] = [Self::Upload, Self::Mint, Self::Verify];

    /// The name in logs, metrics and dead letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Mint => "mint",
            Self::Verify => "verify",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        assert!("NO_SUCH".parse::<State>().is_err());
    }

    #[test]
    fn an_operation_whose_nft_exists_never_fails() {
        for state in [State::BlockchainConfirmed, State::DatabaseUpdated, State::Verified] {
            assert!(!state.may_become(State::Failed));
            assert!(!state.may_become(State::RolledBack));
        }
    }

    #[test]
    fn only_a_submitted_operation_may_become_what_it_is() {
        for state in State::ALL {
            assert_eq!(state.may_become(state), state == State::BlockchainSubmitted);
        }
    }
}
