//! Records as they come from and go to Kafka, free of any client library.

use chrono::{DateTime, Utc};

/// A header: its value may be any bytes, or null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Header keys may repeat.
    pub key: String,
    /// Null and empty are different things.
    pub value: Option<Vec<u8>>,
}

/// A header with a text value.
pub fn header(key: &str, value: impl Into<String>) -> Header {
    Header { key: key.to_owned(), value: Some(value.into().into_bytes()) }
}

/// A record that was consumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Topic it was read from.
    pub topic: String,
    /// Partition it was read from.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// When it was produced or appended, as the topic is set; none on ancient records.
    pub timestamp: Option<DateTime<Utc>>,
    /// Any bytes, or null.
    pub key: Option<Vec<u8>>,
    /// Any bytes, or null.
    pub value: Option<Vec<u8>>,
    /// In the order they were written.
    pub headers: Vec<Header>,
}

impl Record {
    /// Bytes it holds in memory, about.
    #[must_use]
    pub fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|h| h.key.len() + h.value.as_ref().map_or(0, Vec::len)).sum();
        self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len) + headers
    }

    /// The text of the last header of that key.
    #[must_use]
    pub fn header(&self, key: &str) -> Option<&str> {
        let header = self.headers.iter().rev().find(|header| header.key == key)?;
        std::str::from_utf8(header.value.as_deref()?).ok()
    }
}

/// A record to be produced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingRecord {
    /// Topic to write to.
    pub topic: String,
    /// A partition of our choice; otherwise the key decides, as Java's default partitioner would.
    pub partition: Option<i32>,
    /// Any bytes, or null.
    pub key: Option<Vec<u8>>,
    /// Any bytes, or null.
    pub value: Option<Vec<u8>>,
    /// In the order they are written.
    pub headers: Vec<Header>,
}
