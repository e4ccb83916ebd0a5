//! Runs a processor over deliveries: thousands at once, lane by lane, each until its work is durable.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, Failure, OperationId, Record};
use futures::FutureExt;
use resilience::Jitter;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::admission::Admission;
use crate::assignment::{Assignment, Delivery};
use crate::dead_letter::DeadLetter;
use crate::flood::FloodGuard;
use crate::lanes::Lanes;
use crate::metrics;
use crate::ports::{EventSink, Partition};
use crate::processor::{Disposition, Halt, Processor, Trouble};
use crate::publisher::Publisher;
use crate::tries::Tries;
use crate::work::Work;

/// One consumer group's work in this process.
#[derive(Debug)]
pub struct Runner<P, E, C> {
    /// What is done with a record.
    pub processor: Arc<P>,
    /// Where dead letters go.
    pub publisher: Arc<Publisher<E>>,
    /// What this process owns.
    pub assignment: Arc<Assignment>,
    /// Who may be at work.
    pub admission: Admission,
    /// What keeps a flood of poison from the dead letters.
    pub floods: Arc<FloodGuard>,
    /// Consumer group.
    pub group: String,
    /// The time of day.
    pub clock: C,
    /// Randomness of the pauses.
    pub jitter: Arc<Jitter>,
    /// Ends the taking of new records, and every pause.
    pub stop: CancellationToken,
}

/// A process that cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fatal(pub String);

impl<P: Processor, E: EventSink, C: Clock> Runner<P, E, C> {
    /// Runs until `stop`, then drains for at most `grace`. What is unfinished then stays uncommitted and comes again.
    ///
    /// # Errors
    /// [`Fatal`] when the process is broken and has to end.
    pub async fn run(self, mut deliveries: mpsc::UnboundedReceiver<Delivery>, grace: Duration) -> Result<(), Fatal> {
        let runner = Arc::new(self);
        let mut lanes = Lanes::default();
        let mut running = JoinSet::new();
        loop {
            tokio::select! {
                // In this order, so that a run under a seed is the same again; lanes that end make room first.
                biased;
                () = runner.stop.cancelled() => break,
                Some(ended) = running.join_next() => {
                    if let Some(next) = runner.ended(ended, &mut lanes)? {
                        running.spawn(Arc::clone(&runner).carry(next));
                    }
                }
                delivery = deliveries.recv() => match delivery {
                    None => break,
                    Some(delivery) => {
                        let entered = match runner.processor.lane(&delivery.record) {
                            Some(lane) => lanes.enter(&lane, delivery),
                            None => Some(delivery),
                        };
                        if let Some(delivery) = entered {
                            running.spawn(Arc::clone(&runner).carry(delivery));
                        }
                    }
                },
            }
        }
        let drained = tokio::time::timeout(grace, async {
            while let Some(ended) = running.join_next().await {
                runner.ended(ended, &mut lanes)?;
            }
            Ok(())
        });
        drained.await.unwrap_or_else(|_| {
            let unfinished = runner.assignment.in_hand();
            tracing::warn!(step = P::NAME, unfinished, "grace period over; what is unfinished comes again");
            Ok(())
        })
    }

    fn ended(
        &self,
        ended: Result<Result<Record, Fatal>, tokio::task::JoinError>,
        lanes: &mut Lanes<Delivery>,
    ) -> Result<Option<Delivery>, Fatal> {
        let record = ended.map_err(|error| Fatal(error.to_string()))??;
        Ok(self.processor.lane(&record).and_then(|lane| lanes.leave(&lane)))
    }

    /// Carries one record to its end, and gives it back.
    async fn carry(self: Arc<Self>, Delivery { record, ticket }: Delivery) -> Result<Record, Fatal> {
        if !self.assignment.holds(&ticket) {
            return Ok(record);
        }
        match self.until_durable(&record, ticket.partition()).await {
            Ok(()) => {
                self.assignment.finished(&ticket);
                Ok(record)
            }
            Err(Halt::Stopping) => Ok(record),
            Err(Halt::Fatal(reason)) => Err(Fatal(reason)),
        }
    }

    async fn until_durable(&self, record: &Record, partition: &Partition) -> Result<(), Halt> {
        let mut tries = Tries::new(Arc::clone(&self.jitter));
        loop {
            let (failure, pause) = match self.attempt(record, &tries).await {
                Ok(Disposition::Done) => {
                    self.floods.good(partition);
                    metrics::done(P::NAME);
                    return Ok(());
                }
                Ok(Disposition::PutOff { failure, wait }) => {
                    metrics::put_off(P::NAME, &failure);
                    log_put_off(P::NAME, record, &failure, wait);
                    return Ok(());
                }
                Ok(Disposition::DeadLetter { failure, operation, attempts }) => {
                    let dammed = self.floods.poison(partition);
                    self.stop.run_until_cancelled(dammed).await.ok_or(Halt::Stopping)?;
                    return self.put_aside(record, &failure, operation, attempts, &tries).await;
                }
                Err(Trouble::Halt(halt)) => return Err(halt),
                Err(Trouble::Again { failure, pause }) => (failure, pause),
            };
            tries.note(self.clock.now());
            metrics::retried(P::NAME, &failure);
            log_retry(P::NAME, record, &failure, &tries);
            tokio::select! {
                biased;
                () = tokio::time::sleep(pause) => {}
                () = self.stop.cancelled() => return Err(Halt::Stopping),
            }
        }
    }

    /// One try, once there is a place for it. A panic in it is a bug of ours and must not stop the neighbours: it is tried
    /// again like any trouble.
    async fn attempt(&self, record: &Record, tries: &Tries) -> Result<Disposition, Trouble> {
        let _place = self.admission.enter(self.processor.priority(record), Work::of(record, tries)).await;
        // In a box, so that what waits for its place does not carry room for the work.
        let attempt = Box::pin(AssertUnwindSafe(self.processor.attempt(record, tries)).catch_unwind());
        attempt.await.unwrap_or_else(|_| Err(tries.again(panicked())))
    }

    async fn put_aside(
        &self,
        record: &Record,
        failure: &Failure,
        operation: Option<OperationId>,
        attempts: u32,
        tries: &Tries,
    ) -> Result<(), Halt> {
        let letter = DeadLetter {
            record,
            failure,
            operation,
            group: &self.group,
            step: P::NAME,
            attempts,
            first_failed_at: tries.first_failed_at().unwrap_or_else(|| self.clock.now()),
        };
        self.publisher.publish_dead_letter(&letter).await?;
        metrics::dead_lettered(P::NAME, failure);
        tracing::warn!(
            step = P::NAME,
            kafka.topic = record.topic,
            kafka.partition = record.partition,
            kafka.offset = record.offset,
            operation.id = operation.map(tracing::field::display),
            failure.code = %failure.code,
            failure.message = failure.message,
            "dead letter"
        );
        Ok(())
    }
}

/// What a bug of ours is to the operation that met it: the log has the rest.
pub fn panicked() -> Failure {
    Failure::transient("panicked", "a bug: see the log")
}

/// The first failure of a record is news; the rest is for whoever looks closer.
fn log_retry(step: &str, record: &Record, failure: &Failure, tries: &Tries) {
    let (topic, partition, offset) = (&record.topic, record.partition, record.offset);
    let Failure { code, message, .. } = failure;
    if tries.failed() == 1 {
        tracing::warn!(step, topic, partition, offset, failure.code = %code, failure.message = message, "trying again");
    } else {
        let tries = tries.failed();
        tracing::debug!(step, topic, partition, offset, tries, failure.code = %code, "trying again");
    }
}

/// Told once in its lane, a failure is no news any more when the row takes over.
fn log_put_off(step: &str, record: &Record, failure: &Failure, wait: Duration) {
    let (topic, partition, offset) = (&record.topic, record.partition, record.offset);
    let Failure { code, message, .. } = failure;
    let wait_seconds = wait.as_secs();
    tracing::debug!(
        step, topic, partition, offset, wait_seconds, failure.code = %code, failure.message = message, "put off"
    );
}
