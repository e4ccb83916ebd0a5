//! PostgreSQL simulated: the store's ports over tables in memory, with the guards, constraints and triggers of the real
//! one. One conformance suite runs on both (`conformance::store`), so that what is proven on this one holds there.

mod burns;
mod claims;
mod commit;
mod consumption;
mod insert;
mod mishap;
mod pins;
mod put_off;
mod refusal;
mod rows;
mod table;
mod tables;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use domain::{NewOperation, Operation, OperationId, Priority, Step};
use engine::{
    BurnClaim, BurnHolder, BurnLedger, Claim, Commit, Committed, ConsumptionReport, Inserted, MintPlace,
    OperationStore, OwedPin, Pin, PinClaim, PinLedger, Pinned, PutOff, RowStore, Snapshot, StoreError, Sweep,
};

pub use self::mishap::Mishap;
pub use self::rows::{OperationEvent, PinState, RecordedAttempt};
pub use self::tables::Tables;

use self::rows::Rows;
use crate::crash::Crash;

/// Says what befalls the next statement of that name.
type Fate = Box<dyn Fn(&'static str) -> Mishap + Send + Sync>;

/// One process's view of the tables: it may crash before and after every statement, and every statement may meet with a
/// mishap. Statements are executed one after another, each at one moment: that is what the real ones come to, which
/// take the rows they judge.
pub struct MemoryStore {
    /// What survives it.
    pub tables: Arc<Tables>,
    /// When it dies.
    pub crash: Arc<Crash>,
    /// While true, every statement fails as if the database were away.
    pub away: AtomicBool,
    fate: Fate,
}

impl MemoryStore {
    /// A process over `tables`.
    #[must_use]
    pub fn new(tables: Arc<Tables>, crash: Arc<Crash>) -> Self {
        Self { tables, crash, away: false.into(), fate: Box::new(|_| Mishap::None) }
    }

    /// Asks `fate` before every statement what befalls it. Statements are named as the metrics of the real store name
    /// them.
    #[must_use]
    pub fn meeting(self, fate: impl Fn(&'static str) -> Mishap + Send + Sync + 'static) -> Self {
        Self { fate: Box::new(fate), ..self }
    }

    async fn statement<T: Send + 'static>(
        &self,
        name: &'static str,
        run: impl FnOnce(&mut Rows, DateTime<Utc>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.crash.moment().await;
        let answer = if self.away.load(Ordering::SeqCst) {
            Err(mishap::away())
        } else {
            (self.fate)(name).befall(&self.tables, run).await
        };
        self.crash.moment().await;
        answer
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("crash", &self.crash).field("away", &self.away).finish_non_exhaustive()
    }
}

impl OperationStore for MemoryStore {
    /// Two statements, as the real one: what is new, and a look at what was there.
    async fn insert(&self, batch: &[NewOperation]) -> Result<Vec<Inserted>, StoreError> {
        let new = batch.to_vec();
        let fresh = self.statement("insert", move |rows, now| rows.insert(&new, now)).await?;
        if fresh.iter().all(Option::is_some) {
            return Ok(fresh.into_iter().flatten().collect());
        }
        let new = batch.to_vec();
        self.statement("load", move |rows, _| rows.read_back(&new, fresh)).await
    }

    async fn load(&self, ids: &[OperationId]) -> Result<Snapshot, StoreError> {
        let ids = ids.to_vec();
        self.statement("load", move |rows, now| Ok(rows.load(&ids, now))).await
    }

    async fn commit(&self, batch: &[Commit]) -> Result<Vec<Committed>, StoreError> {
        let batch = batch.to_vec();
        self.statement("commit", move |rows, now| rows.commit(&batch, now)).await
    }

    async fn put_off(&self, batch: &[PutOff]) -> Result<Vec<bool>, StoreError> {
        let batch = batch.to_vec();
        self.statement("put_off", move |rows, now| rows.put_off(&batch, now)).await
    }

    async fn flag(&self, id: OperationId, reason: &str) -> Result<(), StoreError> {
        let reason = refusal::printable(reason);
        self.statement("flag", move |rows, now| rows.flag(id, reason, now)).await
    }
}

impl RowStore for MemoryStore {
    async fn claim_due(&self, step: Step, shares: &[(Priority, u32)]) -> Result<Vec<Claim>, StoreError> {
        let shares = shares.to_vec();
        self.statement("claim_due", move |rows, now| rows.claim_due(step, &shares, now)).await
    }

    async fn hasten(&self, step: Step) -> Result<(), StoreError> {
        self.statement("hasten", move |rows, now| rows.hasten(step, now)).await
    }

    async fn claim_still(&self, sweep: &Sweep) -> Result<Vec<Claim>, StoreError> {
        let sweep = sweep.clone();
        self.statement("claim_still", move |rows, now| rows.claim_still(&sweep, now)).await
    }

    async fn settle(&self, claims: &[Claim]) -> Result<(), StoreError> {
        let claims = claims.to_vec();
        self.statement("settle", move |rows, now| rows.settle(&claims, now)).await
    }

    async fn report(&self, reports: &[ConsumptionReport]) -> Result<Vec<Option<i64>>, StoreError> {
        let reports = reports.to_vec();
        self.statement("report", move |rows, now| Ok(rows.report(&reports, now))).await
    }
}

impl PinLedger for MemoryStore {
    async fn claim(&self, batch: &[Pin]) -> Result<Vec<PinClaim>, StoreError> {
        let batch = batch.to_vec();
        self.statement("pin_claim", move |rows, now| Ok(rows.claim_pins(&batch, now))).await
    }

    async fn pinned(&self, batch: &[Pinned]) -> Result<(), StoreError> {
        let batch = batch.to_vec();
        self.statement("pin_done", move |rows, _| {
            rows.pinned(&batch);
            Ok(())
        })
        .await
    }

    async fn owed(&self, provider: &str, most: u16) -> Result<Vec<OwedPin>, StoreError> {
        let provider = provider.to_owned();
        self.statement("pin_owed", move |rows, now| Ok(rows.pins_owed(&provider, most, now))).await
    }
}

impl BurnLedger for MemoryStore {
    /// Two statements where somebody holds it, as the real one; the second one's answer is that of the first here.
    async fn claim_burn(&self, operation: &Operation, place: &MintPlace) -> Result<BurnClaim, StoreError> {
        let (operation, place) = (operation.clone(), place.clone());
        self.statement("claim_burn", move |rows, now| rows.claim_burn(&operation, &place, now)).await
    }

    async fn hand_over_burn(
        &self,
        holder: &BurnHolder,
        heir: &Operation,
        place: &MintPlace,
    ) -> Result<bool, StoreError> {
        let (holder, heir, place) = (holder.clone(), heir.clone(), place.clone());
        self.statement("hand_over_burn", move |rows, now| rows.hand_over_burn(&holder, &heir, &place, now)).await
    }
}
