//! What the engine asks about rows that no record carries, and about how far records were consumed.

use std::collections::HashSet;
use std::future::Future;

use chrono::{DateTime, Utc};
use domain::{Failure, OperationId, Priority, Step};

use crate::ports::{Partition, StoreError};

/// Why something is published from a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its next try is due.
    Due,
    /// Its status is owed, for no record came with the change.
    Owed,
    /// It stands still though its event was consumed; so often it was woken before, in vain.
    Still {
        /// Wakes whose record was consumed.
        wakes: u32,
    },
}

impl Reason {
    /// The name in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Owed => "owed",
            Self::Still { .. } => "still",
        }
    }
}

/// A row that this process alone publishes from until its lease ends. Who dies before loses nothing: the next one claims
/// the row then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose row.
    pub id: OperationId,
    /// The end of the lease, the database's time. It names the claim: no other one of this row has it.
    pub until: DateTime<Utc>,
    /// Why.
    pub reason: Reason,
}

/// Which rows are looked through for those that stand still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// Rows that wait for this step
    pub step: Step,
    /// with this priority, whose events come by
    pub priority: Priority,
    /// this topic,
    pub topic: String,
    /// which has so many partitions.
    pub partitions: u32,
    /// Rows at most.
    pub limit: u32,
}

/// What the owner of a partition says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumptionReport {
    /// Which one.
    pub partition: Partition,
    /// Under which number the owner reported before; none the first time after an assignment.
    pub epoch: Option<i64>,
    /// All records up to this time are finished.
    pub through: DateTime<Utc>,
}

/// Rows that no record carries. All calls are safe to repeat.
pub trait RowStore: Send + Sync + 'static {
    /// Claims rows of a step whose next try is due, at most so many of each state and priority, the longest due first; and
    /// rows that owe a status, of this step or ended.
    fn claim_due(
        &self,
        step: Step,
        shares: &[(Priority, u32)],
    ) -> impl Future<Output = Result<Vec<Claim>, StoreError>> + Send;

    /// Makes the tries of a step due that wait for a dependency of ours: those of rows on which no attempt is counted, for
    /// somebody else's trouble counts them.
    fn hasten(&self, step: Step) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Claims rows whose last transition, and last event published from the row, are older than what every partition of
    /// the topic was consumed through, less 30 s. None where a partition has no fresh report; none that own their next
    /// try or owe a status; and none of those that were flagged after three wakes.
    fn claim_still(&self, sweep: &Sweep) -> impl Future<Output = Result<Vec<Claim>, StoreError>> + Send;

    /// Notes that what the claimed rows ask for is published: they own no try and owe no status any more, and a wake
    /// counts. Rows that moved or were put off since are as they should be already.
    fn settle(&self, claims: &[Claim]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Records how far partitions were consumed. Answers with the number that each is held under now; none where a later
    /// owner has reported already.
    fn report(
        &self,
        reports: &[ConsumptionReport],
    ) -> impl Future<Output = Result<Vec<Option<i64>>, StoreError>> + Send;
}

/// What is asked of the cluster about one consumer group.
pub trait Backlog: Send + Sync + 'static {
    /// How many partitions a topic has.
    fn partitions(&self, topic: &str) -> impl Future<Output = Result<u32, Failure>> + Send;

    /// Which of the partitions the group has consumed to their end, as committed.
    fn consumed_to_end(
        &self,
        partitions: Vec<Partition>,
    ) -> impl Future<Output = Result<HashSet<Partition>, Failure>> + Send;
}
