//! What the engine counts.

use domain::Failure;
use metrics::{counter, describe_counter};

const DONE: &str = "mintfleet_records_done_total";
const RETRIED: &str = "mintfleet_records_retried_total";
const PUT_OFF: &str = "mintfleet_records_put_off_total";
const PUBLISHED_FROM_ROWS: &str = "mintfleet_rows_published_total";
const FLOODED: &str = "mintfleet_partitions_flooded_total";
const DEAD_LETTERED: &str = "mintfleet_records_dead_lettered_total";

/// Says what each metric means; once per process.
pub fn describe() {
    describe_counter!(DONE, "Records whose work is durable and told, by step");
    describe_counter!(RETRIED, "Tries that are repeated, by step, class and code");
    describe_counter!(PUT_OFF, "Records whose operation waits for its next try in its row, by step, class and code");
    describe_counter!(PUBLISHED_FROM_ROWS, "Events published from rows, by step and reason: due, owed, still");
    describe_counter!(FLOODED, "Partitions that were stopped because most of what they brought was poison, by topic");
    describe_counter!(DEAD_LETTERED, "Records put aside, by step, class and code");
}

pub(crate) fn done(step: &'static str) {
    counter!(DONE, "step" => step).increment(1);
}

pub(crate) fn retried(step: &'static str, failure: &Failure) {
    counter!(RETRIED, "step" => step, "class" => failure.class.as_str(), "code" => failure.code.clone()).increment(1);
}

pub(crate) fn put_off(step: &'static str, failure: &Failure) {
    counter!(PUT_OFF, "step" => step, "class" => failure.class.as_str(), "code" => failure.code.clone()).increment(1);
}

pub(crate) fn published_from_row(step: &'static str, reason: &'static str) {
    counter!(PUBLISHED_FROM_ROWS, "step" => step, "reason" => reason).increment(1);
}

pub(crate) fn flooded(topic: &str) {
    counter!(FLOODED, "topic" => topic.to_owned()).increment(1);
}

pub(crate) fn dead_lettered(step: &'static str, failure: &Failure) {
    counter!(DEAD_LETTERED, "step" => step, "class" => failure.class.as_str(), "code" => failure.code.clone())
        .increment(1);
}
