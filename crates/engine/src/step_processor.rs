//! The runner of one step: load, run, commit, tell. The uncommitted offset is the outbox.

use std::sync::Arc;

use domain::{Failure, Operation, OperationId, Record, State, StepRequest, Transition};
use futures::future::join;

use crate::batches::{Batches, Loaded};
use crate::ports::{Commit, Committed, EventSink, OperationStore, StoreError};
use crate::processor::{Disposition, Processor, Trouble};
use crate::step::{StepError, StepHandler};
use crate::telling::Telling;

/// Carries operations through the step of `H`.
#[derive(Debug)]
pub struct StepProcessor<H, S, E> {
    handler: Arc<H>,
    store: Arc<S>,
    batches: Arc<Batches>,
    telling: Telling<E>,
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

    async fn carry(&self, mut operation: Operation, spent: u32) -> Result<Disposition, Trouble> {
        let mut told = true;
        while Self::takes(&operation) {
            let run = self.handler.run(&operation);
            let answer = if told {
                run.await
            } else {
                let (status, answer) = join(self.telling.status(&operation), run).await;
                status?;
                answer
            };
            let transition = match answer {
                Ok(transition) => transition,
                Err(error) => self.judge(&operation, error, spent).await?,
            };
            operation = self.commit(operation, transition).await?;
            told = false;
        }
        self.telling.tell(&operation).await?;
        Ok(Self::ending(&operation))
    }

    /// Commits one transition and answers with the operation as it is then, whoever moved it.
    async fn commit(&self, operation: Operation, transition: Transition) -> Result<Operation, Trouble> {
        let next = operation.after(&transition, operation.updated_at);
        let next = next.map_err(|illegal| Trouble::Halt(crate::Halt::Fatal(illegal.to_string())))?;
        let id = operation.id;
        match self.batches.commit(Commit { operation, transition: transition.clone() }).await {
            Ok(Committed::At(updated_at)) => {
                tracing::info!(operation.id = %id, state = %next.state, version = next.version, "moved");
                Ok(Operation { updated_at, ..next })
            }
            Ok(Committed::Overtaken) => self.reload(id, next.version).await,
            Ok(Committed::NotPinned) => {
                self.handler.not_pinned(&transition);
                let reason = "a content that was pinned is not pinned any more";
                Err(Trouble::dependency(Failure::transient("content-not-pinned", reason)))
            }
            Err(error) => Err(self.watched(id, error.failure()).await),
        }
    }

    /// The operation as somebody else left it. Where nobody moved it the store refused the transition itself, and would
    /// again: that waits like any trouble.
    async fn reload(&self, id: OperationId, refused: i64) -> Result<Operation, Trouble> {
        let failure = match self.load(id).await?.operation {
            Some(Ok(operation)) if operation.version >= refused => return Ok(operation),
            Some(Ok(_)) => Failure::transient("transition-refused", "the store refuses what the step decided"),
            Some(Err(failure)) => failure,
            None => Failure::transient("operation-vanished", "its row is gone"),
        };
        Err(Trouble::dependency(failure))
    }

    /// What a step's error becomes: FAILED, where an operation may still fail; otherwise it is tried again.
    async fn judge(&self, operation: &Operation, error: StepError, spent: u32) -> Result<Transition, Trouble> {
        let may_fail = operation.state.may_become(State::Failed) && operation.open_attempt.is_none();
        match error {
            StepError::Dependency(failure) => Err(Trouble::dependency(failure)),
            StepError::Foreign { failure, attempts } if spent + 1 < attempts => {
                Err(Trouble::Again { failure, spends: true })
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
    async fn watched(&self, id: OperationId, failure: Failure) -> Trouble {
        if failure.is_permanent()
            && let Err(error) = self.store.flag(id, &failure.to_string()).await
        {
            tracing::warn!(operation.id = %id, %error, "not flagged for review, trying again");
        }
        Trouble::dependency(failure)
    }

    async fn load(&self, id: OperationId) -> Result<Loaded, Trouble> {
        self.batches.load(id).await.map_err(|error| match error {
            StoreError::Unavailable(failure) => Trouble::dependency(failure),
            error @ StoreError::Row { .. } => Trouble::dependency(error.failure()),
        })
    }

    /// Poison on a request topic: the operation it names, if it can be read, is put in front of a person too.
    async fn poison(&self, record: &Record, failure: Failure) -> Result<Disposition, Trouble> {
        let operation = domain::read_operation_id(record.value.as_deref());
        if let Some(id) = operation {
            let reason = format!("a request event about it is poison: {failure}");
            self.store.flag(id, &reason).await.map_err(|error| Trouble::dependency(error.failure()))?;
        }
        Ok(Disposition::DeadLetter { failure, operation })
    }

    /// The record of an operation that failed in this step goes to the dead letters.
    fn ending(operation: &Operation) -> Disposition {
        let failed_here = operation.failed_from.and_then(State::step) == Some(H::STEP);
        match &operation.failure {
            Some(failure) if operation.state == State::Failed && failed_here => {
                Disposition::DeadLetter { failure: failure.clone(), operation: Some(operation.id) }
            }
            _ => Disposition::Done,
        }
    }
}

impl<H: StepHandler, S: OperationStore, E: EventSink> Processor for StepProcessor<H, S, E> {
    const NAME: &'static str = H::STEP.as_str();

    fn lane(&self, record: &Record) -> Option<Vec<u8>> {
        record.key.clone()
    }

    async fn attempt(&self, record: &Record, spent: u32) -> Result<Disposition, Trouble> {
        let request = match StepRequest::parse(record.value.as_deref()) {
            Ok(request) => request,
            Err(failure) => return self.poison(record, failure).await,
        };
        let Loaded { now, operation } = self.load(request.operation_id).await?;
        match operation {
            None => self.poison(record, Failure::permanent("unknown-operation", "no operation of this id")).await,
            Some(Err(failure)) => self.poison(record, failure).await,
            Some(Ok(operation)) if Self::takes(&operation) && operation.next_attempt_at.is_some_and(|at| at > now) => {
                Ok(Disposition::Done)
            }
            Some(Ok(operation)) => self.carry(operation, spent).await,
        }
    }
}
