//! The four steps in one process, over ports in memory.

mod chain;
mod handlers;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use domain::{Operation, OperationId, Priority, State, Step, Topic};
use engine::{
    Admission, Assignment, Batches, Consumption, FloodGuard, FloodLimit, Intake, Partition, Processor, Publisher,
    Redrive, RowOutbox, Runner, StepHandler, StepProcessor, Sweeper, Telling, Upkeep, Window,
};
use resilience::Jitter;
use testkit::{Crash, Log, MemoryBacklog, MemorySink, MemoryStore, PinState, Tables, TestClock};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use chain::Chain;
use handlers::{IMAGE, METADATA, Mint, Upload, Verify};

/// How often consumers and conditions look.
const TURN: Duration = Duration::from_millis(50);

/// What no crash takes away.
#[derive(Default)]
pub struct World {
    pub tables: Arc<Tables>,
    pub log: Arc<Log>,
    pub chain: Arc<Chain>,
    pub clock: TestClock,
    /// Tries of the upload step.
    pub tries: Arc<AtomicUsize>,
}

/// A process: dropped, it is dead.
pub struct Process {
    pub store: Arc<MemoryStore>,
    crash: Arc<Crash>,
    tasks: JoinSet<()>,
    assignments: HashMap<Step, Arc<Assignment>>,
}

impl World {
    pub fn start(&self, crash: Crash) -> Process {
        let crash = Arc::new(crash);
        for cid in [IMAGE, METADATA] {
            self.tables.type_pin(&cid.parse().expect("a content id"), "pinata", PinState::Pinned);
        }
        let store = Arc::new(MemoryStore::new(Arc::clone(&self.tables), Arc::clone(&crash)));
        let sink = Arc::new(MemorySink { log: Arc::clone(&self.log), crash: Arc::clone(&crash) });
        let jitter = Arc::new(Jitter::from_seed(7));
        let publisher = Arc::new(Publisher::new(sink, Arc::clone(&jitter), CancellationToken::new()));
        let telling = Telling { publisher, source: "/test".into(), topic_prefix: String::new() };
        let batches = Arc::new(Batches::new(&store));
        let (tasks, assignments) = (JoinSet::new(), HashMap::new());
        let mut process = Process { store: Arc::clone(&store), crash: Arc::clone(&crash), tasks, assignments };

        let intake = Intake::new(Arc::clone(&batches), telling.clone(), "intake".into(), self.clock);
        self.consume(&mut process, Topic::Operations, intake, &telling);
        let upload = Upload { clock: self.clock, tries: Arc::clone(&self.tries) };
        self.step(&mut process, upload, &batches, &telling);
        let mint = Mint { chain: Arc::clone(&self.chain), tables: Arc::clone(&self.tables), crash };
        self.step(&mut process, mint, &batches, &telling);
        self.step(&mut process, Verify { chain: Arc::clone(&self.chain) }, &batches, &telling);
        process
    }

    fn step<H: StepHandler>(
        &self,
        process: &mut Process,
        handler: H,
        batches: &Arc<Batches>,
        telling: &Telling<MemorySink>,
    ) {
        let store = Arc::clone(&process.store);
        let processor = StepProcessor::new(Arc::new(handler), Arc::clone(&store), Arc::clone(batches), telling.clone());
        let assignment = self.consume(process, Topic::Requests(H::STEP, Priority::Normal), processor, telling);
        process.assignments.insert(H::STEP, Arc::clone(&assignment));
        let backlog =
            Arc::new(MemoryBacklog { log: Arc::clone(&self.log), group: H::STEP.as_str().into(), partitions: 1 });
        let outbox = || RowOutbox { store: Arc::clone(&store), telling: telling.clone(), step: H::STEP.as_str() };
        let upkeep = Upkeep {
            redrive: Redrive::new(H::STEP, outbox(), Arc::clone(&assignment)),
            consumption: Consumption::new(
                Arc::clone(&store),
                Arc::clone(&backlog),
                Arc::clone(&assignment),
                self.clock,
            ),
            sweeper: Sweeper { step: H::STEP, outbox: outbox(), backlog, assignment, may_sweep: || true },
        };
        process.tasks.spawn(upkeep.run());
    }

    fn consume<P: Processor>(
        &self,
        process: &mut Process,
        topic: Topic,
        processor: P,
        telling: &Telling<MemorySink>,
    ) -> Arc<Assignment> {
        let assignment = Assignment::new(Window::default());
        let (deliver, deliveries) = mpsc::unbounded_channel();
        let runner = Runner {
            processor: Arc::new(processor),
            publisher: Arc::clone(&telling.publisher),
            assignment: Arc::clone(&assignment),
            admission: Admission::new(P::AT_ONCE, 30),
            floods: FloodGuard::new(FloodLimit { records: 500, percent: 50 }),
            group: P::NAME.into(),
            clock: self.clock,
            jitter: Arc::new(Jitter::from_seed(7)),
            stop: CancellationToken::new(),
        };
        process.tasks.spawn(async move {
            runner.run(deliveries, Duration::from_secs(1)).await.expect("the process is not broken");
        });
        let (log, name, owned) = (Arc::clone(&self.log), topic.name(""), Arc::clone(&assignment));
        process.tasks.spawn(async move {
            assignment.assigned([Partition { topic: name.as_str().into(), id: 0 }]);
            let mut next = log.committed(P::NAME, &name);
            loop {
                for record in log.records_from(&name, next) {
                    next = record.offset + 1;
                    let ticket = assignment.received(&record).expect("the partition is ours");
                    let _ = deliver.send(engine::Delivery { record, ticket });
                }
                for (_, position) in assignment.progress() {
                    log.commit(P::NAME, &name, position);
                }
                tokio::time::sleep(TURN).await;
            }
        });
        owned
    }

    pub fn operation(&self, id: OperationId) -> Option<Operation> {
        self.tables.operation(id)
    }

    pub fn state(&self, id: OperationId) -> Option<State> {
        self.operation(id).map(|operation| operation.state)
    }

    /// Whether every group consumed its topics to the end, and every operation ended and owes no status.
    pub fn at_rest(&self, ids: &[OperationId]) -> bool {
        let groups = [
            ("intake", Topic::Operations),
            ("upload", Topic::Requests(Step::Upload, Priority::Normal)),
            ("mint", Topic::Requests(Step::Mint, Priority::Normal)),
            ("verify", Topic::Requests(Step::Verify, Priority::Normal)),
        ];
        let consumed = groups.iter().all(|(group, topic)| {
            let name = topic.name("");
            self.log.records_from(&name, self.log.committed(group, &name)).is_empty()
        });
        let ended = |id: &OperationId| self.state(*id).is_none_or(|state| state.step().is_none());
        consumed && ids.iter().all(|id| ended(id) && !self.tables.owes_status(*id))
    }
}

impl Process {
    /// Runs until the process dies or `done` holds. Says whether it died.
    pub async fn run_until(&self, done: impl Fn() -> bool) -> bool {
        tokio::select! {
            () = self.crash.happened() => true,
            () = until(done) => false,
        }
    }

    /// Holds a step's work, or lets it go, as the breaker of what it needs would.
    pub fn hold(&self, step: Step, held: bool) {
        self.assignments[&step].hold(held);
    }

    /// How many moments there were to die at.
    pub fn moments(&self) -> usize {
        self.crash.moments()
    }
}

/// Waits for a condition, an hour of paused time at most.
pub fn until(condition: impl Fn() -> bool) -> impl Future<Output = ()> {
    let waiting = async move {
        while !condition() {
            tokio::time::sleep(TURN).await;
        }
    };
    async { tokio::time::timeout(Duration::from_hours(1), waiting).await.expect("the condition comes true") }
}
