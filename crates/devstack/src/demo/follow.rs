//! Follows operations by what the API is told: the status topic.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use domain::{OperationId, State, StatusChanged, Topic};
use engine::{Assignment, Delivery, Window};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use kafka::{Consumer, ConsumerHandle, KafkaSettings};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::order::{Order, brokers};

/// An operation and all that was said of it.
#[derive(Debug, Clone)]
pub struct Journey {
    /// What was ordered.
    pub order: Order,
    /// When each state was reached.
    pub reached: HashMap<State, DateTime<Utc>>,
    /// The latest word.
    pub latest: Option<StatusChanged>,
}

impl Journey {
    /// Seconds from one state to the next one that was told of.
    #[must_use]
    pub fn seconds(&self, from: State, to: State) -> Option<f64> {
        let spent = *self.reached.get(&to)? - *self.reached.get(&from)?;
        spent.to_std().ok().map(|spent| spent.as_secs_f64())
    }

    fn note(&mut self, status: StatusChanged) {
        self.reached.entry(status.state).or_insert(status.at);
        if self.latest.as_ref().is_none_or(|latest| latest.version < status.version) {
            self.latest = Some(status);
        }
    }

    /// Whether nothing more is to come.
    pub(crate) fn ended(&self) -> bool {
        self.latest.as_ref().is_some_and(|latest| latest.state.step().is_none())
    }
}

/// The stages that have a bar each: its name and the state that completes it.
const STAGES: [(&str, State); 3] =
    [("uploaded", State::IpfsUploaded), ("minted", State::BlockchainConfirmed), ("verified", State::Verified)];

/// A progress bar for each stage.
#[must_use]
pub fn bars(operations: usize) -> Vec<(State, ProgressBar)> {
    let shown = MultiProgress::new();
    let style = ProgressStyle::with_template("{prefix:>9} {bar:40} {pos:>5}/{len}  {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = |(name, state): (&'static str, State)| {
        let bar = ProgressBar::new(operations as u64).with_style(style.clone()).with_prefix(name);
        (state, shown.add(bar))
    };
    STAGES.map(bar).into()
}

/// A reader of the status topic.
#[derive(Debug)]
pub struct Follower {
    consumer: Option<ConsumerHandle>,
    assignment: Arc<Assignment>,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    journeys: HashMap<OperationId, Journey>,
    sequence: Vec<OperationId>,
}

impl Follower {
    /// Reads from the beginning of the topic, so that nothing is missed.
    ///
    /// # Errors
    /// Kafka cannot be consumed.
    pub fn start(env: &BTreeMap<String, String>, orders: &[Order]) -> Result<Self> {
        let settings = KafkaSettings::new(brokers(env)?, "devstack-demo");
        let assignment = Assignment::new(Window { records: 1 << 20, bytes: 1 << 30 });
        let (sender, deliveries) = mpsc::unbounded_channel();
        let group = format!("devstack-demo-{}", Uuid::now_v7());
        let topics = [Topic::Status.name("")];
        let consumer = Consumer::start(&settings, &group, &topics, Arc::clone(&assignment), sender)?;
        let journey = |order: &Order| {
            (order.event.operation_id, Journey { order: order.clone(), reached: HashMap::new(), latest: None })
        };
        Ok(Self {
            consumer: Some(consumer),
            assignment,
            deliveries,
            journeys: orders.iter().map(journey).collect(),
            sequence: orders.iter().map(|order| order.event.operation_id).collect(),
        })
    }

    /// Waits until every operation has ended, well or badly, and answers in the order they were published.
    ///
    /// # Errors
    /// Nothing moves for `standstill`.
    pub async fn until_ended(&mut self, standstill: Duration, bars: &[(State, ProgressBar)]) -> Result<Vec<Journey>> {
        self.until(standstill, bars, |journeys| journeys.values().all(Journey::ended)).await?;
        for (_, bar) in bars {
            bar.finish();
        }
        self.close().await
    }

    /// Waits until every operation has ended or nothing has moved for `standstill`, and answers in the order they were
    /// published: what stands still then has not ended.
    ///
    /// # Errors
    /// Kafka cannot be read.
    pub async fn until_ended_or_still(&mut self, standstill: Duration) -> Result<Vec<Journey>> {
        self.moves_on(standstill, &[], |journeys| journeys.values().all(Journey::ended)).await?;
        self.close().await
    }

    async fn close(&mut self) -> Result<Vec<Journey>> {
        if let Some(consumer) = self.consumer.take() {
            consumer.close().await?;
        }
        Ok(self.sequence.iter().filter_map(|id| self.journeys.get(id).cloned()).collect())
    }

    /// Waits until that many operations have reached a state.
    ///
    /// # Errors
    /// Nothing moves for `standstill`.
    pub async fn until_reached(&mut self, standstill: Duration, state: State, operations: usize) -> Result<()> {
        self.until(standstill, &[], |journeys| {
            journeys.values().filter(|journey| journey.reached.contains_key(&state)).count() >= operations
        })
        .await
    }

    async fn until(
        &mut self,
        standstill: Duration,
        bars: &[(State, ProgressBar)],
        done: impl Fn(&HashMap<OperationId, Journey>) -> bool,
    ) -> Result<()> {
        if self.moves_on(standstill, bars, done).await? {
            return Ok(());
        }
        bail!("nothing has moved for {} s: {}", standstill.as_secs(), self.standing())
    }

    /// Reads until it is done; says whether it is, or nothing has moved for `standstill`.
    async fn moves_on(
        &mut self,
        standstill: Duration,
        bars: &[(State, ProgressBar)],
        done: impl Fn(&HashMap<OperationId, Journey>) -> bool,
    ) -> Result<bool> {
        while !done(&self.journeys) {
            let next = tokio::time::timeout(standstill, self.deliveries.recv()).await;
            let Ok(delivery) = next else { return Ok(false) };
            self.note(&delivery.context("the status topic cannot be read any more")?, bars);
        }
        Ok(true)
    }

    fn note(&mut self, delivery: &Delivery, bars: &[(State, ProgressBar)]) {
        self.assignment.finished(&delivery.ticket);
        let value = delivery.record.value.as_deref().unwrap_or_default();
        let Ok(status) = serde_json::from_slice::<StatusChanged>(value) else { return };
        let Some(journey) = self.journeys.get_mut(&status.operation_id) else { return };
        let is_news = !journey.reached.contains_key(&status.state);
        for (_, bar) in bars.iter().filter(|(state, _)| is_news && *state == status.state) {
            bar.inc(1);
        }
        journey.note(status);
    }

    /// How many operations stand where.
    fn standing(&self) -> String {
        let mut standing: BTreeMap<&str, usize> = BTreeMap::new();
        for journey in self.journeys.values() {
            let state = journey.latest.as_ref().map_or("not accepted", |latest| latest.state.as_str());
            *standing.entry(state).or_default() += 1;
        }
        standing.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ")
    }
}
