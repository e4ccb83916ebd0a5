//! Properties of librdkafka that are passed through, and those that are not.

use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;

const OURS: &str = "has a setting of its own";
const OFFSETS: &str = "an offset is committed only once its work is durable";
const ACKNOWLEDGED: &str = "an event counts as published only once all replicas in sync have it, once and in order";
const PARTITIONS: &str = "our partitions agree with those of Java and JavaScript producers";
const GROUP: &str = "the consumer is written for the classic protocol with cooperative-sticky assignment";
const MEMORY: &str = "what may be in flight is bounded elsewhere and fitted to it";

/// What cannot be passed through, aliases included, and why.
const RESERVED: [(&str, &str); 36] = [
    ("bootstrap.servers", OURS),
    ("metadata.broker.list", OURS),
    ("client.id", OURS),
    ("security.protocol", OURS),
    ("sasl.mechanism", OURS),
    ("sasl.mechanisms", OURS),
    ("sasl.username", OURS),
    ("sasl.password", OURS),
    ("ssl.ca.location", OURS),
    ("group.id", OURS),
    ("group.instance.id", OURS),
    ("message.max.bytes", OURS),
    ("enable.auto.commit", OFFSETS),
    ("auto.commit.enable", OFFSETS),
    ("enable.auto.offset.store", OFFSETS),
    ("auto.offset.reset", "a record that was not consumed yet is never skipped"),
    ("offset.store.method", OFFSETS),
    ("isolation.level", "a record of a transaction that was rolled back never happened"),
    ("group.protocol", GROUP),
    ("group.protocol.type", GROUP),
    ("group.remote.assignor", GROUP),
    ("partition.assignment.strategy", GROUP),
    ("enable.idempotence", ACKNOWLEDGED),
    ("acks", ACKNOWLEDGED),
    ("request.required.acks", ACKNOWLEDGED),
    ("transactional.id", ACKNOWLEDGED),
    ("max.in.flight", ACKNOWLEDGED),
    ("max.in.flight.requests.per.connection", ACKNOWLEDGED),
    ("retries", ACKNOWLEDGED),
    ("message.send.max.retries", ACKNOWLEDGED),
    ("queuing.strategy", ACKNOWLEDGED),
    ("delivery.report.only.error", "every publish waits for its acknowledgement"),
    ("partitioner", PARTITIONS),
    ("queue.buffering.max.messages", MEMORY),
    ("queue.buffering.max.kbytes", MEMORY),
    ("batch.size", "a record that is too large travels alone, so that it fails alone"),
];

/// Other names of properties that we set ourselves and that may be overridden. One name each, or both would be set and
/// chance decided.
const ALIASES: [(&str, &str); 4] = [
    ("queue.buffering.max.ms", "linger.ms"),
    ("message.timeout.ms", "delivery.timeout.ms"),
    ("compression.codec", "compression.type"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
];

/// The name under which a property is set.
pub(crate) fn canonical(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, canonical)| canonical)
}

/// What is wrong with a property that is to be passed through.
pub(crate) fn check(name: &str, value: &str) -> Option<String> {
    if let Some((_, reason)) = RESERVED.iter().find(|(reserved, _)| *reserved == name) {
        return Some(format!("property {name} cannot be passed through: {reason}"));
    }
    match ClientConfig::new().set(name, value).create_native_config() {
        Ok(_) => None,
        Err(KafkaError::ClientConfig(_, description, ..)) => Some(describe_refusal(name, &description)),
        Err(_) => Some(format!("property {name} is refused")),
    }
}

/// Why librdkafka refuses a property. Its own words are kept back, for they repeat the value, which may be secret.
pub(crate) fn describe_refusal(name: &str, description: &str) -> String {
    if description.contains("No such configuration property") {
        format!("property {name} is unknown to librdkafka")
    } else {
        format!("property {name} does not take this value")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_a_promise_is_refused_with_its_reason() {
        for (name, reason) in RESERVED {
            assert!(check(name, "1").unwrap().contains(reason), "{name}");
        }
    }

    #[test]
    fn what_is_reserved_exists() {
        let unknown = |name: &&str| {
            let refused = ClientConfig::new().set(*name, "\u{1}").create_native_config().err().map(|e| e.to_string());
            refused.is_some_and(|message| message.contains("No such configuration property"))
        };
        let names = RESERVED.iter().chain(&ALIASES).map(|(name, _)| *name);
        assert_eq!(names.filter(unknown).collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn anything_else_is_passed_through_if_librdkafka_takes_it() {
        assert_eq!(check("session.timeout.ms", "45000"), None);
        assert_eq!(check("ssl.endpoint.identification.algorithm", "none"), None);
        assert_eq!(check("compression.codec", "lz4"), None);
        assert_eq!(check("sesion.timeout.ms", "1").unwrap(), "property sesion.timeout.ms is unknown to librdkafka");
        assert!(check("session.timeout.ms", "soon").unwrap().contains("does not take this value"));
        assert_eq!(canonical("compression.codec"), "compression.type");
        assert_eq!(canonical("fetch.wait.max.ms"), "fetch.wait.max.ms");
    }
}
