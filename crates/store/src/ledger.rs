//! What the ledger of dead letters holds: what people did about them.

use std::fmt;

use chrono::{DateTime, Utc};
use domain::OperationId;
use serde::Serialize;
use uuid::Uuid;

use crate::errors::BadData;
use crate::rows::Reader;

/// A dead letter as the ledger names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerLetter {
    /// Its id.
    pub id: Uuid,
    /// The dead-letter topic that it lies in.
    pub topic: String,
    /// Where in it.
    pub partition: i32,
    /// Where in it.
    pub offset: i64,
    /// Letters of one cause have one.
    pub fingerprint: String,
    /// The operation it is about.
    pub operation: Option<OperationId>,
}

/// Who does something, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Such as `anna@ops-1`.
    pub by: String,
    /// In their words.
    pub reason: Option<String>,
}

/// What came of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LetterOutcome {
    /// Its record was published again.
    Published,
    /// Its operation was taken back to be tried again.
    Retried,
    /// Its operation's NFT was found on chain.
    Confirmed,
    /// Its operation had moved on without it.
    Settled,
    /// Nothing is to be done about it.
    Discarded,
}

impl LetterOutcome {
    const ALL: [Self; 5] = [Self::Published, Self::Retried, Self::Confirmed, Self::Settled, Self::Discarded];

    /// The name in the database and for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Retried => "retried",
            Self::Confirmed => "confirmed",
            Self::Settled => "settled",
            Self::Discarded => "discarded",
        }
    }

    /// What was done: of each letter once.
    pub(crate) const fn deed(self) -> &'static str {
        match self {
            Self::Published | Self::Retried | Self::Confirmed | Self::Settled => "replay",
            Self::Discarded => "discard",
        }
    }
}

impl fmt::Display for LetterOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the ledger holds of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntry {
    /// What came of it; none while a replay is in hand.
    pub outcome: Option<LetterOutcome>,
    /// Until then nobody else takes it in hand.
    pub claimed_until: Option<DateTime<Utc>>,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the claim on it ran out: whoever had it in hand is gone.
    pub abandoned: bool,
}

pub(crate) struct LedgerRow {
    pub id: Uuid,
    pub outcome: Option<String>,
    pub claimed_until: Option<DateTime<Utc>>,
    pub done_by: String,
    pub reason: Option<String>,
    pub done_at: DateTime<Utc>,
    pub abandoned: bool,
}

impl TryFrom<LedgerRow> for LedgerEntry {
    type Error = BadData;

    fn try_from(row: LedgerRow) -> Result<Self, BadData> {
        let read = Reader { table: "dead_letters", row: row.id };
        let outcome = row.outcome.map(|name| {
            let known = LetterOutcome::ALL.into_iter().find(|outcome| outcome.as_str() == name);
            known.ok_or_else(|| read.bad("outcome", format_args!("unknown outcome {name:?}")))
        });
        Ok(Self {
            outcome: outcome.transpose()?,
            claimed_until: row.claimed_until,
            by: row.done_by,
            reason: row.reason,
            at: row.done_at,
            abandoned: row.abandoned,
        })
    }
}
