//! A pin provider that is called no more often than its plan allows, and not at all while it is down.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::{Cid, Failure, FailureClass};
use ipfs::{Content, PinError, PinProvider};
use resilience::{
    BreakerOpen, BreakerSettings, Budget, Endpoint, EndpointConfig, EndpointHealth, Fault, Lease, Rate, Traffic,
};
use tokio::time::{Instant, sleep};

/// Of a provider's budget this is left to uploads that somebody waits for.
const OTHERS_SHARE: f64 = 0.5;
/// Between two looks at the budget.
const PAUSE: Duration = Duration::from_millis(100);

/// A provider behind its breaker and within its budget.
pub(crate) struct Guarded<P> {
    endpoint: Arc<Endpoint<P>>,
    /// Leave that was taken and not used.
    spare: AtomicUsize,
}

/// Leave for one call, ahead of knowing whether there will be one. Unused, it goes back.
#[derive(Debug)]
pub(crate) struct Leave<'a>(&'a AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Leave<'_> {
    fn used(self) {
        std::mem::forget(self);
    }
}

/// Why a provider did not take a content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It was not asked.
    #[error(transparent)]
    Open(#[from] BreakerOpen),
    /// It was.
    #[error(transparent)]
    Failed(#[from] PinError),
}

impl Refusal {
    pub fn failure(&self) -> Failure {
        match self {
            Self::Open(open) => Failure::new(FailureClass::Outage, "pin-provider-down", open),
            Self::Failed(error) => error.failure(),
        }
    }

    /// Whether the same provider may take the same content in a moment.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Open(_) => false,
            Self::Failed(error) => error.class() != FailureClass::Permanent,
        }
    }

    /// How long the provider asked to be left alone.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Open(_) => None,
            Self::Failed(error) => error.retry_after(),
        }
    }

    /// Whether the same provider will refuse the next content too, whatever it says of its own state; none where only it
    /// can tell.
    pub const fn is_down(&self) -> Option<bool> {
        match self {
            Self::Open(_) => Some(true),
            Self::Failed(error) => match error {
                // Our account, its address, or its store is not what it should be.
                PinError::KeyRefused { .. } | PinError::Misplaced { .. } | PinError::OtherCid { .. } => Some(true),
                PinError::RateLimited { .. } | PinError::Rejected { .. } => Some(false),
                PinError::TimedOut | PinError::Unreachable(_) | PinError::Broken(_) | PinError::Server { .. } => None,
            },
        }
    }
}

/// What it says of the provider. Only a rate limit is for the budget: one that is down for a while must not hold back what
/// a backup can take.
fn fault(error: &PinError) -> Fault {
    let limited = error.class() == FailureClass::RateLimited;
    Fault { class: error.class(), code: error.code().into(), retry_after: error.retry_after().filter(|_| limited) }
}

impl<P> fmt::Debug for Guarded<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl<P: PinProvider> Guarded<P> {
    pub fn new(provider: P, rate: Rate, breaker: BreakerSettings) -> Self {
        let config = EndpointConfig {
            label: provider.name().into(),
            client: provider,
            region: None,
            emergency: false,
            reads: rate,
            sends: rate,
        };
        Self { endpoint: Endpoint::alone(config, breaker), spare: AtomicUsize::new(0) }
    }

    pub fn name(&self) -> &'static str {
        self.endpoint.client().name()
    }

    pub fn is_open(&self) -> bool {
        !self.endpoint.breaker().state().admits(Instant::now(), false)
    }

    pub fn health(&self) -> EndpointHealth {
        self.endpoint.health()
    }

    /// Waits until a call may be made. One that is not going to be made needs no leave.
    pub async fn leave(&self) -> Leave<'_> {
        let one_less = |spare: usize| spare.checked_sub(1);
        if self.spare.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_err() {
            self.budget().take().await;
        }
        Leave(&self.spare)
    }

    /// Leave for a call that nobody waits for: half of the budget is left to those whose uploads somebody does.
    pub async fn idle_leave(&self) -> Leave<'_> {
        while self.budget().headroom() < OTHERS_SHARE {
            sleep(PAUSE).await;
        }
        self.leave().await
    }

    /// Pins a content, unless the breaker is open.
    pub async fn pin(&self, content: &Content, leave: Leave<'_>) -> Result<(), Refusal> {
        let call = self.begin(leave)?;
        let answer = call.client().pin(content).await;
        judged(call, answer)
    }

    /// Unpins a content, unless the breaker is open.
    pub async fn unpin(&self, cid: &Cid, leave: Leave<'_>) -> Result<(), Refusal> {
        let call = self.begin(leave)?;
        let answer = call.client().unpin(cid).await;
        judged(call, answer)
    }

    fn begin(&self, leave: Leave<'_>) -> Result<Lease<P>, BreakerOpen> {
        let call = self.endpoint.begin(Traffic::Send)?;
        leave.used();
        Ok(call)
    }

    /// Asks the provider how it is. A good answer lets an open breaker try a call.
    pub async fn status(&self) -> Result<(), PinError> {
        let status = self.endpoint.client().status().await;
        if status.is_ok() {
            self.endpoint.breaker().probed_well();
        }
        status
    }

    fn budget(&self) -> &Budget {
        self.endpoint.budget(Traffic::Send)
    }
}

/// What an answer says of the provider is told to its breaker.
fn judged<P>(call: Lease<P>, answer: Result<(), PinError>) -> Result<(), Refusal> {
    match &answer {
        Ok(()) => call.succeeded(),
        Err(error) => call.failed(fault(error)),
    }
    answer.map_err(Refusal::Failed)
}
