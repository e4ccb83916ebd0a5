//! Reports how far this process has consumed its partitions, for the sweeper.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::Clock;

use crate::assignment::{Assignment, Consumed};
use crate::ports::Partition;
use crate::row_outbox::Interrupted;
use crate::row_ports::{Backlog, ConsumptionReport, RowStore};
use crate::upkeep::Round;

/// Reports for one consumer group.
#[derive(Debug)]
pub struct Consumption<S, B, C> {
    store: Arc<S>,
    backlog: Arc<B>,
    assignment: Arc<Assignment>,
    clock: C,
    held: HashMap<Partition, Held>,
}

/// Under which number the store knows an assignment of this process.
#[derive(Debug, Clone, Copy)]
struct Held {
    ours: u64,
    epoch: i64,
}

impl<S: RowStore, B: Backlog, C: Clock> Consumption<S, B, C> {
    /// Reports on `assignment`.
    pub fn new(store: Arc<S>, backlog: Arc<B>, assignment: Arc<Assignment>, clock: C) -> Self {
        Self { store, backlog, assignment, clock, held: HashMap::new() }
    }

    fn report(&self, owned: &Consumed, through: DateTime<Utc>) -> ConsumptionReport {
        let epoch = self.held.get(&owned.partition).map(|held| held.epoch);
        ConsumptionReport { partition: owned.partition.clone(), epoch, through }
    }

    /// Refused, the number is forgotten: a later owner took one. If the partition is ours all the same in the next round,
    /// that owner only thought so (it stood still while its session ended), and a new number overtakes it.
    fn hold(&mut self, owned: &Consumed, epoch: Option<i64>) {
        match epoch {
            Some(epoch) => self.held.insert(owned.partition.clone(), Held { ours: owned.epoch, epoch }),
            None => self.held.remove(&owned.partition),
        };
    }
}

impl<S: RowStore, B: Backlog, C: Clock> Round for Consumption<S, B, C> {
    /// Reports once on every partition that something is known of. What is not reported grows stale, and nobody sweeps.
    async fn round(&mut self) -> Result<(), Interrupted> {
        let now = self.clock.now();
        let owned = self.assignment.consumed();
        self.held.retain(|partition, held| owned.iter().any(|o| o.partition == *partition && o.epoch == held.ours));
        let idle = owned.iter().filter(|owned| !owned.busy).map(|owned| owned.partition.clone()).collect();
        let at_end = self.backlog.consumed_to_end(idle).await.map_err(Interrupted::Cluster)?;
        let known: Vec<_> = owned.iter().filter_map(|owned| Some((owned, through(owned, &at_end, now)?))).collect();
        let reports: Vec<_> = known.iter().map(|(owned, through)| self.report(owned, *through)).collect();
        if reports.is_empty() {
            return Ok(());
        }
        let epochs = self.store.report(&reports).await?;
        for ((owned, _), epoch) in known.iter().zip(epochs) {
            self.hold(owned, epoch);
        }
        Ok(())
    }
}

/// Now, where there is no lag: `now` was read before the cluster was asked.
fn through(owned: &Consumed, at_end: &HashSet<Partition>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if at_end.contains(&owned.partition) { Some(now) } else { owned.through }
}
