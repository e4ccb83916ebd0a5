//! The pin providers: one that is to hold everything, and those that stand in for it while it is down.

use std::sync::Arc;
use std::time::Duration;

use domain::{Cid, Failure, FailureClass};
use futures::future::join_all;
use ipfs::{Content, Flights, PinError, PinProvider};
use resilience::{BreakerSettings, Dependency, EndpointHealth, Rate};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::guarded::{Guarded, Refusal};
use crate::metrics;

/// How long an unpin waits for its turn: the ledger keeps uploads of the content away for five minutes, and not longer.
const LEAVE_TO_UNPIN: Duration = Duration::from_secs(20);
/// How often those that are out are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// One provider as it is to be used.
#[derive(Debug)]
pub struct ProviderSetup<P> {
    /// Who.
    pub provider: P,
    /// What its plan allows.
    pub rate: Rate,
}

/// The pin providers of a worker.
#[derive(Debug)]
pub struct Providers<P> {
    pub(crate) first: Arc<Guarded<P>>,
    backups: Vec<Guarded<P>>,
    asked: Flights<(), Result<(), PinError>>,
    line: Dependency,
    open: watch::Sender<bool>,
}

impl<P: PinProvider> Providers<P> {
    /// The first is to hold everything; `backups` stand in for it in their order. What is heard of them is written to
    /// `line`.
    #[must_use]
    pub fn new(
        first: ProviderSetup<P>,
        backups: Vec<ProviderSetup<P>>,
        breaker: BreakerSettings,
        line: Dependency,
    ) -> Arc<Self> {
        let guard = |setup: ProviderSetup<P>| Guarded::new(setup.provider, setup.rate, breaker);
        Arc::new(Self {
            first: Arc::new(guard(first)),
            backups: backups.into_iter().map(guard).collect(),
            asked: Flights::default(),
            line,
            open: watch::Sender::new(true),
        })
    }

    /// How every provider is, the first one first.
    #[must_use]
    pub fn health(&self) -> Vec<EndpointHealth> {
        self.all().map(Guarded::health).collect()
    }

    /// False while every provider is out: then there is no use in asking for anything to be pinned.
    #[must_use]
    pub fn open(&self) -> watch::Receiver<bool> {
        self.open.subscribe()
    }

    /// Looks after those that are out, for as long as it is polled: one that says it is well is tried again at once.
    pub async fn watch_over(self: Arc<Self>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let out: Vec<_> = self.all().filter(|provider| provider.is_open()).collect();
            self.tell(out.len() <= self.backups.len());
            join_all(out.into_iter().map(Guarded::status)).await;
        }
    }

    /// One of the backups takes what the first refused, if it is down. Answers with the name of who holds it.
    pub(crate) async fn fail_over(&self, content: &Content, refused: Refusal) -> Result<&'static str, Failure> {
        let mut failure = refused.failure();
        self.line.failed(failure.class, failure.code.clone());
        if self.backups.is_empty() || !self.is_first_down(&refused).await {
            return Err(failure);
        }
        for backup in &self.backups {
            let leave = backup.leave().await;
            match backup.pin(content, leave).await {
                Ok(()) => {
                    tracing::debug!(content.cid = %content.cid(), provider = backup.name(), reason = %failure, "failed over");
                    metrics::failed_over(backup.name());
                    self.line.good();
                    return Ok(backup.name());
                }
                Err(refusal) => failure.message = format!("{}; {}: {refusal}", failure.message, backup.name()),
            }
        }
        Err(failure)
    }

    /// Unpins a content at the provider of that name.
    pub(crate) async fn unpin(&self, name: &str, cid: &Cid) -> Result<(), Failure> {
        let Some(provider) = self.all().find(|provider| provider.name() == name) else {
            return Err(Failure::permanent("pin-provider-unknown", "it is not among the providers of this worker"));
        };
        let Ok(leave) = timeout(LEAVE_TO_UNPIN, provider.idle_leave()).await else {
            return Err(Failure::new(FailureClass::RateLimited, "pin-provider-busy", "uploads need all of its budget"));
        };
        provider.unpin(cid, leave).await.map_err(|refusal| refusal.failure())
    }

    /// The first one took a content.
    pub(crate) fn is_well(&self) {
        self.line.good();
    }

    async fn is_first_down(&self, refused: &Refusal) -> bool {
        if let Some(down) = refused.is_down() {
            return down;
        }
        let first = Arc::clone(&self.first);
        let status = self.asked.join((), || async move { first.status().await }).await;
        match status {
            Ok(()) | Err(PinError::RateLimited { .. }) => false,
            Err(
                PinError::TimedOut
                | PinError::Unreachable(_)
                | PinError::Broken(_)
                | PinError::Server { .. }
                | PinError::KeyRefused { .. }
                | PinError::Misplaced { .. }
                | PinError::Rejected { .. }
                | PinError::OtherCid { .. },
            ) => true,
        }
    }

    fn tell(&self, open: bool) {
        let changed = self.open.send_if_modified(|was| std::mem::replace(was, open) != open);
        if changed && open {
            tracing::info!("a pin provider is in use again");
        } else if changed {
            tracing::warn!("every pin provider is out: nothing is uploaded");
        }
    }

    fn all(&self) -> impl Iterator<Item = &Guarded<P>> {
        std::iter::once(&*self.first).chain(&self.backups)
    }
}
