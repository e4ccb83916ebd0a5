//! Topics are created here, and only by command: brokers of a fleet should not create them on sight.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::client;
use crate::cluster::TopicDescription;
use crate::error::Error;
use crate::settings::KafkaSettings;
use crate::topics::{TopicPlan, TopicSpec};

/// How long a question to the cluster may take.
pub(crate) const WITHIN: Duration = Duration::from_secs(30);

/// Asks and tells the cluster what is not about single records.
#[derive(Clone)]
pub struct Admin {
    pub(crate) client: Arc<AdminClient<Quiet>>,
    pub(crate) settings: KafkaSettings,
}

/// Something about an existing topic that is not as it is meant to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `partitions`, `replication`, or the name of a topic configuration.
    pub what: String,
    /// As it is meant to be.
    pub wanted: String,
    /// As it is.
    pub found: String,
}

/// What became of a topic that was to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicOutcome {
    /// It is new.
    Created,
    /// It was there, as it is meant to be.
    Exists,
    /// It was there, but not as it is meant to be. It was left alone.
    Differs(Vec<Difference>),
    /// It was not created, for this reason.
    Failed(String),
}

/// What became of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicReport {
    /// Which topic.
    pub name: String,
    /// What became of it.
    pub outcome: TopicOutcome,
}

impl Admin {
    /// Makes the client; asks nothing yet.
    ///
    /// # Errors
    /// [`Error::Settings`], [`Error::Client`].
    pub fn connect(settings: &KafkaSettings) -> Result<Self, Error> {
        let client = client::plain(settings)?.create_with_context(Quiet).map_err(Error::client)?;
        Ok(Self { client: Arc::new(client), settings: settings.clone() })
    }

    /// Creates what is missing of a fleet's topics and compares what is there. Running it again changes nothing.
    ///
    /// # Errors
    /// [`Error::Request`] when the cluster did not answer. What became of a single topic is in its report.
    pub async fn create_topics(&self, plan: &TopicPlan) -> Result<Vec<TopicReport>, Error> {
        self.ensure(&plan.topics()).await
    }

    /// The same for any topics.
    ///
    /// # Errors
    /// [`Error::Request`].
    pub async fn ensure(&self, topics: &[TopicSpec]) -> Result<Vec<TopicReport>, Error> {
        let wanted: Vec<_> = topics.iter().map(new_topic).collect();
        let answers = self.client.create_topics(&wanted, &Self::options()).await;
        let answers: HashMap<String, Option<RDKafkaErrorCode>> = answers
            .map_err(Error::request("creating topics"))?
            .into_iter()
            .map(|answer| answer.map_or_else(|(name, code)| (name, Some(code)), |name| (name, None)))
            .collect();
        let existing = |spec: &&TopicSpec| answers.get(&spec.name) == Some(&Some(RDKafkaErrorCode::TopicAlreadyExists));
        let existing: Vec<_> = topics.iter().filter(existing).map(|spec| spec.name.clone()).collect();
        let described = if existing.is_empty() { Vec::new() } else { self.describe(&existing).await? };
        let outcome = |spec: &TopicSpec| match answers.get(&spec.name) {
            Some(None) => TopicOutcome::Created,
            Some(Some(RDKafkaErrorCode::TopicAlreadyExists)) => {
                match described.iter().find(|topic| topic.name == spec.name).map(|topic| differences(spec, topic)) {
                    Some(differences) if differences.is_empty() => TopicOutcome::Exists,
                    Some(differences) => TopicOutcome::Differs(differences),
                    None => TopicOutcome::Failed("exists, but may not be seen".to_owned()),
                }
            }
            Some(Some(code)) => TopicOutcome::Failed(code.to_string()),
            None => TopicOutcome::Failed("the cluster said nothing of it".to_owned()),
        };
        Ok(topics.iter().map(|spec| TopicReport { name: spec.name.clone(), outcome: outcome(spec) }).collect())
    }

    pub(crate) fn options() -> AdminOptions {
        // Both: the answer is to come after the topic is known to all brokers, and it is to come.
        AdminOptions::new().request_timeout(Some(WITHIN)).operation_timeout(Some(WITHIN))
    }
}

fn new_topic(spec: &TopicSpec) -> NewTopic<'_> {
    let replication = TopicReplication::Fixed(spec.replication.into());
    let topic = NewTopic::new(&spec.name, spec.partitions.into(), replication);
    spec.config.iter().fold(topic, |topic, (name, value)| topic.set(name, value))
}

fn differences(spec: &TopicSpec, found: &TopicDescription) -> Vec<Difference> {
    let shape = [
        ("partitions", spec.partitions.to_string(), found.partitions.to_string()),
        ("replication", spec.replication.to_string(), found.replication.to_string()),
    ];
    let config = spec.config.iter().map(|(name, wanted)| {
        let found = found.config.get(*name).cloned().unwrap_or_default();
        (*name, wanted.clone(), found)
    });
    let all = shape.into_iter().chain(config);
    all.filter(|(_, wanted, found)| wanted != found)
        .map(|(what, wanted, found)| Difference { what: what.to_owned(), wanted, found })
        .collect()
}

/// Errors come back with the answers; what is left is for the log.
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka");
    }
}
