//! What stands still though its event was consumed is woken; what waits behind a backlog or an outage is not.

#[expect(dead_code, reason = "each test file uses its share of the fleet")]
mod fleet;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::DateTime;
use domain::{OperationId, OperationRequested, Priority, Record, State, Step, Topic};
use engine::{
    Assignment, Consumption, OperationStore, Partition, Publisher, Round as _, RowOutbox, Sweeper, Telling, Window,
};
use fleet::World;
use resilience::Jitter;
use testkit::{Crash, MemoryBacklog, MemorySink, MemoryStore, operation_id, request};
use tokio_util::sync::CancellationToken;

const UPLOAD_REQUESTS: Topic = Topic::Requests(Step::Upload, Priority::Normal);

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_moment_of_a_wake_loses_nothing() {
    let id = operation_id(1);
    for moment in 0.. {
        let world = World::default();
        world.log.append(request(id, "Quant Ape", ""));
        // Its request counts as consumed before anybody saw it.
        world.log.commit("upload", &UPLOAD_REQUESTS.name(""), 1);
        let at_rest = || world.at_rest(&[id]) && world.state(id).is_some();
        let died = world.start(Crash::at(moment)).run_until(at_rest).await;
        if died {
            world.start(Crash::never()).run_until(at_rest).await;
        }
        let operation = world.operation(id).unwrap();
        assert_eq!((operation.state, operation.needs_review), (State::Verified, None), "crash at moment {moment}");
        assert_eq!(world.chain.transactions(id), 1, "crash at moment {moment}");
        assert!(world.tables.woken() <= 2, "crash at moment {moment}");
        if !died {
            assert!(moment > 60, "only {moment} moments were tried");
            return;
        }
    }
}

/// A sweeper and the reports it goes by, a round at a time; nobody does the step's work.
struct Scene {
    world: World,
    consumption: Consumption<MemoryStore, MemoryBacklog, testkit::TestClock>,
    sweeper: Sweeper<MemoryStore, MemorySink, MemoryBacklog, Box<dyn Fn() -> bool + Send + Sync>>,
    assignment: Arc<Assignment>,
    breaker_closed: Arc<AtomicBool>,
    topic: String,
}

impl Scene {
    /// One operation stands in the table, and its request was published and consumed.
    async fn new(partitions: u32) -> Self {
        let (world, never) = (World::default(), Arc::new(Crash::never()));
        let store = Arc::new(MemoryStore::new(Arc::clone(&world.tables), Arc::clone(&never)));
        let sink = Arc::new(MemorySink { log: Arc::clone(&world.log), crash: never });
        let publisher = Arc::new(Publisher::new(sink, Arc::new(Jitter::from_seed(7)), CancellationToken::new()));
        let telling = Telling { publisher, source: "/test".into(), topic_prefix: String::new() };
        let backlog = Arc::new(MemoryBacklog { log: Arc::clone(&world.log), group: "upload".into(), partitions });
        let topic = UPLOAD_REQUESTS.name("");
        let assignment = Assignment::new(Window::default());
        assignment.assigned([Partition { topic: topic.as_str().into(), id: 0 }]);
        let breaker_closed = Arc::new(AtomicBool::new(true));
        let closed = Arc::clone(&breaker_closed);
        let outbox = RowOutbox { store: Arc::clone(&store), telling, step: "upload" };
        let scene = Self {
            consumption: Consumption::new(
                Arc::clone(&store),
                Arc::clone(&backlog),
                Arc::clone(&assignment),
                world.clock,
            ),
            sweeper: Sweeper {
                step: Step::Upload,
                outbox,
                backlog,
                assignment: Arc::clone(&assignment),
                may_sweep: Box::new(move || closed.load(Ordering::SeqCst)),
            },
            assignment,
            breaker_closed,
            topic,
            world,
        };
        let asked = request(Self::id(), "Quant Ape", "");
        let record = Record {
            topic: asked.topic,
            partition: 0,
            offset: 0,
            timestamp: None,
            key: asked.key,
            value: asked.value,
            headers: vec![],
        };
        let new = OperationRequested::accept(&record, DateTime::UNIX_EPOCH).unwrap();
        store.insert(&[new]).await.unwrap();
        scene
    }

    fn id() -> OperationId {
        operation_id(1)
    }

    /// So much later, everybody does its round once.
    async fn after(&mut self, wait: Duration) {
        tokio::time::sleep(wait).await;
        self.consumption.round().await.unwrap();
        self.sweeper.round().await.unwrap();
    }

    /// The group has consumed what there is.
    fn consume(&self) {
        let end = self.wakes();
        self.world.log.commit("upload", &self.topic, i64::try_from(end).unwrap());
    }

    /// Requests that were published from the row.
    fn wakes(&self) -> usize {
        self.world.log.records(&self.topic).len()
    }

    fn flagged(&self) -> Option<String> {
        self.world.operation(Self::id()).unwrap().needs_review
    }
}

const LONG: Duration = Duration::from_secs(31);

#[tokio::test(start_paused = true)]
async fn three_wakes_in_vain_put_it_in_front_of_a_person() {
    let mut scene = Scene::new(1).await;
    scene.after(Duration::from_secs(29)).await;
    assert_eq!(scene.wakes(), 0, "nobody stands still for less than 30 s");
    for wake in 1..=3 {
        scene.after(LONG).await;
        assert_eq!((scene.wakes(), scene.flagged()), (wake, None));
        // Until it was consumed, a wake has not been in vain.
        for _ in 0..10 {
            scene.after(LONG).await;
        }
        assert_eq!((scene.wakes(), scene.flagged()), (wake, None));
        scene.consume();
    }
    scene.after(LONG).await;
    assert!(scene.flagged().unwrap().contains("stands still"));
    for _ in 0..10 {
        scene.after(LONG).await;
    }
    assert_eq!(scene.wakes(), 3, "then it is left to that person");
}

#[tokio::test(start_paused = true)]
async fn neither_a_silent_partition_nor_an_open_breaker_nor_a_stranger_sweeps() {
    let mut silent = Scene::new(2).await;
    silent.after(LONG * 4).await;
    assert_eq!(silent.wakes(), 0, "of the second partition nobody says anything");

    let mut broken = Scene::new(1).await;
    broken.breaker_closed.store(false, Ordering::SeqCst);
    broken.after(LONG * 4).await;
    assert_eq!(broken.wakes(), 0, "a breaker is open");
    broken.breaker_closed.store(true, Ordering::SeqCst);
    broken.after(LONG).await;
    assert_eq!(broken.wakes(), 1);

    let mut stranger = Scene::new(1).await;
    stranger.consumption.round().await.unwrap();
    stranger.assignment.revoked([&Partition { topic: stranger.topic.as_str().into(), id: 0 }]);
    stranger.after(LONG * 4).await;
    assert_eq!(stranger.wakes(), 0, "the partition is somebody else's");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_hand_holds_the_sweep_back() {
    let mut scene = Scene::new(1).await;
    let record = Record {
        topic: scene.topic.clone(),
        partition: 0,
        offset: 0,
        timestamp: Some(DateTime::UNIX_EPOCH),
        key: None,
        value: None,
        headers: vec![],
    };
    let ticket = scene.assignment.received(&record).unwrap();
    for _ in 0..10 {
        scene.after(LONG).await;
    }
    assert_eq!(scene.wakes(), 0);
    scene.assignment.finished(&ticket);
    scene.after(LONG).await;
    assert_eq!(scene.wakes(), 1);
}
