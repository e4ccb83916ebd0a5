//! One run: a world from a seed, and what became of it.

use std::sync::Arc;
use std::time::Duration;

use domain::{Failure, OperationId, State, Step, Topic, Transition};
use engine::{Commit, OperationStore};
use testkit::{Tables, TestClock, operation_id};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use crate::api;
use crate::broker::Broker;
use crate::chain::{BLOCKHASH_LIFE, Chain, FINALITY};
use crate::dice::Dice;
use crate::ipfs::Pins;
use crate::life::Life;
use crate::mistakes::Mistake;
use crate::process::{Process, Worker};
use crate::referee::{self, Verdict};
use crate::store::SimStore;
use crate::timeline::{Entry, Timeline};
use crate::weather::{Sky, Weather};

/// How long everything may take once nothing goes wrong any more: retries, expiries, sweeps, whatever wakes by itself.
const UNTIL_STUCK: Duration = Duration::from_hours(2);
/// Between looks.
const LOOK: Duration = Duration::from_secs(2);
/// How long the last positions may take to be committed.
const LAST_COMMITS: Duration = Duration::from_mins(2);
/// What a process takes to be started again.
const RESTART: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(20));
/// How long a slot takes.
const SLOT: Duration = Duration::from_millis(400);
/// Between a person's looks.
const PERSON_LOOKS: Duration = Duration::from_secs(5);

/// What is run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Everything follows from it.
    pub seed: u64,
    /// Operations asked for.
    pub operations: u64,
    /// What goes wrong; the seed's own where it is none.
    pub weather: Option<Weather>,
    /// The mistake that is made.
    pub mistake: Option<Mistake>,
}

/// What became of a run.
#[derive(Debug)]
pub struct Ended {
    /// What was run.
    pub run: Run,
    /// What the referee says.
    pub verdict: Verdict,
    /// What happened.
    pub timeline: Vec<Entry>,
}

/// What no process takes with it when it dies.
pub struct World {
    /// Everything follows from it.
    pub seed: u64,
    /// The database.
    pub tables: Arc<Tables>,
    /// Kafka.
    pub broker: Arc<Broker>,
    /// The chain.
    pub chain: Arc<Chain>,
    /// IPFS.
    pub pins: Arc<Pins>,
    /// The time of day.
    pub clock: TestClock,
    /// The mistake that is made.
    pub mistake: Option<Mistake>,
    sky: Arc<Sky>,
    timeline: Timeline,
    dice: Dice,
    operations: u64,
}

impl Run {
    /// A seed in its own weather, without mistakes.
    #[must_use]
    pub const fn of(seed: u64, operations: u64) -> Self {
        Self { seed, operations, weather: None, mistake: None }
    }

    /// Runs it, in a runtime of its own on this thread.
    ///
    /// # Errors
    /// A runtime that cannot be built, or a worker that cannot be started.
    pub fn run(self) -> anyhow::Result<Ended> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        let (verdict, timeline) = runtime.block_on(async {
            let world = Arc::new(World::new(&self));
            let verdict = world.run().await?;
            anyhow::Ok((verdict, world.timeline.take()))
        })?;
        Ok(Ended { run: self, verdict, timeline })
    }
}

impl World {
    fn new(run: &Run) -> Self {
        let seed = run.seed;
        let dice = Dice::of(seed, "world");
        let weather = run.weather.clone().unwrap_or_else(|| Weather::of(&dice));
        let (sky, timeline, clock) = (Arc::new(Sky::new(weather)), Timeline::begin(), TestClock::default());
        let partitions = [1, 2, 3];
        Self {
            seed,
            tables: Arc::default(),
            broker: Broker::new(seed, *dice.pick(&partitions), clock, Arc::clone(&sky)),
            chain: Chain::new(seed, &sky, &timeline),
            pins: Arc::default(),
            clock,
            mistake: run.mistake,
            sky,
            timeline,
            dice,
            operations: run.operations,
        }
    }

    async fn run(self: &Arc<Self>) -> anyhow::Result<Verdict> {
        self.note(format!("weather: {:?}", self.sky.weather));
        let mut alive = JoinSet::new();
        for worker in Worker::ALL {
            for number in 1..=1 + self.dice.below(3) {
                alive.spawn(Arc::clone(self).keep_alive(worker, number));
            }
        }
        alive.spawn(Arc::clone(self).person());
        let weather_ends = tokio::time::Instant::now() + self.sky.weather.lasts;
        let (broker, sky, dice) = (Arc::clone(&self.broker), Arc::clone(&self.sky), Dice::of(self.seed, "api"));
        api::ask(broker, sky, dice, self.operations, self.sky.weather.lasts / 2).await;
        sleep_until(weather_ends).await;
        self.sky.clears_up();
        self.note("the weather clears up");
        let _ = timeout(UNTIL_STUCK, self.until(|| self.all_ended())).await;
        let _ = timeout(LAST_COMMITS, self.until(|| self.all_consumed())).await;
        self.note("all that may end has ended");
        // Whatever was ever signed has its last chance to land.
        sleep(SLOT * u32::try_from(2 * (BLOCKHASH_LIFE + FINALITY)).unwrap_or(u32::MAX)).await;
        let verdict = referee::judge(self);
        alive.shutdown().await;
        Ok(verdict)
    }

    /// Every operation there should be.
    pub fn ids(&self) -> impl Iterator<Item = OperationId> + use<> {
        (1..=self.operations).map(operation_id)
    }

    /// Starts a worker, and starts it again whenever it dies.
    async fn keep_alive(self: Arc<Self>, worker: Worker, number: u64) {
        for start in 1.. {
            let name = format!("{}-{number}.{start}", worker.as_str());
            let life = Life::begin(&name, self.seed, Arc::clone(&self.sky), self.timeline.clone());
            match Process::start(&self, worker, &life) {
                Ok(_process) => life.died().await,
                Err(error) => life.note(format!("cannot start: {error}")),
            }
            sleep(life.dice.between(RESTART.0, RESTART.1)).await;
        }
    }

    /// A person who fails operations by hand, where nothing was signed for them yet: what the rules allow.
    async fn person(self: Arc<Self>) {
        let fair = Arc::new(Sky::new(Weather::fair()));
        let life = Life::begin("person", self.seed, fair, self.timeline.clone());
        let store = SimStore::new(&self.tables, &life);
        loop {
            sleep(PERSON_LOOKS).await;
            if !self.sky.strikes(&life.dice, |weather| weather.failed_by_hand) {
                continue;
            }
            let unsigned = |id: &OperationId| {
                let operation = self.tables.operation(*id)?;
                (operation.state == State::IpfsUploaded && operation.open_attempt.is_none()).then_some(operation)
            };
            let waiting: Vec<_> = self.ids().filter_map(|id| unsigned(&id)).collect();
            if !waiting.is_empty() {
                let operation = life.dice.pick(&waiting).clone();
                let failure = Failure::permanent("failed-by-hand", "a person said so");
                let commit = Commit { operation, transition: Transition::Failed { failure, decided: None } };
                // Overtaken, it goes on.
                let _ = store.commit(&[commit]).await;
            }
        }
    }

    async fn until(&self, condition: impl Fn() -> bool) {
        while !condition() {
            sleep(LOOK).await;
        }
    }

    fn all_ended(&self) -> bool {
        self.ids().all(|id| self.tables.operation(id).is_some_and(|row| row.state.step().is_none()))
    }

    fn all_consumed(&self) -> bool {
        let groups = Step::ALL.map(Step::as_str);
        self.broker.is_consumed("intake") && groups.iter().all(|group| self.broker.is_consumed(group))
    }

    /// Every record of a topic.
    #[must_use]
    pub fn records(&self, topic: Topic) -> Vec<domain::Record> {
        self.broker.records(&topic.name(""))
    }

    fn note(&self, what: impl Into<String>) {
        self.timeline.note(&"world".into(), None, what);
    }
}
