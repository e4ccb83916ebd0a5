//! A pin provider that is called no more often than its plan allows, and not at all while it is down.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::{Failure, FailureClass};
use ipfs::{Content, PinError, PinProvider};
use resilience::{Breaker, BreakerOpen, BreakerSettings, Budget, Rate};
use tokio::time::Instant;

/// A provider behind its breaker and within its budget.
pub(crate) struct Guarded<P> {
    provider: P,
    pub breaker: Breaker,
    pub budget: Budget,
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

impl<P> fmt::Debug for Guarded<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("breaker", &self.breaker).finish_non_exhaustive()
    }
}

impl<P: PinProvider> Guarded<P> {
    pub fn new(provider: P, rate: Rate, breaker: BreakerSettings) -> Self {
        let breaker = Breaker::new(provider.name(), breaker);
        Self { provider, breaker, budget: Budget::new(rate), spare: AtomicUsize::new(0) }
    }

    pub fn name(&self) -> &'static str {
        self.provider.name()
    }

    pub fn is_open(&self) -> bool {
        !self.breaker.state().admits(Instant::now(), false)
    }

    /// Waits until a call may be made. One that is not going to be made needs no leave.
    pub async fn leave(&self) -> Leave<'_> {
        let one_less = |spare: usize| spare.checked_sub(1);
        if self.spare.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_err() {
            self.budget.take().await;
        }
        Leave(&self.spare)
    }

    /// Pins a content, unless the breaker is open.
    pub async fn pin(&self, content: &Content, leave: Leave<'_>) -> Result<(), Refusal> {
        let permit = self.breaker.admit()?;
        leave.used();
        let begun = Instant::now();
        let Err(error) = self.provider.pin(content).await else {
            permit.succeeded(begun.elapsed());
            return Ok(());
        };
        permit.failed(error.class());
        if let PinError::RateLimited { retry_after } = error {
            self.budget.rate_limited(retry_after);
        }
        Err(error.into())
    }

    /// Asks the provider how it is. A good answer lets an open breaker try a call.
    pub async fn status(&self) -> Result<(), PinError> {
        let status = self.provider.status().await;
        if status.is_ok() {
            self.breaker.probed_well();
        }
        status
    }
}
