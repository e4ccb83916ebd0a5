//! What every client is configured with, and why.

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use secrecy::ExposeSecret;

use crate::error::Error;
use crate::properties;
use crate::settings::KafkaSettings;

/// Bytes of records that may wait for acknowledgement in one producer. Whoever would exceed it waits in line.
pub(crate) const IN_FLIGHT_BYTES: u32 = 16 << 20;

/// For admin questions, and the base of the others.
pub(crate) fn plain(settings: &KafkaSettings) -> Result<ClientConfig, Error> {
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(Error::Settings(problems));
    }
    let mut config = ClientConfig::new();
    config
        .set_log_level(RDKafkaLogLevel::Warning)
        .set("bootstrap.servers", &settings.brokers)
        .set("client.id", &settings.client_id)
        .set("security.protocol", settings.security_protocol.as_str())
        // A connection that a firewall forgot is found out.
        .set("socket.keepalive.enable", "true")
        // 10 s by default: a broker that is back is to be found sooner.
        .set("reconnect.backoff.max.ms", "2000")
        // 5 min by default: topics and partitions that were added are to be found sooner.
        .set("topic.metadata.refresh.interval.ms", "10000");
    if let Some(sasl) = &settings.sasl {
        config
            .set("sasl.mechanism", sasl.mechanism.as_str())
            .set("sasl.username", &sasl.username)
            .set("sasl.password", sasl.password.expose_secret());
    }
    if let Some(path) = &settings.ca_location {
        config.set("ssl.ca.location", path.to_string_lossy());
    }
    Ok(pass_through(config, settings))
}

pub(crate) fn consumer(settings: &KafkaSettings, group: &str) -> Result<ClientConfig, Error> {
    let mut config = plain(settings)?;
    config
        .set("group.id", group)
        // Session timeout, static membership and assignment are this process's to choose; in the newer protocol the
        // broker's.
        .set("group.protocol", "classic")
        // Partitions that stay with their owner are worked on while others move.
        .set("partition.assignment.strategy", "cooperative-sticky")
        // Commits happen by themselves, of what we stored; we store what is finished.
        .set("enable.auto.commit", "true")
        .set("enable.auto.offset.store", "false")
        // A killed worker's finished records of the last second are delivered again, at most.
        .set("auto.commit.interval.ms", "1000")
        // A new group misses nothing.
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        // A killed worker's partitions move within 10 s. Polling has its own thread, so nothing slower than a dead
        // process misses a heartbeat.
        .set("session.timeout.ms", "10000")
        .set("heartbeat.interval.ms", "3000")
        // A polling thread that stands still for two minutes is broken: others take over.
        .set("max.poll.interval.ms", "120000")
        // What is fetched ahead is bounded in bytes: memory is for work in hand.
        .set("queued.max.messages.kbytes", "4096")
        .set("fetch.max.bytes", "4194304")
        // How long a fetcher sleeps that found the queue full; 1 s by default, in which the small queue runs dry.
        .set("fetch.queue.backoff.ms", "50")
        // One fetch at a time: a partition that is resumed waits until the one under way is answered, 500 ms by default.
        .set("fetch.wait.max.ms", "100")
        // Lag is taken from it.
        .set("statistics.interval.ms", "10000");
    if let Some(id) = &settings.instance_id {
        config.set("group.instance.id", id);
    }
    Ok(pass_through(config, settings))
}

pub(crate) fn producer(settings: &KafkaSettings) -> Result<ClientConfig, Error> {
    let mut config = plain(settings)?;
    config
        // Retries neither double nor reorder.
        .set("enable.idempotence", "true")
        .set("acks", "all")
        // Records of one moment share a request; a single one is not held up noticeably.
        .set("linger.ms", "2")
        // The hash of Java's and JavaScript's producers.
        .set("partitioner", "murmur2_random")
        .set("compression.type", "zstd")
        .set("message.max.bytes", (settings.max_record_bytes + KafkaSettings::DEAD_LETTER_ROOM).to_string())
        // The broker refuses whole batches. Larger records than this travel alone, so that one too large fails alone.
        .set("batch.size", (256 << 10).to_string())
        // After that the caller hears of it and tries again when it sees fit.
        .set("delivery.timeout.ms", "30000")
        // Never reached: callers wait in line before.
        .set("queue.buffering.max.kbytes", (2 * IN_FLIGHT_BYTES / 1024).to_string());
    Ok(pass_through(config, settings))
}

/// What the operator chose is set last: it has been checked that it breaks no promise.
fn pass_through(mut config: ClientConfig, settings: &KafkaSettings) -> ClientConfig {
    for (name, value) in &settings.properties {
        config.set(properties::canonical(name), value);
    }
    config
}

/// What librdkafka has to say, in our log.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    // Properties are passed to every client, and each tells which are not its own.
    let ignored_property = facility == "CONFWARN" && message.contains("will be ignored by this");
    match level {
        _ if ignored_property => tracing::debug!(target: "librdkafka", facility, "{message}"),
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(target: "librdkafka", facility, "{message}");
        }
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => {
            tracing::warn!(target: "librdkafka", facility, "{message}");
        }
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => tracing::info!(target: "librdkafka", facility, "{message}"),
        RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::consumer::BaseConsumer;
    use rdkafka::producer::BaseProducer;

    use super::*;
    use crate::settings::{Sasl, SaslMechanism, SecurityProtocol};

    fn secured(security_protocol: SecurityProtocol, mechanism: Option<SaslMechanism>) -> KafkaSettings {
        let password = "hunter2".into();
        let sasl = mechanism.map(|mechanism| Sasl { mechanism, username: "fleet".into(), password });
        KafkaSettings { security_protocol, sasl, ..KafkaSettings::new("127.0.0.1:1", "test") }
    }

    #[test]
    fn librdkafka_takes_every_way_of_securing() {
        use SaslMechanism::{Plain, ScramSha256, ScramSha512};
        use SecurityProtocol::{Plaintext, SaslPlaintext, SaslSsl, Ssl};
        let ways = [Plaintext, Ssl].map(|protocol| (protocol, None)).into_iter().chain(
            [SaslPlaintext, SaslSsl].into_iter().flat_map(|p| [Plain, ScramSha256, ScramSha512].map(|m| (p, Some(m)))),
        );
        for (protocol, mechanism) in ways {
            let settings = secured(protocol, mechanism);
            consumer(&settings, "g").unwrap().create::<BaseConsumer>().unwrap();
            let config = producer(&settings).unwrap();
            assert_eq!(config.get("security.protocol"), Some(protocol.as_str()));
            assert_eq!(config.get("sasl.mechanism"), mechanism.map(SaslMechanism::as_str));
            assert_eq!(config.get("sasl.password"), mechanism.map(|_| "hunter2"));
            config.create::<BaseProducer>().unwrap();
        }
    }

    #[test]
    fn the_operator_overrides_what_is_not_a_promise() {
        let mut settings = secured(SecurityProtocol::Plaintext, None);
        settings.properties.insert("session.timeout.ms".into(), "45000".into());
        settings.properties.insert("queue.buffering.max.ms".into(), "20".into());
        assert_eq!(consumer(&settings, "g").unwrap().get("session.timeout.ms"), Some("45000"));
        let config = producer(&settings).unwrap();
        assert_eq!((config.get("linger.ms"), config.get("queue.buffering.max.ms")), (Some("20"), None));
    }

    #[test]
    fn a_static_member_is_one_by_choice_only() {
        let mut settings = secured(SecurityProtocol::Plaintext, None);
        assert_eq!(consumer(&settings, "g").unwrap().get("group.instance.id"), None);
        settings.instance_id = Some("submitter-0".into());
        assert_eq!(consumer(&settings, "g").unwrap().get("group.instance.id"), Some("submitter-0"));
    }
}
