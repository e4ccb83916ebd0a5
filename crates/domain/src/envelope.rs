//! `CloudEvents` 1.0 in Kafka's binary mode: the attributes travel as headers, the value is the data alone.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use crate::{Failure, Header, Record, header};

/// Content type of every value we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaType;

impl MediaType {
    /// JSON.
    pub const JSON: &'static str = "application/json";
    /// `CloudEvents` in structured mode, which we do not read.
    pub const STRUCTURED: &'static str = "application/cloudevents";
}

/// The attributes of an event of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Unique per source; the same event published again has the same one.
    pub id: Uuid,
    /// Who says it, such as `/mintfleet/verifier`.
    pub source: &'a str,
    /// What it is, such as `mintfleet.operation.status.v1`.
    pub kind: &'a str,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// W3C trace context.
    pub trace_parent: Option<&'a str>,
}

impl Envelope<'_> {
    /// Header of the trace context.
    pub const TRACE_PARENT: &'static str = "traceparent";

    /// The headers of the event.
    #[must_use]
    pub fn headers(&self) -> Vec<Header> {
        let mut headers = vec![
            header("ce_specversion", "1.0"),
            header("ce_id", self.id.to_string()),
            header("ce_source", self.source),
            header("ce_type", self.kind),
            header("ce_time", self.time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            header("content-type", MediaType::JSON),
        ];
        headers.extend(self.trace_parent.map(|value| header(Self::TRACE_PARENT, value)));
        headers
    }

    /// Refuses what says of itself that it is not an event in binary mode, version 1. Bare JSON says nothing and passes.
    ///
    /// # Errors
    /// A permanent failure, `unsupported-envelope`.
    pub fn check(record: &Record) -> Result<(), Failure> {
        let refuse = |message: String| Err(Failure::permanent("unsupported-envelope", message));
        match record.header("ce_specversion") {
            None | Some("1.0") => {}
            Some(other) => return refuse(format!("CloudEvents version {other:?}; 1.0 is understood")),
        }
        match record.header("content-type") {
            Some(kind) if kind.starts_with(MediaType::STRUCTURED) => {
                refuse(format!("content type {kind:?}; CloudEvents are read in binary mode, or as bare JSON"))
            }
            _ => Ok(()),
        }
    }

    /// The trace context of a record, where it has a well-formed one.
    #[must_use]
    pub fn trace_parent(record: &Record) -> Option<&str> {
        let value = record.header(Self::TRACE_PARENT)?;
        let well_formed = value.len() == 55 && value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        well_formed.then_some(value)
    }
}
