//! The runner of one step: load, run, commit, tell. The uncommitted offset is the outbox.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{Failure, Operation, OperationId, Priority, Record, State, StepRequest, Topic, Transition};
use futures::FutureExt;
use futures::future::join;

use crate::batches::{Batches, Loaded};
use crate::ports::{Commit, Committed, EventSink, OperationStore, PutOff};
use crate::processor::{Disposition, Halt, Processor, Trouble};
use crate::runner::panicked;
use crate::step::{StepError, StepHandler};
use crate::telling::Telling;
use crate::tries::{Tries, Wait};

/// Carries operations through the step of `H`.
#[derive(Debug)]
pub struct StepProcessor<H, S, E> {
    handler: Arc<H>,
    store: Arc<S>,
    batches: Arc<Batches>,
    telling: Telling<E>,
}

/// Why an operation did not move.
enum Setback {
    /// Nothing more can be done in this process.
    Halt(Halt),
    /// Trouble of ours, for which no attempt is spent.
    Dependency(Failure),
    /// Somebody else's trouble: this was one attempt of those it gets.
    Foreign(Failure),
}

impl From<Halt> for Setback {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

impl<H: StepHandler, S: OperationStore, E: EventSink> StepProcessor<H, S, E> {
    /// Asks `handler` what happens to the operations that the records name.
    pub const fn new(handler: Arc<H>, store: Arc<S>, batches: Arc<Batches>, telling: Telling<E>) -> Self {
        Self { handler, store, batches, telling }
    }

    /// Whether the operation waits for this step.
    fn takes(operation: &Operation) -> bool {
        operation.state.step() == Some(H::STEP)
    }

    /// Carries an operation as far as this step takes it; `now` is the database's time at which it was loaded.
    async fn carry(&self, mut operation: Operation, now: DateTime<Utc>, tries: &Tries) -> Result<Disposition, Trouble> {
        let mut told = true;
        let mut attempts = 0;
        while Self::takes(&operation) {
            attempts = operation.attempts.unsigned_abs();
            operation = match self.advance(&operation, told).await {
                Ok(next) => next,
                Err(Setback::Halt(halt)) => return Err(halt.into()),
                Err(Setback::Dependency(failure)) => {
                    let wait = tries.of_dependency(&operation, now);
                    return self.put_off(operation, failure, false, wait, tries).await;
                }
                Err(Setback::Foreign(failure)) => {
                    let wait = tries.of_stranger(&operation);
                    return self.put_off(operation, failure, true, wait, tries).await;
                }
            };
            told = false;
        }
        self.telling.tell(&operation).await?;
        Ok(Self::ending(&operation, attempts + 1))
    }

    /// Runs the step once and commits what it answers, while the status that is still owed goes out.
    async fn advance(&self, operation: &Operation, told: bool) -> Result<Operation, Setback> {
        let run = AssertUnwindSafe(self.handler.run(operation)).catch_unwind();
        let answer = if told {
            run.await
        } else {
            let (status, answer) = join(self.telling.status(operation), run).await;
            status?;
            answer
        };
        let transition = match answer.unwrap_or_else(|_| Err(StepError::Dependency(panicked()))) {
            Ok(transition) => transition,
            Err(error) => self.judge(operation, error).await?,
        };
        self.commit(operation, transition).await
    }

    /// Commits one transition and answers with the operation as it is then, whoever moved it.
    async fn commit(&self, operation: &Operation, transition: Transition) -> Result<Operation, Setback> {
        let next = operation.after(&transition, operation.updated_at);
        let next = next.map_err(|illegal| Halt::Fatal(illegal.to_string()))?;
        let id = operation.id;
        match self.batches.commit(Commit { operation: operation.clone(), transition: transition.clone() }).await {
            Ok(Committed::At(updated_at)) => {
                tracing::info!(operation.id = %id, state = %next.state, version = next.version, "moved");
                Ok(Operation { updated_at, ..next })
            }
            Ok(Committed::Overtaken) => self.reload(id, next.version).await,
            Ok(Committed::NotPinned) => {
                self.handler.not_pinned(&transition);
                let reason = "a content that was pinned is not pinned any more";
                Err(Setback::Dependency(Failure::transient("content-not-pinned", reason)))
            }
            Err(error) => Err(self.watched(id, error.failure()).await),
        }
    }

    /// The operation as somebody else left it. Where nobody moved it the store refused the transition itself, and would
    /// again: that waits like any trouble.
    async fn reload(&self, id: OperationId, refused: i64) -> Result<Operation, Setback> {
        let loaded = self.batches.load(id).await.map_err(|error| Setback::Dependency(error.failure()))?;
        let failure = match loaded.operation {
            Some(Ok(operation)) if operation.version >= refused => return Ok(operation),
            Some(Ok(_)) => Failure::transient("transition-refused", "the store refuses what the step decided"),
            Some(Err(failure)) => failure,
            None => Failure::transient("operation-vanished", "its row is gone"),
        };
        Err(Setback::Dependency(failure))
    }

    /// What a step's error becomes: FAILED, where an operation may still fail; otherwise it is tried again.
    async fn judge(&self, operation: &Operation, error: StepError) -> Result<Transition, Setback> {
        let may_fail = operation.state.may_become(State::Failed) && operation.open_attempt.is_none();
        match error {
            StepError::Dependency(failure) => Err(Setback::Dependency(failure)),
            StepError::Foreign { failure, attempts } if operation.attempts.unsigned_abs() + 1 < attempts => {
                Err(Setback::Foreign(failure))
            }
            StepError::Foreign { failure, .. } | StepError::Permanent(failure) if may_fail => {
                Ok(Transition::Failed { failure, decided: None })
            }
            StepError::Foreign { failure, .. } | StepError::Permanent(failure) => {
                Err(self.watched(operation.id, failure).await)
            }
        }
    }

    /// For what cannot fail any more, or not yet: put in front of a person and tried again all the same.
    async fn watched(&self, id: OperationId, failure: Failure) -> Setback {
        if failure.is_permanent()
            && let Err(error) = self.store.flag(id, &failure.to_string()).await
        {
            tracing::warn!(operation.id = %id, %error, "not flagged for review, trying again");
        }
        Setback::Dependency(failure)
    }

    /// A try that counts is recorded at once, so that no crash gives it back; one that does not, only where the row takes
    /// the wait over. Where the row cannot, or is not as it was, the record stays in its lane and looks again.
    ///
    /// The status goes out when the row takes over for the first time: it may be the one that a crash kept back, and the
    /// next transition may be far off.
    async fn put_off(
        &self,
        operation: Operation,
        failure: Failure,
        spends: bool,
        wait: Wait,
        tries: &Tries,
    ) -> Result<Disposition, Trouble> {
        let in_row = match wait {
            Wait::InLane(pause) if !spends => return Err(Trouble::Again { failure, pause }),
            Wait::InLane(_) => None,
            Wait::InRow(wait) => Some(wait),
        };
        let delayed = Operation { failure: Some(failure.clone()), ..operation.clone() };
        let first = operation.failure.is_none();
        let recorded = self.batches.put_off(PutOff { operation, failure: failure.clone(), spends, wait: in_row }).await;
        match (recorded, wait) {
            (Ok(true), Wait::InRow(wait)) => {
                if first {
                    self.telling.status(&delayed).await?;
                }
                Ok(Disposition::PutOff { failure, wait })
            }
            (Ok(true), Wait::InLane(pause)) => Err(Trouble::Again { failure, pause }),
            (Ok(false), _) => Err(tries.again(failure)),
            (Err(error), _) => Err(tries.again(error.failure())),
        }
    }

    /// Poison on a request topic: the operation it names, if it can be read, is put in front of a person too.
    async fn poison(&self, record: &Record, failure: Failure, tries: &Tries) -> Result<Disposition, Trouble> {
        let operation = domain::read_operation_id(record.value.as_deref());
        if let Some(id) = operation {
            let reason = format!("a request event about it is poison: {failure}");
            self.store.flag(id, &reason).await.map_err(|error| tries.again(error.failure()))?;
        }
        Ok(Disposition::DeadLetter { failure, operation, attempts: 1 })
    }

    /// The record of an operation that failed in this step goes to the dead letters.
    fn ending(operation: &Operation, attempts: u32) -> Disposition {
        let failed_here = operation.failed_from.and_then(State::step) == Some(H::STEP);
        match &operation.failure {
            Some(failure) if operation.state == State::Failed && failed_here => {
                Disposition::DeadLetter { failure: failure.clone(), operation: Some(operation.id), attempts }
            }
            _ => Disposition::Done,
        }
    }
}

impl<H: StepHandler, S: OperationStore, E: EventSink> Processor for StepProcessor<H, S, E> {
    const NAME: &'static str = H::STEP.as_str();
    const AT_ONCE: usize = H::AT_ONCE;

    fn priority(&self, record: &Record) -> Priority {
        Topic::priority_of(&record.topic)
    }

    fn lane(&self, record: &Record) -> Option<Vec<u8>> {
        record.key.clone()
    }

    async fn attempt(&self, record: &Record, tries: &Tries) -> Result<Disposition, Trouble> {
        let request = match StepRequest::parse(record.value.as_deref()) {
            Ok(request) => request,
            Err(failure) => return self.poison(record, failure, tries).await,
        };
        let loaded = self.batches.load(request.operation_id).await;
        let Loaded { now, operation } = loaded.map_err(|error| tries.again(error.failure()))?;
        match operation {
            None => {
                let unknown = Failure::permanent("unknown-operation", "no operation of this id");
                self.poison(record, unknown, tries).await
            }
            Some(Err(failure)) => self.poison(record, failure, tries).await,
            Some(Ok(operation)) if Self::takes(&operation) && operation.next_attempt_at.is_some_and(|at| at > now) => {
                self.telling.status(&operation).await?;
                Ok(Disposition::Done)
            }
            Some(Ok(operation)) => self.carry(operation, now, tries).await,
        }
    }
}
