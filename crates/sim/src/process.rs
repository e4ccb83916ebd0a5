//! One worker process, put together as `service` does it, over simulated ports. The steps and all of the engine are the
//! workers' own.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::{Priority, Step, Topic};
use engine::{
    Admission, Assignment, Batches, Consumption, FloodGuard, FloodLimit, Intake, Processor, Publisher, Redrive,
    RowOutbox, Runner, StepHandler, StepProcessor, Sweeper, Telling, Upkeep, Window,
};
use mint_submitter::Minter;
use resilience::Jitter;
use secrecy::SecretBox;
use service::hold_while_closed;
use solana::{KeyError, KeypairSigner, MasterSecret, MasterSecrets, MintSigner, Mints, Payers, Signer, TokenMetadata};
use solana_sdk::signature::Keypair;
use testkit::{Crash, MemoryStore};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use verifier::Verifier;

use crate::broker::{Consumer, SimBacklog, SimSink};
use crate::chain;
use crate::dice;
use crate::ipfs::Ipfs;
use crate::life::Life;
use crate::mistakes::{Careless, Mistake, MistakenChain, MistakenStore, Skipping};
use crate::store::SimStore;
use crate::world::World;

const GRACE: Duration = Duration::from_secs(1);
const RETRY_PERCENT: u8 = 30;
const FLOOD: FloodLimit = FloodLimit { records: 500, percent: 50 };

/// The three workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// Takes events in, and pins.
    Uploader,
    /// Mints.
    Submitter,
    /// Verifies.
    Verifier,
}

impl Worker {
    /// Every worker.
    pub const ALL: [Self; 3] = [Self::Uploader, Self::Submitter, Self::Verifier];

    /// Its name in the timeline.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uploader => "uploader",
            Self::Submitter => "submitter",
            Self::Verifier => "verifier",
        }
    }
}

/// A running process: dropped, it is gone.
pub struct Process<'a> {
    world: &'a World,
    life: Arc<Life>,
    seed: u64,
    store: Arc<MistakenStore>,
    batches: Arc<Batches>,
    jitter: Arc<Jitter>,
    telling: Telling<SimSink>,
    tasks: JoinSet<()>,
}

impl<'a> Process<'a> {
    /// Starts a worker.
    ///
    /// # Errors
    /// Endpoints that make no sense.
    pub fn start(world: &'a World, worker: Worker, life: &Arc<Life>) -> anyhow::Result<Self> {
        let seed = dice::number(world.seed, &life.name);
        let store = SimStore::new(&world.tables, life);
        let store = Arc::new(MistakenStore::new(store, world.mistake));
        let jitter = Arc::new(Jitter::from_seed(seed));
        let sink = Arc::new(SimSink { broker: Arc::clone(&world.broker), life: Arc::clone(life) });
        let publisher = Arc::new(Publisher::new(sink, Arc::clone(&jitter), CancellationToken::new()));
        let source = format!("/{}", worker.as_str());
        let mut process = Self {
            world,
            seed,
            batches: Arc::new(Batches::new(&store)),
            life: Arc::clone(life),
            store,
            jitter,
            telling: Telling { publisher, source, topic_prefix: String::new() },
            tasks: JoinSet::new(),
        };
        match worker {
            Worker::Uploader => process.upload(),
            Worker::Submitter => process.submit()?,
            Worker::Verifier => process.verify()?,
        }
        Ok(process)
    }

    fn upload(&mut self) {
        let group = "intake".to_owned();
        let intake = Intake::new(Arc::clone(&self.batches), self.telling.clone(), group, self.world.clock);
        self.consume(vec![Topic::Operations.name("")], intake, &Assignment::new(Window::default()));
        self.step(self.ipfs(), vec![]);
    }

    fn submit(&mut self) -> anyhow::Result<()> {
        let (world, mistake) = (self.world, self.world.mistake);
        let endpoints = chain::endpoints(&world.chain, &self.life, self.seed)?;
        self.tasks.spawn(Arc::clone(&endpoints).watch_over());
        let chain = MistakenChain::start(Arc::clone(&endpoints), mistake);
        // No upgrade is ordered here, so no burn is asked for.
        let burns = Arc::new(MemoryStore::new(Arc::clone(&world.tables), Crash::never().into()));
        let mints = Mints::new(signer()?, TokenMetadata);
        let minter = Minter::new(chain, mints, burns, world.clock);
        let careless = Careless::new(minter, Arc::clone(&endpoints), Arc::clone(&self.life), mistake);
        self.step(careless, vec![endpoints.open()]);
        Ok(())
    }

    fn verify(&mut self) -> anyhow::Result<()> {
        let endpoints = chain::endpoints(&self.world.chain, &self.life, self.seed).context("endpoints")?;
        self.tasks.spawn(Arc::clone(&endpoints).watch_over());
        let chain = MistakenChain::start(Arc::clone(&endpoints), None);
        self.step(Verifier::new(chain, self.ipfs(), signer()?.payers().addresses().collect()), vec![endpoints.open()]);
        Ok(())
    }

    fn ipfs(&self) -> Ipfs {
        let store = SimStore::new(&self.world.tables, &self.life);
        Ipfs { pins: Arc::clone(&self.world.pins), life: Arc::clone(&self.life), store }
    }

    /// The requests of one step, and what is kept up beside them.
    fn step<H: StepHandler>(&mut self, handler: H, gates: Vec<watch::Receiver<bool>>) {
        let (store, batches, telling) = (Arc::clone(&self.store), Arc::clone(&self.batches), self.telling.clone());
        let processor = StepProcessor::new(Arc::new(handler), store, batches, telling);
        let processor = Skipping::new(processor, Arc::clone(&self.batches), self.world.mistake);
        let topics = Priority::ALL.map(|priority| Topic::Requests(H::STEP, priority).name(""));
        let assignment = Assignment::new(Window::default());
        self.consume(topics.to_vec(), processor, &assignment);
        self.tasks.spawn(hold_while_closed(Arc::clone(&assignment), gates, H::STEP.to_string()));
        self.keep_up(H::STEP, assignment);
    }

    fn keep_up(&mut self, step: Step, assignment: Arc<Assignment>) {
        let backlog = Arc::new(SimBacklog {
            broker: Arc::clone(&self.world.broker),
            group: step.to_string(),
            life: Arc::clone(&self.life),
        });
        let store = &self.store;
        let outbox = || RowOutbox { store: Arc::clone(store), telling: self.telling.clone(), step: step.as_str() };
        let (of_backlog, of_assignment) = (Arc::clone(&backlog), Arc::clone(&assignment));
        let held = Arc::clone(&assignment);
        let upkeep = Upkeep {
            redrive: Redrive::new(step, outbox(), Arc::clone(&assignment)),
            consumption: Consumption::new(Arc::clone(store), of_backlog, of_assignment, self.world.clock),
            sweeper: Sweeper { step, outbox: outbox(), backlog, assignment, may_sweep: move || !held.is_held() },
        };
        self.tasks.spawn(upkeep.run());
    }

    fn consume<P: Processor>(&mut self, topics: Vec<String>, processor: P, assignment: &Arc<Assignment>) {
        let (deliveries, delivered) = mpsc::unbounded_channel();
        let runner = Runner {
            processor: Arc::new(processor),
            publisher: Arc::clone(&self.telling.publisher),
            assignment: Arc::clone(assignment),
            admission: Admission::new(P::AT_ONCE, RETRY_PERCENT),
            floods: FloodGuard::new(FLOOD),
            group: P::NAME.to_owned(),
            clock: self.world.clock,
            jitter: Arc::clone(&self.jitter),
            stop: CancellationToken::new(),
        };
        let life = Arc::clone(&self.life);
        self.tasks.spawn(async move {
            if let Err(fatal) = runner.run(delivered, GRACE).await {
                life.note(format!("is broken: {fatal}"));
                life.die();
            }
        });
        let consumer = Consumer {
            broker: Arc::clone(&self.world.broker),
            life: Arc::clone(&self.life),
            group: P::NAME.to_owned(),
            topics,
            assignment: Arc::clone(assignment),
            deliveries,
            stores_first: self.world.mistake == Some(Mistake::StoresOffsetFirst),
        };
        self.tasks.spawn(consumer.run());
    }
}

/// The fleet's keys: every process has the same. Two payers share the operations.
///
/// # Errors
/// Never, as they are.
pub fn signer() -> Result<MintSigner, KeyError> {
    let payer = |byte| -> Arc<dyn Signer> { Arc::new(KeypairSigner::new(Keypair::new_from_array([byte; 32]))) };
    let master = MasterSecret::new("k1".into(), SecretBox::new(Box::new([7; 32])));
    Ok(MintSigner::of(Payers::new([1, 2].map(payer), &[])?, MasterSecrets::one(master)))
}
