//! Is the broker there, and are the topics?

use std::time::Duration;

use kafka::{Admin, Cluster, TopicPlan};
use service::config;

use super::row::Row;
use crate::run::read;

const WHAT: &str = "kafka";
/// How many missing topics are named.
const SHOWN: usize = 3;
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn examine() -> Vec<Row> {
    let settings = match read(config::kafka_settings) {
        Ok(settings) => settings,
        Err(error) => return Row::configuration(WHAT, error),
    };
    let admin = match Admin::connect(&settings) {
        Ok(admin) => admin,
        Err(error) => return vec![Row::fail(WHAT, error, "correct the KAFKA_ variables")],
    };
    match admin.cluster(PATIENCE).await {
        Ok(cluster) => vec![brokers(&cluster), topics(&cluster, &settings.topic_prefix)],
        Err(error) => vec![Row::fail(WHAT, error, "start Kafka, or correct KAFKA_BROKERS and its credentials")],
    }
}

fn brokers(cluster: &Cluster) -> Row {
    let addresses: Vec<_> = cluster.brokers.iter().map(|broker| broker.address.as_str()).collect();
    let id = cluster.id.as_deref().unwrap_or("without an id");
    Row::ok(WHAT, format!("cluster {id}, {} broker(s): {}", addresses.len(), addresses.join(", ")))
}

fn topics(cluster: &Cluster, prefix: &str) -> Row {
    const TOPICS: &str = "kafka topics";
    let wanted: Vec<_> = TopicPlan::new(prefix).topics().into_iter().map(|topic| topic.name).collect();
    let missing: Vec<_> =
        wanted.iter().filter(|name| !cluster.topics.contains_key(*name)).map(String::as_str).collect();
    if missing.is_empty() {
        Row::ok(TOPICS, format!("all {} there", wanted.len()))
    } else {
        let shown = missing.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        let more = if missing.len() > SHOWN { ", …" } else { "" };
        let found = format!("{} of {} missing: {shown}{more}", missing.len(), wanted.len());
        Row::fail(TOPICS, found, "run mintctl topics")
    }
}
