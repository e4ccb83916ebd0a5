//! Redrive: rows whose next try is due, or that owe a status, are published from.

use domain::{Priority, Step};

use crate::ports::{EventSink, OperationStore};
use crate::row_outbox::{Interrupted, RowOutbox};
use crate::row_ports::RowStore;
use crate::upkeep::Round;

/// Rows of one round: critical ones first, and bulk never starves (8 : 3 : 1).
const SHARES: [(Priority, u32); 3] = [(Priority::Critical, 320), (Priority::Normal, 120), (Priority::Bulk, 40)];

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
        loop {
            let claims = self.outbox.store.claim_due(self.step, &SHARES).await?;
            if claims.is_empty() {
                return Ok(());
            }
            self.outbox.publish(&claims).await?;
        }
    }
}
