//! A fleet without workers: a database, topics, and what workers would have left in them.

use std::collections::BTreeMap;
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use chrono::DateTime;
use domain::{
    Clock, Failure, Operation, OperationId, OutgoingRecord, Priority, Record, Step, StepRequest, SystemClock, Topic,
    Transition,
};
use engine::{Commit, Committed, DeadLetter, EventSink, Inserted, OperationStore, Pin, PinLedger, Pinned};
use kafka::{Admin, KafkaSettings, Producer};
use serde_json::Value;
use store::{PoolSettings, Store};
use testkit::transitions::taken;
use testkit::{Database, new_operation, operation_id};

use crate::common;

const IMAGE: &str = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const METADATA: &str = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq";
pub const MINT_REQUESTS: Topic = Topic::Requests(Step::Mint, Priority::Normal);

/// What there is of a fleet.
pub struct Fleet {
    pub store: Store,
    pub producer: Producer,
    pub prefix: String,
    admin: Admin,
    env: BTreeMap<&'static str, String>,
    _database: Database,
}

impl Fleet {
    pub async fn new(test: &str) -> Result<Self> {
        let database = Database::fresh().await;
        let prefix = testkit::unique_prefix(&format!("dlq-{test}"));
        let brokers = testkit::kafka_brokers();
        let settings = KafkaSettings { topic_prefix: prefix.clone(), ..KafkaSettings::new(&brokers, "test") };
        let store = Store::connect(&PoolSettings { min_connections: 0, ..PoolSettings::new(database.url()) }).await?;
        let env = BTreeMap::from([
            ("DATABASE_URL", database.url()),
            ("KAFKA_BROKERS", brokers),
            ("KAFKA_TOPIC_PREFIX", prefix.clone()),
        ]);
        let admin = Admin::connect(&settings)?;
        let producer = Producer::start(&settings)?;
        let fleet = Self { store, producer, prefix, admin, env, _database: database };
        let topics = fleet.mintctl(&["topics", "--partitions", "2"])?;
        ensure!(common::code(&topics) == 0, "{}", common::stderr(&topics));
        Ok(fleet)
    }

    /// Sets a variable of every command from now on.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.env.insert(name, value.into());
    }

    pub fn mintctl(&self, arguments: &[&str]) -> Result<Output> {
        let env: Vec<_> = self.env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        common::mintctl(&env, arguments, b"")
    }

    /// `mintctl dlq` for machines: its exit code, and the documents or lines that it printed.
    pub fn dlq(&self, arguments: &[&str]) -> Result<(i32, Vec<Value>)> {
        let output = self.mintctl(&[&["dlq", "--json"], arguments].concat())?;
        let documents = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
        let documents: Vec<_> = documents.collect::<Result<_, _>>().with_context(|| common::stderr(&output))?;
        Ok((common::code(&output), documents))
    }

    /// The same, still running.
    pub fn begin(&self, arguments: &[&str]) -> Result<Child> {
        let command = Command::new(env!("CARGO_BIN_EXE_mintctl"))
            .args(arguments)
            .env_clear()
            .envs(&self.env)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        Ok(command)
    }

    /// The letters that are listed, and their exit code.
    pub fn ls(&self, arguments: &[&str]) -> Result<(i32, Vec<Value>)> {
        let (code, mut documents) = self.dlq(&[&["ls"], arguments].concat())?;
        let Some(Value::Array(letters)) = documents.pop() else { anyhow::bail!("no list: {documents:?}") };
        Ok((code, letters))
    }

    /// What lies in a topic now.
    pub async fn records(&self, topic: &str) -> Result<Vec<Record>> {
        let mut reading = self.admin.read(vec![topic.to_owned()], None)?;
        let mut records = Vec::new();
        while let Some(record) = reading.recv().await {
            records.push(record?);
        }
        Ok(records)
    }

    pub async fn records_of(&self, topic: Topic) -> Result<Vec<Record>> {
        self.records(&topic.name(&self.prefix)).await
    }

    /// Puts a record aside, as a worker does that cannot carry it on, and answers with the letter's id.
    pub async fn put_aside(&self, topic: Topic, value: &[u8], offset: i64, failure: &Failure) -> Result<String> {
        let record = Record {
            topic: topic.name(&self.prefix),
            partition: 0,
            offset,
            timestamp: DateTime::from_timestamp_millis(1_764_000_000_123),
            key: Some(b"key".to_vec()),
            value: Some(value.to_vec()),
            headers: vec![domain::header("traceparent", "00-…")],
        };
        let letter = DeadLetter {
            record: &record,
            failure,
            operation: domain::read_operation_id(Some(value)),
            group: "group",
            step: "step",
            attempts: 1,
            first_failed_at: SystemClock.now(),
        };
        self.producer.publish(letter.outgoing()).await?;
        Ok(engine::dead_letter_id("group", &record).to_string())
    }

    /// Poison for the intake.
    pub async fn poison(&self, number: i64) -> Result<String> {
        let value = format!("{{\"poison\": {number}");
        let failure = Failure::permanent("not-json", format!("EOF while parsing at column {number}"));
        self.put_aside(Topic::Operations, value.as_bytes(), number, &failure).await
    }

    pub async fn operation(&self, number: u64) -> Result<Operation> {
        let id = operation_id(number);
        let operation = self.store.load(&[id]).await?.operations.remove(&id).context("its row")?;
        Ok(operation?)
    }

    /// An operation to which this happened, its upload first.
    pub async fn standing(&self, number: u64, transitions: Vec<Transition>) -> Result<Operation> {
        self.store.pinned(&[IMAGE, METADATA].map(pinned)).await?;
        let inserted = self.store.insert(&[new_operation(operation_id(number), SystemClock.now())]).await?.remove(0);
        let Inserted::Present(mut operation) = inserted else { anyhow::bail!("a conflict") };
        for transition in [vec![uploaded()], transitions].concat() {
            *operation = self.advance(&operation, transition).await?;
        }
        Ok(*operation)
    }

    /// The operation once this has happened to it, too.
    pub async fn advance(&self, operation: &Operation, transition: Transition) -> Result<Operation> {
        let commit = Commit { operation: operation.clone(), transition: transition.clone() };
        let Committed::At(at) = self.store.commit(&[commit]).await?.remove(0) else { anyhow::bail!("overtaken") };
        Ok(operation.after(&transition, at)?)
    }

    /// An operation that failed in the mint step, with the letter that it left; `before` is what happened on its way.
    pub async fn failed(&self, number: u64, before: Vec<Transition>, last: Transition) -> Result<String> {
        let operation = self.standing(number, [before, vec![last]].concat()).await?;
        self.letter_of(&operation, i64::try_from(number)?).await
    }

    /// The letter that a failed operation leaves.
    pub async fn letter_of(&self, operation: &Operation, offset: i64) -> Result<String> {
        let request = StepRequest { operation_id: operation.id, state: domain::State::IpfsUploaded, version: 2 };
        let failure = operation.failure.clone().context("it failed")?;
        self.put_aside(MINT_REQUESTS, &serde_json::to_vec(&request)?, offset, &failure).await
    }

    /// A record of somebody else's making.
    pub async fn publish(&self, record: OutgoingRecord) -> Result<()> {
        Ok(self.producer.publish(record).await?)
    }
}

pub fn hopeless() -> Transition {
    Transition::Failed { failure: Failure::permanent("program-error", "custom program error: 0x7"), decided: None }
}

fn uploaded() -> Transition {
    Transition::IpfsUploaded {
        image_cid: IMAGE.parse().expect("a content id"),
        metadata_cid: METADATA.parse().expect("a content id"),
    }
}

fn pinned(cid: &str) -> Pinned {
    taken(Pin { cid: cid.parse().expect("a content id"), size: 1, provider: "pinata".into() })
}

/// The ids that listed letters have.
pub fn ids(letters: &[Value]) -> Vec<&str> {
    letters.iter().filter_map(|letter| letter["id"].as_str()).collect()
}

/// The operation that a request asks for.
pub fn requested(record: &Record) -> Option<OperationId> {
    Some(StepRequest::parse(record.value.as_deref()).ok()?.operation_id)
}
