//! A worker put together: its consumer groups, what handles their records, and how they end together.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, bail};
use domain::{Priority, SystemClock, Topic};
use engine::{
    Admission, Assignment, Batches, FloodGuard, Intake, OperationStore, Processor, Publisher, RowStore, Runner,
    StepHandler, StepProcessor, Telling, Window,
};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all, ready, select_all};
use kafka::{Consumer, ConsumerHandle, FatalError, GroupBacklog, KafkaSettings, Producer};
use resilience::Jitter;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::config::WorkLimits;
use crate::gate::hold_while_closed;
use crate::ops::Checks;
use crate::start::{HANGS, Process};
use crate::upkeep::{beside, upkeep};

/// The client looks after its connections by itself; it tells every 10 s that there is none.
const KAFKA_TRIES: u32 = 2;
/// How long the last records may take to be acknowledged.
const FLUSH: Duration = Duration::from_secs(10);

/// A worker that is being put together.
pub struct Worker<S> {
    process: Process,
    settings: KafkaSettings,
    limits: WorkLimits,
    store: Arc<S>,
    batches: Arc<Batches>,
    producer: Producer,
    jitter: Arc<Jitter>,
    groups: Vec<Group>,
    gates: Vec<watch::Receiver<bool>>,
    floods: Arc<FloodGuard>,
}

struct Group {
    name: String,
    consumer: ConsumerHandle,
    assignment: Arc<Assignment>,
    work: BoxFuture<'static, Result<(), engine::Fatal>>,
}

impl<S: OperationStore + RowStore> Worker<S> {
    /// Starts the producer. Groups are joined by [`Self::intake`] and [`Self::step`].
    ///
    /// # Errors
    /// Settings that Kafka's client does not take.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(process: Process, settings: KafkaSettings, limits: WorkLimits, store: Arc<S>) -> anyhow::Result<Self> {
        engine::describe_metrics();
        kafka::describe_metrics();
        let settings = KafkaSettings { line: process.health.dependency("kafka", KAFKA_TRIES), ..settings };
        let producer = Producer::start(&settings)?;
        let batches = Arc::new(Batches::new(&store));
        let jitter = Arc::new(Jitter::from_os());
        let floods = FloodGuard::new(limits.flood);
        let (groups, gates) = (Vec::new(), Vec::new());
        Ok(Self { process, settings, limits, store, batches, producer, jitter, groups, gates, floods })
    }

    /// Takes the API's events.
    ///
    /// # Errors
    /// Settings that Kafka's client does not take.
    pub fn intake(&mut self) -> anyhow::Result<()> {
        let group = self.group_name("intake");
        let intake = Intake::new(Arc::clone(&self.batches), self.telling(), group.clone(), SystemClock);
        let topics = [Topic::Operations.name(&self.settings.topic_prefix)];
        self.join(group, &topics, intake, Assignment::new(Window::default()), ready(()))
    }

    /// No group that is joined from now on takes records while `open` is false: for what all their work needs.
    pub fn needs(&mut self, open: watch::Receiver<bool>) {
        self.gates.push(open);
    }

    /// Takes the requests of one step, of every priority, and keeps up the rows that wait for it.
    ///
    /// # Errors
    /// Settings that Kafka's client does not take.
    pub fn step<H: StepHandler>(&mut self, handler: H) -> anyhow::Result<()> {
        let requests = Priority::ALL.map(|priority| Topic::Requests(H::STEP, priority));
        let topics = requests.map(|topic| topic.name(&self.settings.topic_prefix));
        let (store, batches, telling) = (Arc::clone(&self.store), Arc::clone(&self.batches), self.telling());
        let group = self.group_name(H::STEP.as_str());
        let assignment = Assignment::new(Window::default());
        let backlog = GroupBacklog::connect(&self.settings, &group)?;
        let upkeep = upkeep(H::STEP, &self.store, &telling, backlog, &assignment);
        let processor = StepProcessor::new(Arc::new(handler), store, batches, telling);
        self.join(group, &topics, processor, assignment, upkeep)
    }

    /// Runs until the process is told to end: then nothing new is taken, what is in hand is finished within the grace
    /// period while the consumers stay in their groups, what was published is flushed, what is finished is committed,
    /// and the groups are left.
    ///
    /// # Errors
    /// Whatever keeps the worker from going on; it ends in the same order as far as it can.
    pub async fn run(self) -> anyhow::Result<()> {
        let Self { process, producer, groups, floods, .. } = self;
        let broken = Arc::new(OnceLock::new());
        let stop = process.stop.clone();
        let grace = process.grace;
        let fatal = first_fatal(&producer, &groups);
        let ops = process.serve_ops(checks(&groups, &broken).floods(floods))?;
        let mut work = JoinSet::new();
        let mut consumers = Vec::new();
        for group in groups {
            consumers.push(group.consumer);
            work.spawn(async move { (group.name, group.work.await) });
        }
        let mut result = tokio::select! {
            biased;
            () = stop.cancelled() => Ok(()),
            error = fatal => Err(error.into()),
            Some(ended) = work.join_next() => told_nobody(ended),
        };
        if let Err(error) = &result {
            // The first reason stays; there is none before this.
            let _ = broken.set(format!("{error:#}"));
            stop.cancel();
        }
        tracing::info!(grace_seconds = grace.as_secs(), "draining");
        consumers.iter().for_each(ConsumerHandle::stop_fetching);
        while let Some(ended) = work.join_next().await {
            result = result.and(finished(ended));
        }
        result = result.and(producer.flush(FLUSH).await.context("flushing the producer"));
        for closed in join_all(consumers.into_iter().map(ConsumerHandle::close)).await {
            result = result.and(closed.context("leaving the group"));
        }
        drop(ops);
        result
    }

    fn telling(&self) -> Telling<Producer> {
        Telling {
            publisher: self.publisher(),
            source: self.process.source(),
            topic_prefix: self.settings.topic_prefix.clone(),
        }
    }

    fn publisher(&self) -> Arc<Publisher<Producer>> {
        let stop = self.process.stop.clone();
        Arc::new(Publisher::new(Arc::new(self.producer.clone()), Arc::clone(&self.jitter), stop))
    }

    fn group_name(&self, step: &str) -> String {
        format!("{}mintfleet-{step}", self.settings.topic_prefix)
    }

    fn join<P: Processor>(
        &mut self,
        name: String,
        topics: &[String],
        processor: P,
        assignment: Arc<Assignment>,
        upkeep: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let (sender, deliveries) = mpsc::unbounded_channel();
        let consumer = Consumer::start(&self.settings, &name, topics, Arc::clone(&assignment), sender)?;
        let runner = Runner {
            processor: Arc::new(processor),
            publisher: self.publisher(),
            assignment: Arc::clone(&assignment),
            admission: Admission::new(P::AT_ONCE, self.limits.retry_percent),
            floods: Arc::clone(&self.floods),
            group: name.clone(),
            clock: SystemClock,
            jitter: Arc::clone(&self.jitter),
            stop: self.process.stop.clone(),
        };
        let holding = hold_while_closed(Arc::clone(&assignment), self.gates.clone(), name.clone());
        let upkeep = async { tokio::join!(upkeep, holding) };
        let upkeep = self.process.stop.clone().run_until_cancelled_owned(upkeep).map(drop);
        let work = Box::pin(beside(runner.run(deliveries, self.process.grace), upkeep));
        self.groups.push(Group { name, consumer, assignment, work });
        Ok(())
    }
}

type Ended = Result<(String, Result<(), engine::Fatal>), JoinError>;

fn finished(ended: Ended) -> anyhow::Result<()> {
    let (group, result) = ended.context("a consumer group's work ended by itself")?;
    result.with_context(|| format!("group {group}"))
}

/// Work that ends before it is told to is a failure even without a reason.
fn told_nobody(ended: Ended) -> anyhow::Result<()> {
    finished(ended)?;
    bail!("a consumer ended by itself")
}

fn first_fatal(producer: &Producer, groups: &[Group]) -> BoxFuture<'static, FatalError> {
    let mut all: Vec<BoxFuture<'static, FatalError>> = vec![Box::pin(producer.fatal())];
    all.extend(groups.iter().map(|group| -> BoxFuture<'static, FatalError> { Box::pin(group.consumer.fatal()) }));
    Box::pin(async { select_all(all).await.0 })
}

fn checks(groups: &[Group], broken: &Arc<OnceLock<String>>) -> Checks {
    let broken = Arc::clone(broken);
    let broken = Checks::default().live(move || broken.get().map_or(Ok(()), |reason| Err(reason.clone())));
    let checks = groups.iter().fold(broken, |checks, group| {
        let heartbeat = group.consumer.heartbeat();
        let assignment = Arc::clone(&group.assignment);
        let (turning, assigned) = (group.name.clone(), group.name.clone());
        checks
            .live(move || match heartbeat.age() {
                age if age < HANGS => Ok(()),
                age => Err(format!("the consumer of {turning} has not polled for {} s", age.as_secs())),
            })
            .ready(move || match assignment.partitions().len() {
                0 => Err(format!("{assigned} has no partitions yet")),
                _ => Ok(()),
            })
    });
    let held: Vec<_> = groups.iter().map(|group| Arc::clone(&group.assignment)).collect();
    checks.ready(move || {
        let takes_work = held.is_empty() || held.iter().any(|assignment| !assignment.is_held());
        if takes_work { Ok(()) } else { Err("what all of its work needs is out".to_owned()) }
    })
}
