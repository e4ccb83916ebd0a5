//! Redrive: rows whose next try is due, or that owe a status, are published from.

use std::sync::Arc;

use domain::{Priority, Step};

use crate::assignment::Assignment;
use crate::ports::{EventSink, OperationStore};
use crate::row_outbox::{Interrupted, RowOutbox};
use crate::row_ports::RowStore;
use crate::upkeep::Round;

/// Rows of one round, for each unit of their priority's weight.
const ROWS: u32 = 40;

/// Publishes from the rows of one step. Any number of processes may: a row is claimed by one of them.
#[derive(Debug)]
pub struct Redrive<S, E> {
    step: Step,
    outbox: RowOutbox<S, E>,
    assignment: Arc<Assignment>,
    was_held: bool,
}

impl<S, E> Redrive<S, E> {
    /// Publishes the rows of `step` through `outbox`; `assignment` says when its work is held.
    pub const fn new(step: Step, outbox: RowOutbox<S, E>, assignment: Arc<Assignment>) -> Self {
        Self { step, outbox, assignment, was_held: false }
    }
}

impl<S: OperationStore + RowStore, E: EventSink> Round for Redrive<S, E> {
    /// Publishes until nothing is due. What waits for a dependency is due at once when the step's work is held no more:
    /// the dependency is back.
    async fn round(&mut self) -> Result<(), Interrupted> {
        let is_held = self.assignment.is_held();
        if self.was_held && !is_held {
            self.outbox.store.hasten(self.step).await?;
        }
        self.was_held = is_held;
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
