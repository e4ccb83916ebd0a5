//! Reads events line by line and says of each whether it would be accepted, before anything is published.

use std::collections::HashMap;
use std::io::BufRead;

use chrono::{DateTime, Utc};
use domain::{
    ContentHash, Envelope, Failure, NewOperation, OperationId, OperationRequested, OutgoingRecord, Record, Topic,
};
use uuid::Uuid;

/// CloudEvents source of what mintctl publishes.
pub const SOURCE: &str = "/mintfleet/mintctl";

/// A line that holds something.
#[derive(Debug)]
pub struct Line {
    /// Counted from 1.
    pub number: u64,
    /// Bytes up to its end, for the progress bar.
    pub end: u64,
    /// What it holds: a record to be published, or why it is none.
    pub event: Result<Event, Failure>,
}

/// An event that the fleet will accept.
#[derive(Debug)]
pub struct Event {
    /// Its idempotency key.
    pub id: OperationId,
    /// What is published.
    pub record: OutgoingRecord,
}

/// Checks events and gives each its envelope.
#[derive(Debug)]
pub struct Checker {
    topic: String,
    now: DateTime<Utc>,
    seen: HashMap<OperationId, (u64, ContentHash)>,
}

impl Checker {
    /// For events to be published at `now`.
    #[must_use]
    pub fn new(topic_prefix: &str, now: DateTime<Utc>) -> Self {
        Self { topic: Topic::Operations.name(topic_prefix), now, seen: HashMap::new() }
    }

    /// Checks one value as the intake will, and against the lines before it.
    ///
    /// # Errors
    /// Why the intake would refuse it.
    pub fn check(&mut self, number: u64, value: Vec<u8>) -> Result<Event, Failure> {
        let record = Record {
            topic: self.topic.clone(),
            partition: 0,
            offset: 0,
            timestamp: Some(self.now),
            key: None,
            value: Some(value),
            headers: Vec::new(),
        };
        let accepted = OperationRequested::accept(&record, self.now)?;
        self.compare(number, &accepted)?;
        Ok(Event { id: accepted.id, record: self.outgoing(accepted.id, record.value) })
    }

    fn compare(&mut self, number: u64, accepted: &NewOperation) -> Result<(), Failure> {
        let (first, content) = *self.seen.entry(accepted.id).or_insert((number, accepted.content_hash));
        if content == accepted.content_hash {
            return Ok(());
        }
        let reason = format!("line {first} has the same operationId and other content");
        Err(Failure::permanent("operation-conflict", reason))
    }

    fn outgoing(&self, id: OperationId, value: Option<Vec<u8>>) -> OutgoingRecord {
        let envelope = Envelope {
            // The same event sent again is the same event.
            id: Uuid::new_v5(id.as_uuid(), OperationRequested::KIND.as_bytes()),
            source: SOURCE,
            kind: OperationRequested::KIND,
            time: self.now,
            trace_parent: None,
        };
        OutgoingRecord {
            topic: self.topic.clone(),
            partition: None,
            key: Some(id.to_string().into_bytes()),
            value,
            headers: envelope.headers(),
        }
    }
}

/// The lines of a reader, empty ones left out. Any bytes will do: what is not UTF-8 is a refused line, not an end.
#[derive(Debug)]
pub struct Lines<R, F> {
    reader: R,
    read: F,
    number: u64,
    end: u64,
}

impl<R: BufRead, F: FnMut(u64, Vec<u8>) -> Result<Event, Failure>> Lines<R, F> {
    /// From the start; `read` makes an event of what a line of that number holds.
    pub const fn new(reader: R, read: F) -> Self {
        Self { reader, read, number: 0, end: 0 }
    }
}

impl<R: BufRead, F: FnMut(u64, Vec<u8>) -> Result<Event, Failure>> Iterator for Lines<R, F> {
    type Item = std::io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut bytes = Vec::new();
            let read = match self.reader.read_until(b'\n', &mut bytes) {
                Ok(0) => return None,
                Ok(read) => read as u64,
                Err(error) => return Some(Err(error)),
            };
            self.number += 1;
            self.end += read;
            let value = bytes.trim_ascii().to_vec();
            if value.is_empty() {
                continue;
            }
            let event = (self.read)(self.number, value);
            return Some(Ok(Line { number: self.number, end: self.end, event }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: u8, name: &str) -> String {
        format!(
            r#"{{"operationId":"0199a0b0-0000-7000-8000-0000000000{id:02x}","type":"unlock","userId":"u","walletAddress":"11111111111111111111111111111112","nft":{{"name":"{name}","level":1,"image":"asset:a.png"}}}}"#
        )
    }

    fn read(bytes: &[u8]) -> Vec<Line> {
        let mut checker = Checker::new("t.", DateTime::UNIX_EPOCH);
        let lines = Lines::new(bytes, |number, value| checker.check(number, value));
        lines.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn bad_lines_are_named_and_do_not_stop_good_ones() {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(format!("{}\n\n{{not json\n", line(1, "A")).as_bytes());
        bytes.extend_from_slice(b"\xff\xfe\n");
        bytes.extend_from_slice(line(2, &"x".repeat(33)).as_bytes());
        bytes.extend_from_slice(format!("\r\n{}", line(3, "C")).as_bytes());
        let size = bytes.len() as u64;
        let lines = read(&bytes);
        let seen: Vec<_> =
            lines.iter().map(|line| (line.number, line.event.as_ref().err().map(|failure| &*failure.code))).collect();
        assert_eq!(
            seen,
            [(1, None), (3, Some("not-json")), (4, Some("not-utf8")), (5, Some("invalid-content")), (6, None)]
        );
        assert_eq!(lines.last().unwrap().end, size);
    }

    #[test]
    fn an_id_with_two_contents_is_caught_before_the_fleet_sees_it() {
        let lines = read(format!("{}\n{}\n{}\n", line(1, "A"), line(1, "B"), line(1, "A")).as_bytes());
        let failure = lines[1].event.as_ref().unwrap_err();
        assert_eq!((&*failure.code, failure.message.contains("line 1")), ("operation-conflict", true));
        assert!(lines[2].event.is_ok(), "the same again is no conflict");
    }

    #[test]
    fn an_event_carries_its_envelope_and_its_own_bytes() {
        let text = line(1, "A");
        let lines = read(text.as_bytes());
        let record = &lines[0].event.as_ref().unwrap().record;
        assert_eq!(record.topic, "t.nft-operations");
        assert_eq!(record.value.as_deref(), Some(text.as_bytes()));
        assert_eq!(record.key.as_deref(), Some(b"0199a0b0-0000-7000-8000-000000000001".as_slice()));
        let kind = record.headers.iter().find(|header| header.key == "ce_type").unwrap();
        assert_eq!(kind.value.as_deref(), Some(OperationRequested::KIND.as_bytes()));
    }
}
