//! How the cluster is reached. Plain data: who reads the environment is not our business.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use resilience::{Dependency, HealthBoard};
use secrecy::SecretString;

use crate::properties;

/// How connections are secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityProtocol {
    /// Neither encrypted nor authenticated.
    Plaintext,
    /// TLS.
    Ssl,
    /// SASL without TLS: passwords of mechanism PLAIN can be read on the way.
    SaslPlaintext,
    /// SASL over TLS.
    SaslSsl,
}

impl SecurityProtocol {
    const ALL: [Self; 4] = [Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl];

    /// librdkafka's name of it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::SaslPlaintext => "sasl_plaintext",
            Self::SaslSsl => "sasl_ssl",
        }
    }

    const fn authenticates(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }

    const fn encrypts(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }
}

/// How a password is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaslMechanism {
    /// The password itself is sent.
    Plain,
    /// Challenge and response, SHA-256.
    ScramSha256,
    /// Challenge and response, SHA-512.
    ScramSha512,
}

impl SaslMechanism {
    const ALL: [Self; 3] = [Self::Plain, Self::ScramSha256, Self::ScramSha512];

    /// Its registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// A name that is none of those that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("none of {0}")]
pub struct UnknownName(String);

fn by_name<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> Result<T, UnknownName> {
    let found = all.iter().copied().find(|choice| name(*choice).eq_ignore_ascii_case(text));
    found.ok_or_else(|| UnknownName(all.iter().map(|choice| name(*choice)).collect::<Vec<_>>().join(", ")))
}

impl FromStr for SecurityProtocol {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        by_name(&Self::ALL, Self::as_str, text)
    }
}

impl FromStr for SaslMechanism {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        by_name(&Self::ALL, Self::as_str, text)
    }
}

/// Who we say we are.
#[derive(Debug, Clone)]
pub struct Sasl {
    /// How the password is proven.
    pub mechanism: SaslMechanism,
    /// User name.
    pub username: String,
    /// Password.
    pub password: SecretString,
}

/// How the cluster is reached, and by whom.
#[derive(Clone)]
pub struct KafkaSettings {
    /// Some brokers, `HOST:PORT`, separated by commas.
    pub brokers: String,
    /// Put before every topic's name; empty as a rule. `domain::Topic::name` takes it.
    pub topic_prefix: String,
    /// What brokers show in their logs and quotas.
    pub client_id: String,
    /// How connections are secured.
    pub security_protocol: SecurityProtocol,
    /// Who we say we are, where the protocol asks.
    pub sasl: Option<Sasl>,
    /// File or directory of the certificates to trust; the system's otherwise.
    pub ca_location: Option<PathBuf>,
    /// Makes the consumer a static member of its group: a restart within the session takes the partitions back without a
    /// rebalance. Only for deployments that give each process a stable name of its own.
    pub instance_id: Option<String>,
    /// Largest record that the topics take, bytes. A dead letter may be 64 KiB larger.
    pub max_record_bytes: u32,
    /// Any other property of librdkafka, by name. Each client takes what is meant for it.
    pub properties: BTreeMap<String, String>,
    /// Where a consumer writes down whether it reaches the cluster.
    pub line: Dependency,
}

impl KafkaSettings {
    /// What a record may be larger by when it becomes a dead letter, bytes.
    pub const DEAD_LETTER_ROOM: u32 = 64 << 10;

    /// A plain connection to these brokers.
    pub fn new(brokers: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            topic_prefix: String::new(),
            client_id: client_id.into(),
            security_protocol: SecurityProtocol::Plaintext,
            sasl: None,
            ca_location: None,
            instance_id: None,
            max_record_bytes: 1 << 20,
            properties: BTreeMap::new(),
            line: HealthBoard::default().dependency("kafka", 1),
        }
    }

    /// Everything that is wrong with them, in words for whoever wrote them. No secret is in it.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.brokers.trim().is_empty() {
            problems.push("no brokers".to_owned());
        }
        // A name that begins with ^ would be taken for a pattern of names.
        if !self.topic_prefix.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) {
            problems
                .push("topic names hold letters, digits, dot, dash and underscore; the prefix holds others".to_owned());
        }
        let protocol = self.security_protocol;
        if protocol.authenticates() && self.sasl.is_none() {
            problems.push(format!("{} needs mechanism, user name and password", protocol.as_str()));
        }
        if !protocol.authenticates() && self.sasl.is_some() {
            problems.push(format!("credentials are given, but {} does not send them", protocol.as_str()));
        }
        if !protocol.encrypts() && self.ca_location.is_some() {
            problems.push(format!("certificates to trust are given, but {} is without TLS", protocol.as_str()));
        }
        if self.instance_id.as_deref() == Some("") {
            problems.push("the instance id is empty".to_owned());
        }
        problems.extend(self.properties.iter().filter_map(|(name, value)| properties::check(name, value)));
        problems
    }
}

impl fmt::Debug for KafkaSettings {
    /// Of the properties only their names are shown: a value may be a key or a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("topic_prefix", &self.topic_prefix)
            .field("client_id", &self.client_id)
            .field("security_protocol", &self.security_protocol)
            .field("sasl", &self.sasl)
            .field("ca_location", &self.ca_location)
            .field("instance_id", &self.instance_id)
            .field("max_record_bytes", &self.max_record_bytes)
            .field("properties", &self.properties.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> KafkaSettings {
        KafkaSettings::new("127.0.0.1:9092", "test")
    }

    fn sasl() -> Sasl {
        Sasl { mechanism: SaslMechanism::Plain, username: "u".into(), password: "hunter2".into() }
    }

    #[test]
    fn names_are_read_in_any_case() {
        assert_eq!("SASL_SSL".parse(), Ok(SecurityProtocol::SaslSsl));
        assert_eq!("scram-sha-512".parse(), Ok(SaslMechanism::ScramSha512));
        assert_eq!(
            "GSSAPI".parse::<SaslMechanism>().unwrap_err().to_string(),
            "none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"
        );
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let mut wrong = KafkaSettings { brokers: " ".into(), sasl: Some(sasl()), ..settings() };
        wrong.ca_location = Some("/ca.pem".into());
        wrong.instance_id = Some(String::new());
        wrong.topic_prefix = "^a.".into();
        wrong.properties.insert("acks".into(), "1".into());
        wrong.properties.insert("no.such.thing".into(), "1".into());
        let problems = wrong.problems();
        assert_eq!(problems.len(), 7, "{problems:?}");
        assert!(KafkaSettings { security_protocol: SecurityProtocol::SaslSsl, ..settings() }.problems().len() == 1);
        assert_eq!(settings().problems(), [""; 0]);
    }

    #[test]
    fn nothing_secret_is_shown() {
        let mut secret =
            KafkaSettings { security_protocol: SecurityProtocol::SaslSsl, sasl: Some(sasl()), ..settings() };
        secret.properties.insert("ssl.key.password".into(), "hunter2".into());
        secret.properties.insert("ssl.key.pem".into(), "hunter2".into());
        secret.properties.insert("session.timeout.ms".into(), "hunter2".into());
        let shown = format!("{secret:?} {:?}", secret.problems());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("ssl.key.password"), "{shown}");
    }
}
