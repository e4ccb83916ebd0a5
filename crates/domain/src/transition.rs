//! What happened to an operation: the one vocabulary in which steps answer and the store commits.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Attempt, DecidedAttempt, Failure, MintAddress, Operation, Signature, State, WalletAddress};

/// The text form of a content id: CIDv1, base32, raw leaf, sha2-256. `ipfs` computes and checks it; here it is a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Cid(String);

impl Cid {
    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Text that cannot be a content id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no content id")]
pub struct NotACid(String);

impl FromStr for Cid {
    type Err = NotACid;

    fn from_str(text: &str) -> Result<Self, NotACid> {
        let plausible = (32..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if plausible { Ok(Self(text.to_owned())) } else { Err(NotACid(text.to_owned())) }
    }
}

/// The finished record: a row of `nfts`. No business data until it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NftRecord {
    /// The mint account.
    pub mint: MintAddress,
    /// Who got it.
    pub owner: WalletAddress,
    /// Name on chain.
    pub name: String,
    /// Symbol on chain.
    pub symbol: String,
    /// Metadata URI on chain.
    pub uri: String,
    /// The minting transaction.
    pub signature: Signature,
    /// The slot it landed in.
    pub slot: u64,
}

/// One step forward (or back) of an operation, with what it brings.
#[derive(Debug, Clone, PartialEq)]
pub enum Transition {
    /// The image is pinned.
    ImageUploaded {
        /// Its content id.
        image_cid: Cid,
    },
    /// Image and metadata are pinned.
    IpfsUploaded {
        /// Content id of the image.
        image_cid: Cid,
        /// Content id of the metadata.
        metadata_cid: Cid,
    },
    /// A transaction was signed, and may be sent once this is on record.
    Submitted {
        /// The derived address.
        mint: MintAddress,
        /// The secret it was derived from.
        key_id: String,
        /// The signed transaction.
        attempt: Attempt,
        /// The attempt before it, which this one replaces.
        decided: Option<DecidedAttempt>,
    },
    /// The NFT was seen at `confirmed`.
    Confirmed {
        /// Its address.
        mint: MintAddress,
        /// The transaction that minted it.
        signature: Signature,
    },
    /// The confirmed transaction did not reach finality: it is watched and sent again.
    Dropped,
    /// The NFT is final and its record written.
    DatabaseUpdated {
        /// The record.
        record: NftRecord,
    },
    /// Everything checks out.
    Verified,
    /// It ended for good; no attempt is left undecided.
    Failed {
        /// Why.
        failure: Failure,
        /// The last attempt, where this decides it.
        decided: Option<DecidedAttempt>,
    },
}

impl Transition {
    /// The state it leads to.
    #[must_use]
    pub const fn to(&self) -> State {
        match self {
            Self::ImageUploaded { .. } => State::ImageUploaded,
            Self::IpfsUploaded { .. } => State::IpfsUploaded,
            Self::Submitted { .. } | Self::Dropped => State::BlockchainSubmitted,
            Self::Confirmed { .. } => State::BlockchainConfirmed,
            Self::DatabaseUpdated { .. } => State::DatabaseUpdated,
            Self::Verified => State::Verified,
            Self::Failed { .. } => State::Failed,
        }
    }
}

/// A transition that the state machine does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("operation {id} may not go from {from} to {to}")]
pub struct IllegalTransition {
    /// Whose.
    pub id: crate::OperationId,
    /// Where it stands.
    pub from: State,
    /// Where it was to go.
    pub to: State,
}

impl Operation {
    /// The operation as it is once `transition` is committed at `now`. Sets what the store's statement sets, so that a
    /// step can go on without reading the row again.
    ///
    /// # Errors
    /// [`IllegalTransition`] where the state machine does not allow it.
    pub fn after(&self, transition: &Transition, now: DateTime<Utc>) -> Result<Self, IllegalTransition> {
        let (from, to) = (self.state, transition.to());
        if !from.may_become(to) {
            return Err(IllegalTransition { id: self.id, from, to });
        }
        let mut next = Self {
            state: to,
            previous_state: Some(from),
            version: self.version + 1,
            attempts: 0,
            next_attempt_at: None,
            failure: None,
            updated_at: now,
            ..self.clone()
        };
        match transition {
            Transition::ImageUploaded { image_cid } => next.image_cid = Some(image_cid.clone()),
            Transition::IpfsUploaded { image_cid, metadata_cid } => {
                next.image_cid = Some(image_cid.clone());
                next.metadata_cid = Some(metadata_cid.clone());
            }
            Transition::Submitted { mint, key_id, attempt, decided: _ } => {
                next.mint_address = Some(*mint);
                next.key_id = Some(key_id.clone());
                next.open_attempt = Some(attempt.clone());
            }
            Transition::Confirmed { mint, signature } => {
                next.mint_address = Some(*mint);
                next.signature = Some(*signature);
            }
            Transition::Dropped => next.signature = None,
            Transition::DatabaseUpdated { record: _ } => next.open_attempt = None,
            Transition::Verified => {}
            Transition::Failed { failure, decided } => {
                next.failed_from = Some(from);
                next.failure = Some(failure.clone());
                if decided.is_some() {
                    next.open_attempt = None;
                }
            }
        }
        Ok(next)
    }
}
