//! The sweeper: wakes what stands still though its event was consumed. A backlog or an outage is no reason to wake anybody.

use std::sync::Arc;

use domain::{OperationId, Priority, Step, Topic};

use crate::assignment::Assignment;
use crate::ports::{EventSink, OperationStore, Partition};
use crate::row_outbox::{Interrupted, RowOutbox};
use crate::row_ports::{Backlog, Claim, Reason, RowStore, Sweep};
use crate::upkeep::Round;

/// Rows that are woken at once.
const ROWS: u32 = 500;
/// Whoever did not move after so many wakes is not going to by itself.
const WAKES: u32 = 3;

/// Sweeps the rows of one step, each priority where this process owns partition 0 of its topic: so every row has one
/// sweeper, whatever rebalances or grows.
pub struct Sweeper<S, E, B, G> {
    /// Whose rows.
    pub step: Step,
    /// How they are published from.
    pub outbox: RowOutbox<S, E>,
    /// What the cluster says of the step's group.
    pub backlog: Arc<B>,
    /// What this process owns.
    pub assignment: Arc<Assignment>,
    /// Whether what the step needs is up: an open breaker stops the sweep.
    pub may_sweep: G,
}

impl<S, E, B, G> Sweeper<S, E, B, G>
where
    S: OperationStore + RowStore,
    E: EventSink,
    B: Backlog,
    G: Fn() -> bool + Send + Sync,
{
    async fn sweep(&self, priority: Priority, topic: String) -> Result<(), Interrupted> {
        let partitions = self.backlog.partitions(&topic).await.map_err(Interrupted::Cluster)?;
        let sweep = Sweep { step: self.step, priority, topic, partitions, limit: ROWS };
        loop {
            let claims = self.outbox.store.claim_still(&sweep).await?;
            if claims.is_empty() {
                return Ok(());
            }
            tracing::warn!(step = %self.step, topic = sweep.topic, operations = claims.len(), "standing still");
            let (given_up, to_wake): (Vec<Claim>, Vec<Claim>) = claims.into_iter().partition(woken_in_vain);
            for claim in given_up {
                self.give_up(claim.id).await?;
            }
            self.outbox.publish(&to_wake).await?;
        }
    }

    async fn give_up(&self, id: OperationId) -> Result<(), Interrupted> {
        let reason = format!("it stands still: its event was consumed {WAKES} more times and nothing came of it");
        Ok(self.outbox.store.flag(id, &reason).await?)
    }
}

impl<S, E, B, G> Round for Sweeper<S, E, B, G>
where
    S: OperationStore + RowStore,
    E: EventSink,
    B: Backlog,
    G: Fn() -> bool + Send + Sync,
{
    /// Wakes what stands still, or puts it in front of a person where waking did not help.
    async fn round(&mut self) -> Result<(), Interrupted> {
        for priority in Priority::ALL {
            let topic = Topic::Requests(self.step, priority).name(&self.outbox.telling.topic_prefix);
            let first = Partition { topic: topic.as_str().into(), id: 0 };
            if self.assignment.owns(&first) && (self.may_sweep)() {
                self.sweep(priority, topic).await?;
            }
        }
        Ok(())
    }
}

fn woken_in_vain(claim: &Claim) -> bool {
    matches!(claim.reason, Reason::Still { wakes } if wakes >= WAKES)
}
