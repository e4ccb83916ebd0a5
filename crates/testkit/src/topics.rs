//! Kafka for tests: the stack's brokers, and topics that no other test touches.

/// The brokers that tests run against.
///
/// # Panics
/// Without `KAFKA_BROKERS`: a test that needs the stack is not passed by default.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the only way from the stack into a test")]
pub fn kafka_brokers() -> String {
    std::env::var("KAFKA_BROKERS").expect("KAFKA_BROKERS is not set: run make test")
}

/// A prefix for topics and groups that nobody else uses, now or in a later run.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "uniqueness is the purpose; nothing else depends on the value")]
pub fn unique_prefix(test: &str) -> String {
    format!("test-{test}-{}.", uuid::Uuid::new_v4().simple())
}
