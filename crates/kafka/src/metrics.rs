//! What the clients count.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

const CONSUMED: &str = "mintfleet_kafka_consumed_records_total";
const PUBLISHED: &str = "mintfleet_kafka_published_records_total";
const PUBLISH_ERRORS: &str = "mintfleet_kafka_publish_errors_total";
const REBALANCES: &str = "mintfleet_kafka_rebalances_total";
const LAG: &str = "mintfleet_kafka_consumer_lag_records";

/// Says what each metric means; once per process.
pub fn describe() {
    describe_counter!(CONSUMED, Unit::Count, "Records handed to the worker, by topic");
    describe_counter!(PUBLISHED, Unit::Count, "Records acknowledged by all replicas in sync, by topic");
    describe_counter!(PUBLISH_ERRORS, Unit::Count, "Records not acknowledged, by topic and kind");
    describe_counter!(REBALANCES, Unit::Count, "Times that partitions were assigned, revoked or lost, by kind");
    describe_gauge!(LAG, Unit::Count, "Records not finished yet in the partitions owned, by topic");
}

pub(crate) fn consumed(topic: &str) {
    counter!(CONSUMED, "topic" => topic.to_owned()).increment(1);
}

pub(crate) fn published(topic: &str) {
    counter!(PUBLISHED, "topic" => topic.to_owned()).increment(1);
}

pub(crate) fn publish_failed(topic: &str, kind: &'static str) {
    counter!(PUBLISH_ERRORS, "topic" => topic.to_owned(), "kind" => kind).increment(1);
}

pub(crate) fn rebalanced(kind: &'static str) {
    counter!(REBALANCES, "kind" => kind).increment(1);
}

pub(crate) fn lag(topic: &str, records: i64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and nobody counts past 2^53 records")]
    gauge!(LAG, "topic" => topic.to_owned()).set(records as f64);
}
