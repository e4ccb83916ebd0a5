//! What these tests share. Each has topics and a group of its own.
#![allow(dead_code, reason = "each test file is a program of its own and uses its part")]

pub mod working;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use domain::OutgoingRecord;
use engine::{Assignment, Delivery, EventSink, Window};
use kafka::{Admin, Consumer, ConsumerHandle, KafkaSettings, PartitionLag, Producer, TopicOutcome, TopicSpec};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// For whatever has to happen some time.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A topic of a test's own, and a group's name beside it.
pub struct Ground {
    pub settings: KafkaSettings,
    pub topic: String,
    pub group: String,
    pub admin: Admin,
}

impl Ground {
    pub async fn new(test: &str, partitions: u16) -> Result<Self> {
        Self::on(KafkaSettings::new(testkit::kafka_brokers(), test), test, partitions).await
    }

    pub async fn on(settings: KafkaSettings, test: &str, partitions: u16) -> Result<Self> {
        let prefix = testkit::unique_prefix(test);
        let admin = Admin::connect(&settings)?;
        let topic = format!("{prefix}topic");
        let config = BTreeMap::from([("max.message.bytes", (1 << 20).to_string())]);
        let spec = TopicSpec { name: topic.clone(), partitions, replication: 1, config };
        let report = admin.ensure(&[spec]).await?;
        ensure!(report[0].outcome == TopicOutcome::Created, "{report:?}");
        Ok(Self { settings, topic, group: format!("{prefix}group"), admin })
    }

    pub fn producer(&self) -> Result<Producer> {
        Ok(Producer::start(&self.settings)?)
    }

    pub fn record(&self, key: &str, value: &str) -> OutgoingRecord {
        OutgoingRecord {
            topic: self.topic.clone(),
            partition: None,
            key: Some(key.into()),
            value: Some(value.into()),
            headers: vec![],
        }
    }

    /// A record for a partition of our choice.
    pub fn record_at(&self, partition: i32, value: &str) -> OutgoingRecord {
        self.record_with(partition, "", value)
    }

    /// The same, with a key.
    pub fn record_with(&self, partition: i32, key: &str, value: &str) -> OutgoingRecord {
        OutgoingRecord { partition: Some(partition), ..self.record(key, value) }
    }

    pub fn worker(&self, window: Window) -> Result<Worker> {
        Worker::start(&self.settings, &self.group, &self.topic, window)
    }

    pub async fn lag(&self) -> Result<Vec<PartitionLag>> {
        Ok(self.admin.lag(&self.group, std::slice::from_ref(&self.topic)).await?)
    }

    /// Waits until the group's commits look as they should.
    pub async fn committed(&self, expected: impl Fn(&PartitionLag) -> bool) -> Result<()> {
        eventually("the group commits", async || Ok(self.lag().await?.iter().all(&expected))).await
    }
}

/// A consumer whose work is done by hand.
pub struct Worker {
    pub handle: ConsumerHandle,
    pub assignment: Arc<Assignment>,
    pub deliveries: UnboundedReceiver<Delivery>,
}

impl Worker {
    pub fn start(settings: &KafkaSettings, group: &str, topic: &str, window: Window) -> Result<Self> {
        let assignment = Assignment::new(window);
        let (sender, deliveries) = unbounded_channel();
        let handle = Consumer::start(settings, group, &[topic.to_owned()], assignment.clone(), sender)?;
        Ok(Self { handle, assignment, deliveries })
    }

    /// The next record, not finished yet.
    pub async fn next(&mut self) -> Result<Delivery> {
        within("a record", self.deliveries.recv()).await?.ok_or_else(|| anyhow::anyhow!("the consumer ended"))
    }

    /// So many records, not finished yet.
    pub async fn take(&mut self, count: usize) -> Result<Vec<Delivery>> {
        let mut taken = Vec::new();
        while taken.len() < count {
            taken.push(self.next().await?);
        }
        Ok(taken)
    }

    /// Waits until the consumer's thread has gone round once more: what it was asked for before has been done.
    pub async fn turned(&self) -> Result<()> {
        let heartbeat = self.handle.heartbeat();
        // The first beat begins a round; the second one ends it.
        for _ in 0..2 {
            let asked = Instant::now();
            eventually("the thread turns", async || {
                let waited = asked.elapsed();
                Ok(heartbeat.age() < waited)
            })
            .await?;
        }
        Ok(())
    }

    pub fn finish(&self, deliveries: &[Delivery]) {
        for delivery in deliveries {
            self.assignment.finished(&delivery.ticket);
        }
    }
}

/// Publishes all at once.
pub async fn publish(producer: &Producer, records: impl IntoIterator<Item = OutgoingRecord>) -> Result<()> {
    let publishing: Vec<_> = records
        .into_iter()
        .map(|record| {
            let producer = producer.clone();
            tokio::spawn(async move { producer.publish(record).await })
        })
        .collect();
    for published in publishing {
        published.await??;
    }
    Ok(())
}

pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> Result<T> {
    timeout(PATIENCE, future).await.map_err(|_| anyhow::anyhow!("waited in vain: {what}"))
}

pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let wait = async {
        while !holds().await? {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    };
    within(what, wait).await?
}
