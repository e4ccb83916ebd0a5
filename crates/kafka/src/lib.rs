//! Kafka, I/O only: a consumer on a thread of its own that feeds `engine::Assignment`, a producer behind
//! `engine::EventSink`, and what is asked of the cluster around them. Nothing is decided here. No other crate knows
//! rdkafka.

mod admin;
mod backlog;
mod client;
mod cluster;
mod consumer;
mod error;
mod fatal;
mod group;
mod handle;
mod lag;
mod metrics;
mod partitions;
mod patience;
mod producer;
mod properties;
mod read;
mod record;
mod refusal;
mod settings;
mod topics;

pub use admin::{Admin, Difference, TopicOutcome, TopicReport};
pub use backlog::GroupBacklog;
pub use cluster::{Broker, Cluster, TopicDescription};
pub use consumer::Consumer;
pub use error::Error;
pub use fatal::FatalError;
pub use handle::{ConsumerHandle, Heartbeat};
pub use lag::PartitionLag;
pub use metrics::describe as describe_metrics;
pub use producer::Producer;
pub use settings::{KafkaSettings, Sasl, SaslMechanism, SecurityProtocol, UnknownName};
pub use topics::{TopicPlan, TopicSpec};
