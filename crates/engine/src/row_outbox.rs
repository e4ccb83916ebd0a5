//! Publishes from rows what no record carries: first claimed, then published, then settled. A crash anywhere between
//! publishes again when the lease ends, and never not at all.

use std::sync::Arc;

use domain::{Failure, Operation};
use futures::future::{try_join, try_join_all};

use crate::metrics;
use crate::ports::{EventSink, OperationStore, StoreError};
use crate::processor::Halt;
use crate::row_ports::{Claim, Reason, RowStore};
use crate::telling::Telling;

/// Why a round of what runs beside the records broke off. The next round does what this one left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// Nothing more can be done in this process.
    #[error(transparent)]
    Halt(#[from] Halt),
    /// The database's trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cluster's trouble.
    #[error("kafka: {0}")]
    Cluster(Failure),
}

/// Rows, and where their events go.
#[derive(Debug)]
pub struct RowOutbox<S, E> {
    /// Whose rows.
    pub store: Arc<S>,
    /// Where to.
    pub telling: Telling<E>,
    /// Name of the step in metrics.
    pub step: &'static str,
}

impl<S: OperationStore + RowStore, E: EventSink> RowOutbox<S, E> {
    /// Publishes what the claimed rows ask for, as they stand now, and settles the claims.
    ///
    /// # Errors
    /// [`Interrupted`]; what was claimed is claimed again once its lease ends.
    pub async fn publish(&self, claims: &[Claim]) -> Result<(), Interrupted> {
        if claims.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = claims.iter().map(|claim| claim.id).collect();
        let mut snapshot = self.store.load(&ids).await?;
        let mut published = Vec::with_capacity(claims.len());
        let mut readable = Vec::with_capacity(claims.len());
        for claim in claims {
            match snapshot.operations.remove(&claim.id) {
                Some(Ok(operation)) => {
                    published.push(self.tell(operation, claim.reason));
                    readable.push(claim.clone());
                }
                Some(Err(failure)) => self.store.flag(claim.id, &failure.to_string()).await?,
                None => {}
            }
        }
        try_join_all(published).await?;
        Ok(self.store.settle(&readable).await?)
    }

    /// A due try asks for its request alone: the status was told when it was put off.
    async fn tell(&self, operation: Operation, reason: Reason) -> Result<(), Halt> {
        let request = self.telling.request_from_row(&operation, reason);
        match reason {
            Reason::Due => request.await?,
            Reason::Owed | Reason::Still { .. } => {
                try_join(request, self.telling.status(&operation)).await?;
            }
        }
        metrics::published_from_row(self.step, reason.as_str());
        Ok(())
    }
}
