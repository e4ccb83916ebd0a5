//! What this worker counts.

use metrics::{counter, describe_counter};

const FAILED_OVER: &str = "mintfleet_pins_failed_over_total";
const BROUGHT_HOME: &str = "mintfleet_pins_brought_home_total";
const UNPINNED: &str = "mintfleet_contents_unpinned_total";

/// Says what each metric means; once per process.
pub(crate) fn describe() {
    describe_counter!(FAILED_OVER, "Contents that a backup took because the first pin provider is down, by provider");
    describe_counter!(
        BROUGHT_HOME,
        "Contents that the first pin provider was given later, by outcome (ok or a failure's code)"
    );
    describe_counter!(
        UNPINNED,
        "Contents of failed operations that were unpinned at a provider, by outcome (ok or a failure's code)"
    );
}

pub(crate) fn unpinned(outcome: String) {
    counter!(UNPINNED, "outcome" => outcome).increment(1);
}

pub(crate) fn failed_over(provider: &'static str) {
    counter!(FAILED_OVER, "provider" => provider).increment(1);
}

pub(crate) fn brought_home(outcome: String) {
    counter!(BROUGHT_HOME, "outcome" => outcome).increment(1);
}
