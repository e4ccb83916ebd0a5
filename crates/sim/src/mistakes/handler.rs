//! Mistakes of the mint step, made around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::{DecidedAttempt, Failure, Operation, OperationId, State, Step, Transition, Verdict};
use engine::{StepError, StepHandler};
use mint_submitter::Minter;
use solana::{Chain, Cluster, Endpoints, FeePolicy, TokenMetadata};
use testkit::{MemoryStore, TestClock};
use tokio::time::timeout;

use super::{Mistake, MistakenChain};
use crate::life::Life;

/// After which an operation is called failed, where that is the mistake.
const TOO_LONG: Duration = Duration::from_secs(20);
/// Ids from which no operation is made: from them fresh keys are derived.
const NOBODY: u64 = 1 << 40;

/// The mint step on the simulated ports.
pub type SimMinter = Minter<MistakenChain, TokenMetadata, TestClock, MemoryStore>;

/// The mint step, as somebody careless would run it.
#[derive(Debug)]
pub struct Careless {
    minter: SimMinter,
    outside: Cluster,
    life: Arc<Life>,
    tries: AtomicU64,
    mistake: Option<Mistake>,
}

impl Careless {
    /// The step itself, where there is no mistake.
    #[must_use]
    pub fn new(minter: SimMinter, endpoints: Arc<Endpoints>, life: Arc<Life>, mistake: Option<Mistake>) -> Self {
        Self { minter, outside: Cluster::start(endpoints, FeePolicy::NOTHING), life, tries: AtomicU64::new(0), mistake }
    }

    /// Signs, and sends at once: whether it comes on record is seen afterwards.
    async fn send_first(&self, operation: &Operation) -> Result<Transition, StepError> {
        let transition = self.minter.run(operation).await?;
        if let Transition::Submitted { attempt, .. } = &transition {
            self.outside.send(attempt, operation.priority, 0, true).await;
        }
        Ok(transition)
    }

    /// Each try under a key of its own. The row keeps the first address, for it can have only one.
    async fn under_a_fresh_key(&self, operation: &Operation) -> Result<Transition, StepError> {
        let disguised = Operation { id: self.nobody(), mint_address: None, ..operation.clone() };
        let mut transition = self.minter.run(&disguised).await?;
        if let (Transition::Submitted { mint, .. } | Transition::Confirmed { mint, .. }, Some(first)) =
            (&mut transition, operation.mint_address)
        {
            *mint = first;
        }
        Ok(transition)
    }

    /// What takes too long has failed, and its attempt is called expired.
    async fn fail_undecided(&self, operation: &Operation) -> Result<Transition, StepError> {
        match (timeout(TOO_LONG, self.minter.run(operation)).await, &operation.open_attempt) {
            (Ok(answer), _) => answer,
            (Err(_), Some(open)) if operation.state == State::BlockchainSubmitted => {
                let decided = Some(DecidedAttempt { signature: open.signature, verdict: Verdict::Expired });
                let failure = Failure::transient("mint-too-slow", "it took too long");
                Ok(Transition::Failed { failure, decided })
            }
            (Err(_), _) => Err(StepError::Dependency(Failure::transient("mint-too-slow", "again"))),
        }
    }

    fn nobody(&self) -> OperationId {
        let own = self.life.dice.below(NOBODY);
        testkit::operation_id(NOBODY + own + self.tries.fetch_add(1, Ordering::Relaxed))
    }
}

impl StepHandler for Careless {
    const STEP: Step = Step::Mint;
    const AT_ONCE: usize = <SimMinter as StepHandler>::AT_ONCE;

    async fn run(&self, operation: &Operation) -> Result<Transition, StepError> {
        match self.mistake {
            Some(Mistake::StoresAfterSend) => self.send_first(operation).await,
            Some(Mistake::FreshKeyPerRetry) => self.under_a_fresh_key(operation).await,
            Some(Mistake::FailsUndecided) => self.fail_undecided(operation).await,
            Some(
                Mistake::SignsAfterNullStatus
                | Mistake::SignsAfterInvalidBlockhash
                | Mistake::ReadsStatusBeforeHeight
                | Mistake::StoresOffsetFirst
                | Mistake::SkipsPublish
                | Mistake::NoGuard
                | Mistake::InsertsAfterFailed,
            )
            | None => self.minter.run(operation).await,
        }
    }
}
