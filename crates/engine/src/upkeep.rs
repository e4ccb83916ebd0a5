//! What a step's worker does beside its records: redrive, report, sweep, each at its own pace.

use std::future::Future;
use std::time::Duration;

use domain::Clock;
use tokio::time::{MissedTickBehavior, interval};

use crate::consumption::Consumption;
use crate::ports::{EventSink, OperationStore};
use crate::redrive::Redrive;
use crate::row_outbox::Interrupted;
use crate::row_ports::{Backlog, RowStore};
use crate::sweeper::Sweeper;

/// How late a due try may be.
const REDRIVE_EVERY: Duration = Duration::from_secs(1);
/// How often owners report. A report counts as fresh for three times as long.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// Nobody stands still for less than the 30 s that clocks are allowed.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// What is done again and again.
pub trait Round: Send {
    /// Does it once.
    ///
    /// # Errors
    /// [`Interrupted`]; the next round does what this one left.
    fn round(&mut self) -> impl Future<Output = Result<(), Interrupted>> + Send;
}

/// The tasks of one step in one process.
pub struct Upkeep<S, E, B, C, G> {
    /// Publishes what is due.
    pub redrive: Redrive<S, E>,
    /// Says how far records were consumed.
    pub consumption: Consumption<S, B, C>,
    /// Wakes what stands still.
    pub sweeper: Sweeper<S, E, B, G>,
}

impl<S, E, B, C, G> Upkeep<S, E, B, C, G>
where
    S: OperationStore + RowStore,
    E: EventSink,
    B: Backlog,
    C: Clock,
    G: Fn() -> bool + Send + Sync,
{
    /// Goes on until the process ends, whatever fails meanwhile. May be dropped at any await.
    pub async fn run(self) {
        let Self { redrive, consumption, sweeper } = self;
        tokio::join!(
            every(REDRIVE_EVERY, "redrive", redrive),
            every(REPORT_EVERY, "report", consumption),
            every(SWEEP_EVERY, "sweep", sweeper),
        );
    }
}

/// Repeats a round until it halts. The first failure in a row is news.
async fn every(period: Duration, name: &'static str, mut task: impl Round) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        ticks.tick().await;
        match task.round().await {
            Ok(()) => failing = false,
            Err(Interrupted::Halt(_)) => return,
            Err(error @ (Interrupted::Store(_) | Interrupted::Cluster(_))) => {
                if !failing {
                    tracing::warn!(task = name, %error, "broken off, trying again");
                }
                failing = true;
            }
        }
    }
}
