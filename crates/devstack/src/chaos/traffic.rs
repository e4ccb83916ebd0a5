//! Operations that keep coming, as an API's users send them, whatever the fleet is going through.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use domain::{OutgoingRecord, Topic};
use engine::EventSink;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use kafka::{KafkaSettings, Producer};
use rand::Rng;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::demo::{Order, brokers, orders, record};

/// What nobody can make sense of.
const POISON: [&[u8]; 4] = [b"{", b"\xff\xfe", b"[]", br#"{"operationId":"none","type":"unlock"}"#];
/// Before a record is published again that the broker did not take.
const PAUSE: Duration = Duration::from_millis(200);

/// A stream of operations that is being published.
#[derive(Debug)]
pub(super) struct Traffic {
    task: JoinHandle<Result<Published>>,
    percent: watch::Sender<Option<u8>>,
}

/// What was published, each record acknowledged.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub orders: Vec<Order>,
    pub poison: usize,
}

impl Traffic {
    /// Publishes `rate` records a second from now on, operations numbered from `first`.
    pub(super) fn start(env: &BTreeMap<String, String>, rate: u32, first: usize, seed: u64) -> Result<Self> {
        let producer = Producer::start(&KafkaSettings::new(brokers(env)?, "devstack-chaos"))?;
        let (percent, poisoned) = watch::channel(Some(0));
        let stream = Stream { producer, every: Duration::from_secs(1) / rate.max(1), poisoned };
        let random = StdRng::seed_from_u64(seed);
        Ok(Self { task: tokio::spawn(stream.flow(first, random)), percent })
    }

    /// From now on, this many of a hundred records are poison.
    pub(super) fn poison(&self, percent: u8) {
        self.percent.send_replace(Some(percent));
    }

    /// Stops, and waits until the broker has taken everything.
    pub(super) async fn stop(self) -> Result<Published> {
        self.percent.send_replace(None);
        self.task.await.context("the traffic broke down")?
    }
}

struct Stream {
    producer: Producer,
    every: Duration,
    /// How many of a hundred; none once it is over.
    poisoned: watch::Receiver<Option<u8>>,
}

impl Stream {
    async fn flow(mut self, first: usize, mut random: StdRng) -> Result<Published> {
        let mut published = Published::default();
        let mut orders = orders(first);
        let mut on_their_way = FuturesUnordered::new();
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                Some(()) = on_their_way.next() => continue,
                changed = self.poisoned.changed() => {
                    changed.context("nobody waits for the traffic any more")?;
                    if self.poisoned.borrow().is_none() {
                        break;
                    }
                    continue;
                }
            }
            let percent = self.poisoned.borrow().unwrap_or_default();
            if random.random_range(0..100) < percent {
                published.poison += 1;
                on_their_way.push(publish(self.producer.clone(), poison(&mut random)));
            } else {
                let order = orders.next().context("there is always another operation")?;
                on_their_way.push(publish(self.producer.clone(), record(&order)?));
                published.orders.push(order);
            }
        }
        while on_their_way.next().await.is_some() {}
        Ok(published)
    }
}

/// Until the broker takes it: no user's operation is given up because Kafka is down.
async fn publish(producer: Producer, record: OutgoingRecord) {
    while producer.publish(record.clone()).await.is_err() {
        sleep(PAUSE).await;
    }
}

fn poison(random: &mut StdRng) -> OutgoingRecord {
    let value = POISON.choose(random).copied().unwrap_or_default();
    OutgoingRecord {
        topic: Topic::Operations.name(""),
        partition: None,
        key: None,
        value: Some(value.to_vec()),
        headers: vec![],
    }
}
