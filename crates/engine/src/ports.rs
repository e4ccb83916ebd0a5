//! What the engine asks of the world. `store` and `kafka` answer for real, `testkit` with faults.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{Cid, Failure, FailureClass, NewOperation, Operation, OperationId, OutgoingRecord, Transition};

/// A batch that was not stored. Nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The fault of one row among the batch (SQLSTATE classes 22, 23, P0001): whoever sent the batch splits it until
    /// only that row fails.
    #[error("refused by the database ({sqlstate}): {message}")]
    Row {
        /// SQLSTATE, five characters.
        sqlstate: String,
        /// What the database said.
        message: String,
    },
    /// The database's own trouble: again later.
    #[error("database: {0}")]
    Unavailable(Failure),
}

impl StoreError {
    /// The failure it is for the one row it concerns.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Row { sqlstate, message } => {
                Failure::permanent("not-storable", format!("the database refused it ({sqlstate}): {message}"))
            }
            Self::Unavailable(failure) => failure.clone(),
        }
    }
}

/// What became of an operation that was to be inserted.
#[derive(Debug, Clone, PartialEq)]
pub enum Inserted {
    /// It is in the table with this content, new or from an earlier delivery; here is the row as it stands now.
    Present(Box<Operation>),
    /// Its id stands for other content. The first one is untouched.
    Conflict,
}

/// Rows as they stood at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The database's time.
    pub now: DateTime<Utc>,
    /// What was found. An id that is missing here has no row; a row that cannot be read as an operation is a permanent
    /// failure that names table, column and row.
    pub operations: HashMap<OperationId, Result<Operation, Failure>>,
}

/// One transition to be committed, guarded by id, state and version of `operation`.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// The operation as it was when the step decided.
    pub operation: Operation,
    /// What happened.
    pub transition: Transition,
}

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// It is durable, at this time of the database.
    At(DateTime<Utc>),
    /// Somebody else moved the operation first: reload and decide again.
    Overtaken,
    /// A content id that the transition stores is not pinned any more: pin it again.
    NotPinned,
}

/// A try that did not bring an operation on, as its row is to remember it. Guarded by id, state, version and attempts of
/// `operation`. The version stays: it numbers what the world is told, and nothing is told; and whoever is about to commit
/// a transition of the same version, having got further, is not held up by it.
#[derive(Debug, Clone, PartialEq)]
pub struct PutOff {
    /// The operation as it was when the step tried.
    pub operation: Operation,
    /// What was in the way.
    pub failure: Failure,
    /// Whether the try counts as an attempt.
    pub spends: bool,
    /// How long from now the row owns the next try; none where the record waits in its lane.
    pub wait: Option<Duration>,
}

/// The table `minting_operations` and its sisters. Every batch is one statement and all or nothing; results come in the
/// order of the batch.
pub trait OperationStore: Send + Sync + 'static {
    /// Inserts what is new and reads back what is there.
    fn insert(&self, batch: &[NewOperation]) -> impl Future<Output = Result<Vec<Inserted>, StoreError>> + Send;

    /// Reads operations with their open attempts.
    fn load(&self, ids: &[OperationId]) -> impl Future<Output = Result<Snapshot, StoreError>> + Send;

    /// Commits transitions, each with its history row and its attempt.
    fn commit(&self, batch: &[Commit]) -> impl Future<Output = Result<Vec<Committed>, StoreError>> + Send;

    /// Records tries that failed. False where the row is not as the step saw it any more: then nothing was recorded.
    fn put_off(&self, batch: &[PutOff]) -> impl Future<Output = Result<Vec<bool>, StoreError>> + Send;

    /// Puts an operation in front of a person; keeps the first reason. An unknown id is no error.
    fn flag(&self, id: OperationId, reason: &str) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Who may pin a content now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinClaim {
    /// Nobody need: a provider holds it, this one or another.
    Pinned,
    /// The caller, until its lease of 20 s ends.
    Yours {
        /// The database's time of the claim.
        since: DateTime<Utc>,
    },
    /// Somebody else, at this moment: ask again.
    Elsewhere,
}

/// A content and the provider that is to hold it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pin {
    /// Which content.
    pub cid: Cid,
    /// Its size, bytes.
    pub size: u64,
    /// Name of the provider, such as `pinata`.
    pub provider: String,
}

/// A content that a provider took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// Which content, and who took it.
    pub pin: Pin,
    /// The database's time at which it was claimed, before the upload began.
    pub since: DateTime<Utc>,
}

/// A content that one provider was to hold and another one holds, claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedPin {
    /// Which content.
    pub cid: Cid,
    /// The database's time of the claim.
    pub since: DateTime<Utc>,
}

/// The table `pinned_content`: one upload per distinct content, however many processes have it in hand.
pub trait PinLedger: Send + Sync + 'static {
    /// Claims the right to pin each of the batch (no content twice in it).
    fn claim(&self, batch: &[Pin]) -> impl Future<Output = Result<Vec<PinClaim>, StoreError>> + Send;

    /// Records each of the batch as pinned at its provider, but for what was unpinned anywhere since it was claimed: that the
    /// provider may not hold any more.
    fn pinned(&self, batch: &[Pinned]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Claims for a minute at most `most` contents that were to be pinned at `provider` and are pinned elsewhere, those that
    /// wait longest first.
    fn owed(&self, provider: &str, most: u16) -> impl Future<Output = Result<Vec<OwedPin>, StoreError>> + Send;
}

/// A record that was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The topic takes no record of this size.
    #[error("record too large for {topic}")]
    TooLarge {
        /// Which topic.
        topic: String,
    },
    /// The producer is broken for good: the process has to end.
    #[error("producer is broken: {0}")]
    Fatal(String),
    /// Again later; it may have been written all the same.
    #[error("kafka: {0}")]
    Unavailable(String),
}

impl PublishError {
    /// The failure it is for the record it concerns.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let code = match self {
            Self::TooLarge { .. } => "record-too-large",
            Self::Fatal(_) => "producer-broken",
            Self::Unavailable(_) => "kafka-unavailable",
        };
        Failure::new(FailureClass::Outage, code, self)
    }
}

/// Where events go: durable once the future is ready.
pub trait EventSink: Send + Sync + 'static {
    /// Publishes a record and waits for its acknowledgement by all replicas in sync.
    fn publish(&self, record: OutgoingRecord) -> impl Future<Output = Result<(), PublishError>> + Send;
}

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition {
    /// Its topic.
    pub topic: std::sync::Arc<str>,
    /// Its number.
    pub id: i32,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.id)
    }
}
