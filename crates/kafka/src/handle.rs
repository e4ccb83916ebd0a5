//! What the process holds of its consumer.

use std::future::Future;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::error::Error;
use crate::fatal::{Fatal, FatalError};

/// How long leaving the group may take. The broker may be gone; the process has to end all the same.
const CLOSE_WITHIN: Duration = Duration::from_secs(15);

/// What the thread is to do. It only ever goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Fetching,
    Draining,
    Closing,
}

/// What thread and handle share.
#[derive(Debug)]
pub(crate) struct Control {
    phase: AtomicU8,
    turned: Mutex<Instant>,
}

impl Control {
    pub(crate) fn new() -> Self {
        Self { phase: AtomicU8::new(Phase::Fetching as u8), turned: Mutex::new(Instant::now()) }
    }

    pub(crate) fn advance(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::AcqRel);
    }

    pub(crate) fn phase(&self) -> Phase {
        let phase = self.phase.load(Ordering::Acquire);
        [Phase::Fetching, Phase::Draining].into_iter().find(|known| *known as u8 == phase).unwrap_or(Phase::Closing)
    }

    pub(crate) fn beat(&self) {
        *self.turned.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// Tells whether the consumer's thread still turns. Outlives the handle.
#[derive(Debug, Clone)]
pub struct Heartbeat(Arc<Control>);

impl Heartbeat {
    /// How long ago the thread last went round. It does so twenty times a second and more, whatever the brokers do.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.0.turned.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// A running consumer. Dropped without [`close`](Self::close), it leaves its group in the background.
#[derive(Debug)]
pub struct ConsumerHandle {
    control: Arc<Control>,
    fatal: Fatal,
    closed: Option<oneshot::Receiver<()>>,
}

impl ConsumerHandle {
    pub(crate) const fn new(control: Arc<Control>, fatal: Fatal, closed: oneshot::Receiver<()>) -> Self {
        Self { control, fatal, closed: Some(closed) }
    }

    /// Hands out no more records but stays in the group, so that what is in hand can be finished and committed.
    pub fn stop_fetching(&self) {
        self.control.advance(Phase::Draining);
    }

    /// Stores and commits what is finished, leaves the group and ends the thread. A static member does not say goodbye:
    /// its partitions wait for its return until its session ends.
    ///
    /// # Errors
    /// [`Error::CloseTimedOut`] after 15 s.
    pub async fn close(mut self) -> Result<(), Error> {
        self.control.advance(Phase::Closing);
        let Some(closed) = self.closed.take() else { return Ok(()) };
        // The sender is dropped without a word only by a thread that died: then it is over, too.
        tokio::time::timeout(CLOSE_WITHIN, closed).await.map(drop).map_err(|_| Error::CloseTimedOut(CLOSE_WITHIN))
    }

    /// For the liveness probe.
    #[must_use]
    pub fn heartbeat(&self) -> Heartbeat {
        Heartbeat(self.control.clone())
    }

    /// Ready when the consumer is broken for good, such as fenced by another process of its instance id: the process has
    /// to end. Never ready otherwise.
    pub fn fatal(&self) -> impl Future<Output = FatalError> + Send + 'static {
        self.fatal.wait()
    }
}

impl Drop for ConsumerHandle {
    fn drop(&mut self) {
        self.control.advance(Phase::Closing);
    }
}
