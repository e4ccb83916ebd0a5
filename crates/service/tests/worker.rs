//! A worker on a real broker: it says when it is ready, and when it is told to end it finishes what it has in hand,
//! commits it, and leaves the rest. The database is in memory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use domain::{Operation, Step, Topic, Transition};
use engine::{EventSink, FloodLimit, StepError, StepHandler};
use kafka::{Admin, KafkaSettings, Producer, TopicPlan};
use metrics_exporter_prometheus::PrometheusBuilder;
use service::config::{Program, WorkLimits};
use service::{OpsListener, Process, Worker};
use testkit::transitions::{image, ipfs_uploaded, metadata};
use testkit::{Crash, MemoryStore, PinState, Tables, operation_id, request};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_mins(1);

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let waiting = async {
        while !holds().await? {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, waiting).await.with_context(|| format!("in vain: {what}"))?
}

/// Pins nothing, and only when it is let.
struct Held {
    started: Arc<AtomicUsize>,
    let_go: Arc<Semaphore>,
}

impl StepHandler for Held {
    const STEP: Step = Step::Upload;
    const AT_ONCE: usize = 64;

    async fn run(&self, _: &Operation) -> Result<Transition, StepError> {
        self.started.fetch_add(1, Ordering::SeqCst);
        let _permit = self.let_go.acquire().await.expect("never closed");
        Ok(ipfs_uploaded())
    }
}

fn process(stop: &CancellationToken) -> Result<(Process, SocketAddr)> {
    let ops = OpsListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let address = ops.address();
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    Ok((Process::new(Program::IpfsUploader, stop.clone(), PATIENCE, ops, metrics), address))
}

async fn answers_ok(address: SocketAddr, path: &str) -> Result<bool> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: ops\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_end_it_finishes_and_commits_what_it_has_in_hand() -> Result<()> {
    const OPERATIONS: u64 = 20;
    let prefix = testkit::unique_prefix("worker");
    let settings =
        KafkaSettings { topic_prefix: prefix.clone(), ..KafkaSettings::new(testkit::kafka_brokers(), "test") };
    let admin = Admin::connect(&settings)?;
    admin.create_topics(&TopicPlan { partitions: 2, ..TopicPlan::new(prefix.clone()) }).await?;
    let lag = async |group: &str, topic: Topic| -> Result<i64> {
        let lag = admin.lag(&format!("{prefix}mintfleet-{group}"), &[topic.name(&prefix)]).await?;
        Ok(lag.iter().map(kafka::PartitionLag::records).sum())
    };

    let stop = CancellationToken::new();
    let (process, ops) = process(&stop)?;
    let tables = Arc::new(Tables::default());
    for cid in [image(), metadata()] {
        tables.type_pin(&cid, "pinata", PinState::Pinned);
    }
    let store = Arc::new(MemoryStore::new(Arc::clone(&tables), Arc::new(Crash::never())));
    let (started, let_go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let limits = WorkLimits { retry_percent: 30, flood: FloodLimit { records: 500, percent: 50 } };
    let mut worker = Worker::new(process, settings.clone(), limits, store)?;
    worker.intake()?;
    worker.step(Held { started: Arc::clone(&started), let_go: Arc::clone(&let_go) })?;
    let running = tokio::spawn(worker.run());
    eventually("it is ready", async || Ok(answers_ok(ops, "/readyz").await.unwrap_or(false))).await?;
    assert!(answers_ok(ops, "/livez").await?);

    let producer = Producer::start(&settings)?;
    for number in 0..OPERATIONS {
        producer.publish(request(operation_id(number), "Quant Ape", &prefix)).await?;
    }
    let in_hand = usize::try_from(OPERATIONS)?;
    eventually("all are in hand", async || Ok(started.load(Ordering::SeqCst) == in_hand)).await?;
    assert_eq!(tables.operation(operation_id(0)).map(|operation| operation.state), Some(domain::State::Initiated));

    stop.cancel();
    // Nothing ends before the work does.
    tokio::task::yield_now().await;
    assert!(!running.is_finished());
    let_go.add_permits(in_hand);
    tokio::time::timeout(PATIENCE, running).await.context("it did not end")???;

    for number in 0..OPERATIONS {
        let operation = tables.operation(operation_id(number)).context("its row")?;
        assert_eq!(operation.state, domain::State::IpfsUploaded);
    }
    assert_eq!(lag("intake", Topic::Operations).await?, 0);
    let requests = Topic::Requests(Step::Upload, domain::Priority::Normal);
    assert_eq!(lag("upload", requests).await?, 0);
    let next = Topic::Requests(Step::Mint, domain::Priority::Normal);
    assert_eq!(lag("mint", next).await?, i64::try_from(OPERATIONS)?, "the next step was asked");
    Ok(())
}
