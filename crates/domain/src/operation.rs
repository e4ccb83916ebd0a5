//! An operation: one "mint this NFT for this wallet", as the database holds it.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Attempt, Cid, Content, Failure, MintAddress, NewOperation, RetryTerms, Signature, State};

/// The idempotency key, chosen by the API: same id, same operation, for ever.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct OperationId(Uuid);

impl OperationId {
    /// Wraps a UUID.
    #[must_use]
    pub const fn from_uuid(id: Uuid) -> Self {
        Self(id)
    }

    /// The UUID.
    #[must_use]
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperationId({})", self.0)
    }
}

impl FromStr for OperationId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}

/// How urgently an operation is served. Fixed at insert; it names the request topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// First, whatever else waits.
    Critical,
    /// The usual.
    #[default]
    Normal,
    /// Campaigns: never in the way, never starved.
    Bulk,
}

impl Priority {
    /// Every priority, most urgent first.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Normal, Self::Bulk];

    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Normal => "normal",
            Self::Bulk => "bulk",
        }
    }

    /// Its share where not all can be served at once, 8 : 3 : 1: critical comes first, bulk never starves.
    #[must_use]
    pub const fn weight(self) -> u32 {
        match self {
            Self::Critical => 8,
            Self::Normal => 3,
            Self::Bulk => 1,
        }
    }

    /// The priority of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == name)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A row of `minting_operations`, with the mint attempt that is still undecided.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The idempotency key.
    pub id: OperationId,
    /// Whom the API did it for; opaque to us.
    pub user_id: String,
    /// What to mint for whom: frozen at insert.
    pub content: Content,
    /// Fixed at insert.
    pub priority: Priority,
    /// Where it stands.
    pub state: State,
    /// The state before this one, where the last transition is known.
    pub previous_state: Option<State>,
    /// For FAILED and ROLLED_BACK: the state it failed from.
    pub failed_from: Option<State>,
    /// Raised by one with every transition; 1 at insert.
    pub version: i64,
    /// Why a person should look at it.
    pub needs_review: Option<String>,
    /// Derived from the master secret; unique among operations.
    pub mint_address: Option<MintAddress>,
    /// Which master secret it was derived from.
    pub key_id: Option<String>,
    /// The pinned image.
    pub image_cid: Option<Cid>,
    /// The pinned metadata.
    pub metadata_cid: Option<Cid>,
    /// The transaction that minted it.
    pub signature: Option<Signature>,
    /// Failed tries of the present step; reset by every transition.
    pub attempts: i32,
    /// Not before this: the row owns the next try, not the record.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The last failure.
    pub failure: Option<Failure>,
    /// W3C trace context of the event that started it.
    pub trace_parent: Option<String>,
    /// The timestamp of that event's record.
    pub event_at: DateTime<Utc>,
    /// When the last transition was committed.
    pub updated_at: DateTime<Utc>,
    /// The signed transaction whose fate is not known yet.
    pub open_attempt: Option<Attempt>,
    /// What a person asked for when they had it tried again.
    pub terms: RetryTerms,
}

impl Operation {
    /// How every operation begins: accepted, and recorded at `at`.
    #[must_use]
    pub fn initiated(new: &NewOperation, at: DateTime<Utc>) -> Self {
        Self {
            id: new.id,
            user_id: new.user_id.clone(),
            content: new.content.clone(),
            priority: new.priority,
            state: State::Initiated,
            previous_state: None,
            failed_from: None,
            version: 1,
            needs_review: None,
            mint_address: None,
            key_id: None,
            image_cid: None,
            metadata_cid: None,
            signature: None,
            attempts: 0,
            next_attempt_at: None,
            failure: None,
            trace_parent: new.trace_parent.clone(),
            event_at: new.event_at,
            updated_at: at,
            open_attempt: None,
            terms: RetryTerms::default(),
        }
    }
}
