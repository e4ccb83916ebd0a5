//! What this crate counts.

use std::sync::Arc;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::RpcError;

const CALLS: &str = "mintfleet_rpc_calls_total";
const FAILURES: &str = "mintfleet_rpc_failures_total";
const SECONDS: &str = "mintfleet_rpc_seconds";
const OPEN: &str = "mintfleet_signatures_open";

/// Says what each metric means; once per process.
pub fn describe_metrics() {
    describe_counter!(CALLS, "RPC requests made, by endpoint and method");
    describe_counter!(FAILURES, "RPC requests that brought no result, by endpoint, method and code");
    describe_histogram!(SECONDS, metrics::Unit::Seconds, "How long an RPC request took, by endpoint and method");
    describe_gauge!(OPEN, "Signatures whose fate is waited for");
}

pub(crate) fn called(endpoint: &Arc<str>, method: &'static str, seconds: f64) {
    counter!(CALLS, "endpoint" => Arc::clone(endpoint), "method" => method).increment(1);
    histogram!(SECONDS, "endpoint" => Arc::clone(endpoint), "method" => method).record(seconds);
}

pub(crate) fn failed(error: &RpcError) {
    let endpoint = Arc::clone(&error.endpoint);
    counter!(FAILURES, "endpoint" => endpoint, "method" => error.method, "code" => error.code()).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn open_signatures(count: usize) {
    gauge!(OPEN).set(count as f64);
}
