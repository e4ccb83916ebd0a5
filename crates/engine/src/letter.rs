//! A dead letter as its headers tell it, whoever wrote it: we, Spring Kafka, Kafka Connect, or somebody who says nothing.

use chrono::{DateTime, Utc};
use domain::{FailureClass, Header, OperationId, OutgoingRecord, Record, Topic, header, read_operation_id};
use uuid::Uuid;

use crate::dead_letter::{REPLAY_COUNT, dead_letter_id};

/// Beginnings of the headers that make a record a dead letter.
const FAMILIES: [&str; 3] = ["x-dlq-", "kafka_dlt-", "__connect.errors."];

/// Whose headers a dead letter carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterFormat {
    /// One of this fleet's workers.
    Mintfleet,
    /// Spring Kafka's recoverer.
    Spring,
    /// Kafka Connect.
    Connect,
    /// Nobody's: it only lies in such a topic.
    Plain,
}

impl LetterFormat {
    /// The name it is shown by.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mintfleet => "mintfleet",
            Self::Spring => "spring",
            Self::Connect => "connect",
            Self::Plain => "plain",
        }
    }
}

/// Where a record lay before it was put aside, as far as its headers can be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Topic; the dead-letter topic's name without its suffix where no header says.
    pub topic: Option<String>,
    /// Partition.
    pub partition: Option<i32>,
    /// Offset.
    pub offset: Option<i64>,
    /// When it was written there.
    pub timestamp: Option<DateTime<Utc>>,
}

/// A record of a dead-letter topic. What a header should say and does not is none: a stranger wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its own id; where it has none, one made of the place it lies at.
    pub id: Uuid,
    /// The record as it lies there.
    pub record: Record,
    /// Whose headers it carries.
    pub format: LetterFormat,
    /// Where it lay before.
    pub origin: Origin,
    /// The failure's class.
    pub class: Option<FailureClass>,
    /// The failure's code, or the class of the exception.
    pub code: Option<String>,
    /// The failure in words.
    pub message: Option<String>,
    /// The step, stage or connector that gave up.
    pub step: Option<String>,
    /// Tries before that.
    pub attempts: Option<u32>,
    /// When the first of them failed.
    pub first_failed_at: Option<DateTime<Utc>>,
    /// The operation it is about.
    pub operation: Option<OperationId>,
    /// How often it was replayed before it came here.
    pub replays: u32,
    /// Whether its value was cut for its size.
    pub truncated: bool,
}

impl Letter {
    /// Reads the headers of a dead letter.
    #[must_use]
    pub fn read(record: Record) -> Self {
        let text = |keys: &[&str]| keys.iter().find_map(|key| record.header(key)).map(str::to_owned);
        let own_id = record.header("x-dlq-id").and_then(|id| id.parse().ok());
        Self {
            id: own_id.unwrap_or_else(|| dead_letter_id("", &record)),
            format: format(&record, own_id.is_some()),
            origin: Origin::read(&record),
            class: record.header("x-dlq-class").and_then(FailureClass::from_name),
            code: text(&["x-dlq-code", "kafka_dlt-exception-fqcn", "__connect.errors.exception.class.name"]),
            message: text(&["kafka_dlt-exception-message", "__connect.errors.exception.message"]),
            step: text(&["x-dlq-step", "__connect.errors.stage", "kafka_dlt-original-consumer-group"]),
            attempts: record.header("x-dlq-attempts").and_then(|count| count.parse().ok()),
            first_failed_at: record.header("x-dlq-first-failed-at").and_then(|time| time.parse().ok()),
            operation: record
                .header("x-dlq-operation-id")
                .and_then(|id| id.parse().ok())
                .or_else(|| read_operation_id(record.value.as_deref())),
            replays: record.header(REPLAY_COUNT).and_then(|count| count.parse().ok()).unwrap_or(0),
            truncated: record.header("x-dlq-truncated").is_some(),
            record,
        }
    }

    /// The header that counts one replay more.
    #[must_use]
    pub fn replay_header(&self) -> Header {
        header(REPLAY_COUNT, self.replays.saturating_add(1).to_string())
    }

    /// The record as it was before it was put aside, for `topic`, with `value` and one replay more. Its key decides the
    /// partition, as it did the first time.
    #[must_use]
    pub fn again(&self, topic: String, value: Option<Vec<u8>>) -> OutgoingRecord {
        let of_a_letter = |header: &Header| FAMILIES.iter().any(|family| header.key.starts_with(family));
        let mut headers: Vec<_> = self.record.headers.iter().filter(|header| !of_a_letter(header)).cloned().collect();
        headers.push(self.replay_header());
        OutgoingRecord { topic, partition: None, key: self.record.key.clone(), value, headers }
    }
}

impl Origin {
    fn read(record: &Record) -> Self {
        let text = |spring: &str, connect: &str| record.header(spring).or_else(|| record.header(connect));
        let topic = text("kafka_dlt-original-topic", "__connect.errors.topic");
        let number = |key: &str| record.header(key).and_then(|number| number.parse::<i64>().ok());
        let millis = bytes(record, "kafka_dlt-original-timestamp").map(i64::from_be_bytes);
        Self {
            topic: topic.or_else(|| record.topic.strip_suffix(Topic::DEAD_LETTER_SUFFIX)).map(str::to_owned),
            partition: bytes(record, "kafka_dlt-original-partition")
                .map(i32::from_be_bytes)
                .or_else(|| number("__connect.errors.partition")?.try_into().ok()),
            offset: bytes(record, "kafka_dlt-original-offset")
                .map(i64::from_be_bytes)
                .or_else(|| number("__connect.errors.offset")),
            timestamp: millis.filter(|millis| *millis >= 0).and_then(DateTime::from_timestamp_millis),
        }
    }
}

fn format(record: &Record, has_own_id: bool) -> LetterFormat {
    let carries = |family: &str| record.headers.iter().any(|header| header.key.starts_with(family));
    match (has_own_id, carries("kafka_dlt-"), carries("__connect.errors.")) {
        (true, _, _) => LetterFormat::Mintfleet,
        (false, true, _) => LetterFormat::Spring,
        (false, false, true) => LetterFormat::Connect,
        (false, false, false) => LetterFormat::Plain,
    }
}

/// A header of exactly that many bytes: Spring writes its numbers as Java holds them.
fn bytes<const N: usize>(record: &Record, key: &str) -> Option<[u8; N]> {
    let header = record.headers.iter().rev().find(|header| header.key == key)?;
    header.value.as_deref()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use domain::Failure;

    use super::*;
    use crate::dead_letter::DeadLetter;

    const OPERATION: &str = "0199a0b0-0000-7000-8000-000000000001";

    fn record(headers: Vec<Header>) -> Record {
        Record {
            topic: "nft-operations.dlq".into(),
            partition: 3,
            offset: 7,
            timestamp: None,
            key: Some(b"k".to_vec()),
            value: Some(b"{".to_vec()),
            headers,
        }
    }

    fn raw(key: &str, value: &[u8]) -> Header {
        Header { key: key.into(), value: Some(value.to_vec()) }
    }

    /// A record that a worker put aside, as it comes back from the dead-letter topic.
    fn put_aside(headers: Vec<Header>) -> (Record, Record) {
        let original = Record {
            topic: "nft-operations".into(),
            timestamp: DateTime::from_timestamp_millis(1_764_000_000_123),
            ..record(headers)
        };
        let failure = Failure::permanent("not-json", "EOF at line 1");
        let letter = DeadLetter {
            record: &original,
            failure: &failure,
            operation: OPERATION.parse().ok(),
            group: "intake",
            step: "intake",
            attempts: 2,
            first_failed_at: DateTime::UNIX_EPOCH,
        };
        let OutgoingRecord { topic, key, value, headers, .. } = letter.outgoing();
        let lying = Record { topic, partition: 3, offset: 0, timestamp: None, key, value, headers };
        (original, lying)
    }

    #[test]
    fn what_we_write_we_read() {
        let (original, lying) = put_aside(vec![header("traceparent", "00-…"), header(REPLAY_COUNT, "2")]);
        let letter = Letter::read(lying);
        assert_eq!(letter.id, dead_letter_id("intake", &original));
        assert_eq!(letter.format, LetterFormat::Mintfleet);
        let origin = Origin {
            topic: Some("nft-operations".into()),
            partition: Some(3),
            offset: Some(7),
            timestamp: original.timestamp,
        };
        assert_eq!(letter.origin, origin);
        assert_eq!(letter.class, Some(FailureClass::Permanent));
        assert_eq!((letter.code.as_deref(), letter.message.as_deref()), (Some("not-json"), Some("EOF at line 1")));
        assert_eq!((letter.step.as_deref(), letter.attempts), (Some("intake"), Some(2)));
        assert_eq!(letter.first_failed_at, Some(DateTime::UNIX_EPOCH));
        assert_eq!(letter.operation.map(|id| id.to_string()).as_deref(), Some(OPERATION));
        assert_eq!((letter.replays, letter.truncated), (2, false));
    }

    #[test]
    fn a_replay_is_the_record_as_it_was_counted_once_more() {
        let (original, lying) = put_aside(vec![header("traceparent", "00-…"), raw("bytes", &[0, 255])]);
        let again = Letter::read(lying).again("nft-operations".into(), original.value.clone());
        assert_eq!((again.topic.as_str(), again.partition), ("nft-operations", None));
        assert_eq!((&again.key, &again.value), (&original.key, &original.value));
        let headers = [&original.headers[..], &[header(REPLAY_COUNT, "1")]].concat();
        assert_eq!(again.headers, headers);
    }

    #[test]
    fn springs_letters_are_read() {
        let letter = Letter::read(record(vec![
            header("kafka_dlt-original-topic", "nft-operation-status"),
            raw("kafka_dlt-original-partition", &[0, 0, 0, 5]),
            raw("kafka_dlt-original-offset", &[0, 0, 0, 0, 0, 0, 1, 2]),
            raw("kafka_dlt-original-timestamp", &1_000_i64.to_be_bytes()),
            header("kafka_dlt-original-consumer-group", "api"),
            header("kafka_dlt-exception-fqcn", "java.lang.IllegalStateException"),
            header("kafka_dlt-exception-message", "no such user"),
        ]));
        assert_eq!((letter.format, letter.id), (LetterFormat::Spring, dead_letter_id("", &letter.record)));
        let origin = Origin {
            topic: Some("nft-operation-status".into()),
            partition: Some(5),
            offset: Some(258),
            timestamp: DateTime::from_timestamp_millis(1_000),
        };
        assert_eq!(letter.origin, origin);
        assert_eq!(letter.code.as_deref(), Some("java.lang.IllegalStateException"));
        assert_eq!((letter.message.as_deref(), letter.step.as_deref()), (Some("no such user"), Some("api")));
        assert_eq!((letter.class, letter.replays), (None, 0));
    }

    #[test]
    fn connects_letters_are_read() {
        let letter = Letter::read(record(vec![
            header("__connect.errors.topic", "nft-operations"),
            header("__connect.errors.partition", "5"),
            header("__connect.errors.offset", "258"),
            header("__connect.errors.stage", "VALUE_CONVERTER"),
            header("__connect.errors.exception.class.name", "org.apache.kafka.connect.errors.DataException"),
            header("__connect.errors.exception.message", "not Avro"),
        ]));
        assert_eq!(letter.format, LetterFormat::Connect);
        assert_eq!((letter.origin.partition, letter.origin.offset), (Some(5), Some(258)));
        assert_eq!((letter.step.as_deref(), letter.message.as_deref()), (Some("VALUE_CONVERTER"), Some("not Avro")));
    }

    #[test]
    fn headers_of_any_bytes_are_none_and_never_a_panic() {
        let letter = Letter::read(record(vec![
            raw("x-dlq-id", &[0xff]),
            raw("kafka_dlt-original-partition", &[1, 2, 3]),
            raw("kafka_dlt-original-offset", b""),
            raw("kafka_dlt-original-timestamp", &i64::MAX.to_be_bytes()),
            header("__connect.errors.partition", "99999999999"),
            header("x-dlq-class", "sudden"),
            header("x-dlq-attempts", "-1"),
            header(REPLAY_COUNT, "many"),
            Header { key: "x-dlq-code".into(), value: None },
        ]));
        assert_eq!(letter.format, LetterFormat::Spring);
        let topic = Some("nft-operations".to_owned());
        assert_eq!(letter.origin, Origin { topic, ..Origin::default() });
        assert_eq!((letter.class, letter.code, letter.attempts, letter.replays), (None, None, None, 0));
        let plain = Letter::read(Record { topic: "elsewhere".into(), value: None, ..record(vec![]) });
        assert_eq!((plain.format, plain.origin.topic), (LetterFormat::Plain, None));
    }
}
