//! What this crate counts.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_histogram, histogram};

const PINS: &str = "mintfleet_ipfs_pins_total";
const PIN_SECONDS: &str = "mintfleet_ipfs_pin_seconds";
const PINNED_BYTES: &str = "mintfleet_ipfs_pinned_bytes_total";
const RESUMABLE_BYTES: &str = "mintfleet_ipfs_resumable_bytes_total";
const RESUMPTIONS: &str = "mintfleet_ipfs_resumptions_total";
const GATEWAY_READS: &str = "mintfleet_ipfs_gateway_reads_total";
const GATEWAY_SECONDS: &str = "mintfleet_ipfs_gateway_read_seconds";
const FETCHES: &str = "mintfleet_image_fetches_total";
const COMPRESSIONS: &str = "mintfleet_image_compressions_total";
const COMPRESSION_SECONDS: &str = "mintfleet_image_compression_seconds";

/// Says what each metric means; once per process.
pub fn describe() {
    describe_counter!(PINS, "Uploads to a pin provider, by provider and outcome (ok or the failure's code)");
    describe_histogram!(PIN_SECONDS, "Seconds an upload took, by provider");
    describe_counter!(PINNED_BYTES, "Bytes a provider took, by provider");
    describe_counter!(RESUMABLE_BYTES, "Bytes of resumable uploads that a provider has so far, by provider");
    describe_counter!(RESUMPTIONS, "Resumable uploads that went on after a broken connection, by provider");
    describe_counter!(GATEWAY_READS, "Reads from a gateway, by gateway and outcome");
    describe_histogram!(GATEWAY_SECONDS, "Seconds a read took, by gateway");
    describe_counter!(FETCHES, "Images fetched, by kind of source and outcome (ok or the failure's code)");
    describe_counter!(COMPRESSIONS, "Images checked and compressed, by outcome (ok or the failure's code)");
    describe_histogram!(COMPRESSION_SECONDS, "Seconds that checking and compressing an image took");
}

pub(crate) fn pin(provider: &'static str, outcome: &'static str, bytes: usize, took: Duration) {
    counter!(PINS, "provider" => provider, "outcome" => outcome).increment(1);
    histogram!(PIN_SECONDS, "provider" => provider).record(took);
    if outcome == OK {
        counter!(PINNED_BYTES, "provider" => provider).increment(bytes as u64);
    }
}

pub(crate) fn resumable_bytes(provider: &'static str, bytes: u64) {
    counter!(RESUMABLE_BYTES, "provider" => provider).increment(bytes);
}

pub(crate) fn resumption(provider: &'static str) {
    counter!(RESUMPTIONS, "provider" => provider).increment(1);
}

pub(crate) fn gateway_read(gateway: &str, outcome: &'static str, took: Duration) {
    counter!(GATEWAY_READS, "gateway" => gateway.to_owned(), "outcome" => outcome).increment(1);
    histogram!(GATEWAY_SECONDS, "gateway" => gateway.to_owned()).record(took);
}

pub(crate) fn fetch(source: &'static str, outcome: &'static str) {
    counter!(FETCHES, "source" => source, "outcome" => outcome).increment(1);
}

pub(crate) fn compression(outcome: &'static str, took: Duration) {
    counter!(COMPRESSIONS, "outcome" => outcome).increment(1);
    histogram!(COMPRESSION_SECONDS).record(took);
}

/// The outcome of what went well.
pub(crate) const OK: &str = "ok";
