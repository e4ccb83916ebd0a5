//! How the broker is reached.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kafka::{KafkaSettings, Sasl, SaslMechanism, SecurityProtocol};

use super::env::Env;
use super::table;

/// Reads what a program needs that only publishes and asks.
pub fn kafka_settings(env: &mut Env) -> KafkaSettings {
    let brokers = read_brokers(env);
    let security_protocol = env
        .parsed(&table::KAFKA_SECURITY_PROTOCOL, "none of plaintext, ssl, sasl_plaintext, sasl_ssl")
        .unwrap_or(SecurityProtocol::Plaintext);
    let settings = KafkaSettings {
        topic_prefix: read_prefix(env),
        security_protocol,
        sasl: read_sasl(env, security_protocol),
        ca_location: env.optional(&table::KAFKA_CA_LOCATION).map(PathBuf::from),
        max_record_bytes: env.number(&table::KAFKA_MAX_RECORD_BYTES, 1 << 10..=256 << 20),
        properties: read_properties(env),
        ..KafkaSettings::new(brokers, env.program().name())
    };
    for problem in settings.problems() {
        env.problem(format!("kafka: {problem}"));
    }
    settings
}

/// Reads what a program needs that consumes, too.
pub fn consuming_kafka_settings(env: &mut Env) -> KafkaSettings {
    let instance_id = env.optional(&table::KAFKA_GROUP_INSTANCE_ID);
    KafkaSettings { instance_id, ..kafka_settings(env) }
}

fn read_brokers(env: &mut Env) -> String {
    let brokers = env.text(&table::KAFKA_BROKERS);
    if brokers.is_empty() {
        // Noted as missing; this keeps it from being called empty as well.
        return "unset.invalid:0".to_owned();
    }
    if !brokers.split(',').map(str::trim).all(is_address) {
        env.problem(format!("{}: not a list of HOST:PORT", table::KAFKA_BROKERS.name));
    }
    brokers
}

fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

fn read_prefix(env: &mut Env) -> String {
    let prefix = env.optional(&table::KAFKA_TOPIC_PREFIX).unwrap_or_default();
    if !prefix.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) {
        env.problem("KAFKA_TOPIC_PREFIX: topic names hold letters, digits, dot, dash and underscore");
    }
    prefix
}

fn read_sasl(env: &mut Env, protocol: SecurityProtocol) -> Option<Sasl> {
    let mechanism = env.optional(&table::KAFKA_SASL_MECHANISM);
    let username = env.optional(&table::KAFKA_SASL_USERNAME);
    let password = env.optional_secret(&table::KAFKA_SASL_PASSWORD);
    let given = [
        (&table::KAFKA_SASL_MECHANISM, mechanism.is_some()),
        (&table::KAFKA_SASL_USERNAME, username.is_some()),
        (&table::KAFKA_SASL_PASSWORD, password.is_some()),
    ];
    let authenticates = matches!(protocol, SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl);
    for (variable, _) in given.iter().filter(|(_, given)| *given != authenticates) {
        env.problem(if authenticates {
            format!("missing {}: {} needs it", variable.name, protocol.as_str())
        } else {
            format!("{}: is set, but {} sends no credentials", variable.name, protocol.as_str())
        });
    }
    let mechanism = mechanism.and_then(|text| {
        let mechanism = text.parse::<SaslMechanism>();
        if let Err(unknown) = &mechanism {
            env.problem(format!("{}: {unknown}", table::KAFKA_SASL_MECHANISM.name));
        }
        mechanism.ok()
    });
    authenticates.then(|| Sasl {
        mechanism: mechanism.unwrap_or(SaslMechanism::Plain),
        username: username.unwrap_or_default(),
        password: password.unwrap_or_default(),
    })
}

fn read_properties(env: &mut Env) -> BTreeMap<String, String> {
    let text = env.optional(&table::KAFKA_PROPERTIES).unwrap_or_default();
    let mut properties = BTreeMap::new();
    for (index, entry) in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).enumerate() {
        match entry.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                properties.insert(name.trim().to_owned(), value.trim().to_owned());
            }
            _ => env.problem(format!("{}: entry {} is not NAME=VALUE", table::KAFKA_PROPERTIES.name, index + 1)),
        }
    }
    properties
}
