//! Redrive: rows whose next try is due, or that owe a status, are published from.

use domain::{Priority, Step};

use crate::ports::{EventSink, OperationStore};
use crate::row_outbox::{Interrupted, RowOutbox};
use crate::row_ports::RowStore;
use crate::upkeep::Round;

/// Rows of one round, for each unit of their priority's weight.
const ROWS: u32 = 40;

/// Publishes from the rows of one step. Any number of processes may: a row is claimed by one of them.
#[derive(Debug)]
pub struct Redrive<S, E> {
    /// Whose rows.
    pub step: Step,
    /// How they are published from.
    pub outbox: RowOutbox<S, E>,
}

impl<S: OperationStore + RowStore, E: EventSink> Round for Redrive<S, E> {
    /// Publishes until nothing is due.
    async fn round(&mut self) -> Result<(), Interrupted> {
        let shares = Priority::ALL.map(|priority| (priority, ROWS * priority.weight()));
        loop {
            let claims = self.outbox.store.claim_due(self.step, &shares).await?;
            if claims.is_empty() {
                return Ok(());
            }
            self.outbox.publish(&claims).await?;
        }
    }
}
