//! What the suite asks of a database besides the ports.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{Cid, MintCost, NftRecord, OperationId, Signature, State, Verdict};
use engine::{OperationStore, PinLedger, RowStore};

use crate::memory_store::PinState;

/// A line of an operation's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// Such as `transition`.
    pub kind: String,
    /// The operation's version then.
    pub version: i64,
    /// Where it stood.
    pub from: Option<State>,
    /// Where it came to, where it moved.
    pub to: Option<State>,
}

/// What a row has that the domain knows nothing of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bookkeeping {
    /// Whether it was claimed, be the lease over or not.
    pub claimed: bool,
    /// Whether its request was published from it.
    pub requested: bool,
    /// How often it was woken.
    pub wakes: u32,
    /// Whether a status is owed.
    pub status_owed: bool,
}

/// A database that the suite may look into and type into, as a person with a prompt would.
pub trait StoreWorld: Sized + 'static {
    /// What is tested.
    type Store: OperationStore + RowStore + PinLedger;

    /// An empty database.
    fn fresh() -> impl Future<Output = Self>;

    /// One process's store.
    fn store(&self) -> &Arc<Self::Store>;

    /// The store of another process.
    fn another_store(&self) -> impl Future<Output = Arc<Self::Store>>;

    /// Lets so much time pass: all that is in the database is that much older.
    fn pass(&self, time: Duration) -> impl Future<Output = ()>;

    /// An operation's attempts in the order they were signed: version, name, verdict.
    fn attempts(&self, id: OperationId) -> impl Future<Output = Vec<(i64, Signature, Option<Verdict>)>>;

    /// What each of them costs where it lands, in the same order.
    fn costs(&self, id: OperationId) -> impl Future<Output = Vec<Option<MintCost>>>;

    /// An operation's history.
    fn history(&self, id: OperationId) -> impl Future<Output = Vec<Happened>>;

    /// The finished record of an operation, and when it was verified.
    fn nft(&self, id: OperationId) -> impl Future<Output = Option<(NftRecord, Option<DateTime<Utc>>)>>;

    /// What a row has that the domain knows nothing of.
    fn bookkeeping(&self, id: OperationId) -> impl Future<Output = Bookkeeping>;

    /// How many contents are held, counted at each provider.
    fn contents_held(&self) -> impl Future<Output = usize>;

    /// Says that a content known there stands so at that provider.
    fn type_pin(&self, cid: &Cid, provider: &str, state: PinState) -> impl Future<Output = ()>;

    /// Takes an operation from FAILED to ROLLED_BACK.
    fn roll_back(&self, id: OperationId) -> impl Future<Output = ()>;

    /// Makes a row owe its status.
    fn owe_status(&self, id: OperationId) -> impl Future<Output = ()>;

    /// Leaves on a row all that a step can go through: 3 attempts, a wait and a claim until
    /// [`later`](crate::transitions::later), a request from the row, 2 wakes, a status that is owed, a flag and a failure.
    fn wear(&self, id: OperationId) -> impl Future<Output = ()>;
}
