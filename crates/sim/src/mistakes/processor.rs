//! A mistake of whoever handles records, made before the engine's own processor sees them.

use std::sync::Arc;

use domain::{Priority, Record, StepRequest};
use engine::{Batches, Disposition, Processor, StepHandler, StepProcessor, Tries, Trouble};

use super::Mistake;
use crate::broker::SimSink;
use crate::mistakes::MistakenStore;

/// The engine's processor, or one that tells nobody of an operation that is past its step.
#[derive(Debug)]
pub struct Skipping<H> {
    inner: StepProcessor<H, MistakenStore, SimSink>,
    batches: Arc<Batches>,
    skips: bool,
}

impl<H: StepHandler> Skipping<H> {
    /// The processor itself, where that is not the mistake.
    #[must_use]
    pub fn new(
        inner: StepProcessor<H, MistakenStore, SimSink>,
        batches: Arc<Batches>,
        mistake: Option<Mistake>,
    ) -> Self {
        Self { inner, batches, skips: mistake == Some(Mistake::SkipsPublish) }
    }

    async fn is_past(&self, record: &Record) -> bool {
        let Ok(request) = StepRequest::parse(record.value.as_deref()) else { return false };
        match self.batches.load(request.operation_id).await.map(|loaded| loaded.operation) {
            Ok(Some(Ok(operation))) => operation.state.step() != Some(H::STEP),
            _ => false,
        }
    }
}

impl<H: StepHandler> Processor for Skipping<H> {
    const NAME: &'static str = <StepProcessor<H, MistakenStore, SimSink> as Processor>::NAME;
    const AT_ONCE: usize = H::AT_ONCE;

    fn priority(&self, record: &Record) -> Priority {
        self.inner.priority(record)
    }

    fn lane(&self, record: &Record) -> Option<Vec<u8>> {
        self.inner.lane(record)
    }

    async fn attempt(&self, record: &Record, tries: &Tries) -> Result<Disposition, Trouble> {
        if self.skips && self.is_past(record).await {
            return Ok(Disposition::Done);
        }
        self.inner.attempt(record, tries).await
    }
}
