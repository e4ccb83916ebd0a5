//! What a record becomes that cannot be carried on: the same bytes on `<topic>.dlq`, with the reason in headers of three
//! families, so that tools made for Spring Kafka and Kafka Connect read it as well as ours do.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::{Failure, Header, OperationId, OutgoingRecord, Record, Topic, header};
use uuid::Uuid;

/// Namespace of dead-letter ids: the UUIDv5 of "mintfleet/dead-letter" under the URL namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0x1d67_5baa_e279_52c6_a23b_ff2c_03ad_6047);
/// Header that counts how often a record was replayed from a dead-letter topic.
pub(crate) const REPLAY_COUNT: &str = "x-dlq-replay-count";

/// A record, why it is put aside, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetter<'a> {
    /// What is put aside.
    pub record: &'a Record,
    /// Why.
    pub failure: &'a Failure,
    /// The operation it is about, where that is known.
    pub operation: Option<OperationId>,
    /// Consumer group that gave up.
    pub group: &'a str,
    /// The step that gave up.
    pub step: &'a str,
    /// Tries before it gave up.
    pub attempts: u32,
    /// When the first of them failed.
    pub first_failed_at: DateTime<Utc>,
}

impl DeadLetter<'_> {
    /// The record to publish: key, value and headers byte-identical, reasons behind.
    #[must_use]
    pub fn outgoing(&self) -> OutgoingRecord {
        let record = self.record;
        let mut headers: Vec<Header> = record.headers.iter().filter(|h| h.key != REPLAY_COUNT).cloned().collect();
        headers.extend(self.spring());
        headers.extend(self.connect());
        headers.extend(self.ours());
        OutgoingRecord {
            topic: format!("{}{}", record.topic, Topic::DEAD_LETTER_SUFFIX),
            partition: Some(record.partition),
            key: record.key.clone(),
            value: record.value.clone(),
            headers,
        }
    }

    fn spring(&self) -> [Header; 7] {
        let Record { topic, partition, offset, timestamp, .. } = self.record;
        let millis = timestamp.map_or(-1, |at| at.timestamp_millis());
        let bytes = |key: &str, value: &[u8]| Header { key: key.to_owned(), value: Some(value.to_vec()) };
        [
            header("kafka_dlt-original-topic", topic),
            bytes("kafka_dlt-original-partition", &partition.to_be_bytes()),
            bytes("kafka_dlt-original-offset", &offset.to_be_bytes()),
            bytes("kafka_dlt-original-timestamp", &millis.to_be_bytes()),
            header("kafka_dlt-exception-fqcn", &*self.failure.code),
            header("kafka_dlt-exception-message", &*self.failure.message),
            header("kafka_dlt-exception-stacktrace", ""),
        ]
    }

    fn connect(&self) -> [Header; 7] {
        let Record { topic, partition, offset, .. } = self.record;
        [
            header("__connect.errors.topic", topic),
            header("__connect.errors.partition", partition.to_string()),
            header("__connect.errors.offset", offset.to_string()),
            header("__connect.errors.connector.name", self.group),
            header("__connect.errors.stage", self.step),
            header("__connect.errors.exception.class.name", &*self.failure.code),
            header("__connect.errors.exception.message", &*self.failure.message),
        ]
    }

    fn ours(&self) -> Vec<Header> {
        let first_failed_at = self.first_failed_at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let replays = self.record.header(REPLAY_COUNT).unwrap_or("0");
        let mut headers = vec![
            header("x-dlq-id", dead_letter_id(self.group, self.record).to_string()),
            header("x-dlq-class", self.failure.class.as_str()),
            header("x-dlq-code", &*self.failure.code),
            header("x-dlq-attempts", self.attempts.to_string()),
            header("x-dlq-first-failed-at", first_failed_at),
            header("x-dlq-step", self.step),
            header("x-dlq-worker-version", env!("CARGO_PKG_VERSION")),
            header(REPLAY_COUNT, replays),
        ];
        headers.extend(self.operation.map(|id| header("x-dlq-operation-id", id.to_string())));
        headers
    }
}

/// The id of a record's dead letter: the same however often the record is put aside.
#[must_use]
pub fn dead_letter_id(group: &str, record: &Record) -> Uuid {
    let Record { topic, partition, offset, .. } = record;
    Uuid::new_v5(&NAMESPACE, format!("{group}/{topic}/{partition}/{offset}").as_bytes())
}

/// Halves the value of a dead letter that is refused for its size all the same, and says so.
pub fn truncate(record: &mut OutgoingRecord) {
    const MARK: &str = "x-dlq-truncated";
    if let Some(value) = &mut record.value {
        value.truncate(value.len() / 2);
    }
    if !record.headers.iter().any(|header| header.key == MARK) {
        record.headers.push(header(MARK, "true"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            topic: "nft-operations".into(),
            partition: 3,
            offset: 258,
            timestamp: DateTime::from_timestamp_millis(1_000),
            key: Some(vec![0, 255]),
            value: Some(vec![0xff, 0xfe]),
            headers: vec![header("traceparent", "00-…"), header("traceparent", "twice"), header(REPLAY_COUNT, "2")],
        }
    }

    fn outgoing(record: &Record) -> OutgoingRecord {
        let failure = Failure::permanent("not-utf8", "invalid byte");
        let letter = DeadLetter {
            record,
            failure: &failure,
            operation: None,
            group: "g",
            step: "intake",
            attempts: 1,
            first_failed_at: DateTime::UNIX_EPOCH,
        };
        letter.outgoing()
    }

    #[test]
    fn key_value_and_headers_stay_as_they_were() {
        let record = record();
        let outgoing = outgoing(&record);
        assert_eq!((outgoing.topic.as_str(), outgoing.partition), ("nft-operations.dlq", Some(3)));
        assert_eq!((&outgoing.key, &outgoing.value), (&record.key, &record.value));
        assert_eq!(outgoing.headers[..2], record.headers[..2]);
    }

    #[test]
    fn every_family_of_tools_finds_its_headers() {
        let outgoing = outgoing(&record());
        let value = |key: &str| outgoing.headers.iter().find(|h| h.key == key).and_then(|h| h.value.clone()).unwrap();
        assert_eq!(value("kafka_dlt-original-partition"), [0, 0, 0, 3]);
        assert_eq!(value("kafka_dlt-original-offset"), [0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(value("__connect.errors.offset"), b"258");
        assert_eq!(value("x-dlq-code"), b"not-utf8");
        assert_eq!(value(REPLAY_COUNT), b"2");
        assert_eq!(value("kafka_dlt-exception-message"), b"invalid byte");
    }

    #[test]
    fn what_is_too_large_is_cut_and_says_so() {
        let mut outgoing = outgoing(&record());
        truncate(&mut outgoing);
        truncate(&mut outgoing);
        assert_eq!(outgoing.value.as_deref(), Some(&[][..]));
        assert_eq!(outgoing.headers.iter().filter(|h| h.key == "x-dlq-truncated").count(), 1);
    }
}
