//! A dead letter's value as the event it is, or was meant to be.

use std::fmt::Write as _;

use domain::{Clock, Failure, OperationRequested, Record, Step, StepRequest, SystemClock, Topic};
use engine::Letter;
use serde_json::{Value, json};

/// How much of a value is shown to people, bytes.
const SHOWN: usize = 4_096;

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The event it is meant to be, where its topic is one of ours.
    pub event: Option<&'static str>,
    /// Why it is none.
    pub problem: Option<Failure>,
    /// The value.
    pub value: Shape,
}

/// How a value can be shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Null.
    Null,
    /// JSON.
    Json(Value),
    /// Text.
    Text(String),
    /// Any bytes.
    Bytes(Vec<u8>),
}

impl Shape {
    fn of(value: Option<&[u8]>) -> Self {
        let Some(bytes) = value else { return Self::Null };
        match std::str::from_utf8(bytes) {
            Err(_) => Self::Bytes(bytes.to_vec()),
            Ok(text) => serde_json::from_str(text).map_or_else(|_| Self::Text(text.to_owned()), Self::Json),
        }
    }

    /// For people: a few kilobytes of it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Json(value) => shortened(&printable(&format!("{value:#}"))),
            Self::Text(text) => shortened(&printable(text)),
            Self::Bytes(bytes) => shortened(&hex(bytes)),
        }
    }

    /// For machines: all of it.
    #[must_use]
    pub fn document(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Json(value) => json!({ "json": value }),
            Self::Text(text) => json!({ "text": text }),
            Self::Bytes(bytes) => json!({ "hex": hex(bytes) }),
        }
    }
}

/// The topic of this fleet that a letter was put aside from.
#[must_use]
pub fn own_topic(letter: &Letter, prefix: &str) -> Option<Topic> {
    let name = letter.origin.topic.as_deref()?;
    Topic::all().find(|topic| topic.name(prefix) == name)
}

/// Reads a letter's value as the step reads it that its topic is for.
#[must_use]
pub fn decode(letter: &Letter, prefix: &str) -> Decoded {
    let topic = own_topic(letter, prefix);
    let event = topic.and_then(|topic| match topic {
        Topic::Operations => Some(OperationRequested::KIND),
        Topic::Requests(Step::Upload | Step::Mint | Step::Verify, _) => Some(StepRequest::KIND),
        Topic::Status => None,
    });
    let problem = topic.and_then(|topic| check(topic, &letter.record).err());
    Decoded { event, problem, value: Shape::of(letter.record.value.as_deref()) }
}

/// Whether a record's value is what `topic` is for.
///
/// # Errors
/// Why it is not.
pub fn check(topic: Topic, record: &Record) -> Result<(), Failure> {
    match topic {
        Topic::Operations => OperationRequested::accept(record, SystemClock.now()).map(drop),
        Topic::Requests(Step::Upload | Step::Mint | Step::Verify, _) => {
            StepRequest::parse(record.value.as_deref()).map(drop)
        }
        // Its readers are other people's.
        Topic::Status => Ok(()),
    }
}

/// A stranger's text, without what a terminal would obey.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' && c != '\t' {
            printable.extend(c.escape_unicode());
        } else {
            printable.push(c);
        }
    }
    printable
}

/// A header's or a key's bytes on one line.
#[must_use]
pub fn inline(value: Option<&[u8]>) -> String {
    match value.map(std::str::from_utf8) {
        None => "null".to_owned(),
        Some(Ok(text)) if !text.chars().any(char::is_control) => text.to_owned(),
        Some(_) => hex(value.unwrap_or_default()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn shortened(text: &str) -> String {
    let shown = &text[..text.floor_char_boundary(SHOWN)];
    if shown.len() == text.len() { text.to_owned() } else { format!("{shown}… ({} bytes in all)", text.len()) }
}

#[cfg(test)]
mod tests {
    use testkit::letter;

    use super::*;

    fn problem(topic: &str, value: Option<&[u8]>) -> Option<String> {
        decode(&letter(topic, value), "t.").problem.map(|failure| failure.code.into_owned())
    }

    #[test]
    fn a_value_is_read_as_its_topics_event() {
        let request = br#"{"operationId":"0199a0b0-0000-7000-8000-000000000001","state":"FAILED","version":2}"#;
        assert_eq!(problem("t.nft-mint-requests.bulk", Some(request)), None);
        assert_eq!(problem("t.nft-operations", Some(request)).as_deref(), Some("schema"));
        assert_eq!(problem("t.nft-operations", None).as_deref(), Some("null-value"));
        assert_eq!(problem("elsewhere", Some(b"{")), None, "nobody knows what it should be");
        assert_eq!(decode(&letter("t.nft-mint-requests", Some(request)), "t.").event, Some(StepRequest::KIND));
        assert_eq!(decode(&letter("elsewhere", None), "t.").event, None);
    }

    #[test]
    fn values_of_any_bytes_are_shown() {
        let text = |value: Option<&[u8]>| decode(&letter("elsewhere", value), "").value.text();
        assert_eq!(text(None), "null");
        assert_eq!(text(Some(&[0xff, 0])), "0xff00");
        assert_eq!(text(Some(b"\x1b[2Jgone\n")), "\\u{1b}[2Jgone\n", "a terminal obeys nothing of it");
        assert_eq!(text(Some(br#"{"a":1}"#)), "{\n  \"a\": 1\n}");
        assert!(text(Some("ä".repeat(SHOWN).as_bytes())).ends_with("… (8192 bytes in all)"));
        assert_eq!(inline(Some(b"a\nb")), "0x610a62");
    }
}
