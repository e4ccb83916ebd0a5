//! What an operation that failed for good had pinned is unpinned, unless somebody else uses it; then it is rolled back.

use std::sync::Arc;
use std::time::Duration;

use domain::{Cid, Failure};
use engine::{OperationStore as _, StoreError};
use ipfs::PinProvider;
use store::{NOT_UNPINNED, Store, Unpin};
use tokio::time::{Instant, sleep};

use crate::metrics;
use crate::providers::Providers;

/// How often the database is asked what is due.
const LOOK: Duration = Duration::from_secs(10);
/// Operations of one claim. Each takes two contents and some calls for each; the claim lasts ten minutes.
const AT_ONCE: u16 = 20;

/// A content is ours to unpin for five minutes. Whoever slept through most of that leaves it to the next round, for by then
/// another one may pin it.
const IN_TIME: Duration = Duration::from_mins(4);

/// Rolls back what failed long enough ago: until then a person may have it tried again with what it has pinned.
#[derive(Debug)]
pub struct Rollbacks<P> {
    /// Who may hold its content.
    pub providers: Arc<Providers<P>>,
    /// Whose operations.
    pub store: Arc<Store>,
    /// How long ago.
    pub after: Duration,
}

/// What became of one content.
enum Gone {
    /// Nobody holds it for us any more.
    Unpinned,
    /// Another operation uses it.
    Kept,
    /// Somebody else pins or unpins it: later.
    Busy,
    /// Some provider may still hold it.
    No(Failure),
}

impl<P: PinProvider> Rollbacks<P> {
    /// Does so for as long as it is polled.
    pub async fn run(self) {
        loop {
            sleep(LOOK).await;
            loop {
                match self.round().await {
                    Ok(claimed) if claimed == usize::from(AT_ONCE) => {}
                    Ok(_) => break,
                    Err(error) => {
                        tracing::warn!(%error, "rolling back was broken off, and comes round again");
                        break;
                    }
                }
            }
        }
    }

    /// Does what is due now, a number of operations at most, and answers with how many were taken in hand.
    ///
    /// # Errors
    /// The database's trouble. What is left comes round again.
    pub async fn round(&self) -> Result<usize, StoreError> {
        let claimed = self.store.claim_rollbacks(self.after, AT_ONCE).await?;
        for rollback in &claimed {
            let (mut kept, mut failure, mut is_busy) = (Vec::new(), None, false);
            for cid in &rollback.contents {
                match self.unpin(cid).await? {
                    Gone::Unpinned => {}
                    Gone::Kept => kept.push(cid.clone()),
                    Gone::Busy => is_busy = true,
                    Gone::No(trouble) => failure = Some((cid, trouble)),
                }
            }
            let id = rollback.operation;
            match failure {
                // What may pass by itself is nobody's business for an hour.
                Some((cid, failure)) if failure.is_permanent() || rollback.is_overdue => {
                    self.store.flag(id, &format!("{NOT_UNPINNED}{cid}: {failure}")).await?;
                }
                Some(_) => {}
                None if is_busy => {}
                None => {
                    if self.store.roll_back(rollback, &kept).await? {
                        tracing::info!(operation.id = %id, contents.kept = kept.len(), "rolled back");
                    }
                }
            }
        }
        Ok(claimed.len())
    }

    async fn unpin(&self, cid: &Cid) -> Result<Gone, StoreError> {
        let began = Instant::now();
        let holders = match self.store.begin_unpin(cid).await? {
            Unpin::At(holders) => holders,
            Unpin::InUse => return Ok(Gone::Kept),
            Unpin::Busy => return Ok(Gone::Busy),
        };
        let mut gone = Gone::Unpinned;
        for holder in holders {
            if began.elapsed() > IN_TIME {
                return Ok(Gone::Busy);
            }
            let outcome = self.providers.unpin(&holder, cid).await;
            metrics::unpinned(outcome.as_ref().map_or_else(|failure| failure.code.to_string(), |()| "ok".into()));
            self.store.unpin_ended(cid, &holder, outcome.is_ok()).await?;
            if let Err(failure) = outcome {
                tracing::warn!(content.cid = %cid, provider = holder, %failure, "not unpinned yet");
                gone = Gone::No(Failure { message: format!("at {holder}: {}", failure.message), ..failure });
            }
        }
        Ok(gone)
    }
}
