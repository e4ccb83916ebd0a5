//! Records between librdkafka's memory and ours.

use std::ffi::CStr;
use std::ptr;

use chrono::DateTime;
use domain::{Header, OutgoingRecord, Record};
use rdkafka::bindings::{rd_kafka_header_get_all, rd_kafka_message_headers};
use rdkafka::message::{self, BorrowedMessage, Message, OwnedHeaders};
use rdkafka::types::RDKafkaRespErr;

/// Copies a record out, so that librdkafka's buffer is free at once.
pub(crate) fn detach(message: &BorrowedMessage<'_>) -> Record {
    Record {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis().and_then(DateTime::from_timestamp_millis),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: read_headers(message),
    }
}

/// A header's key is text by convention only: what is not UTF-8 in it is replaced. (The binding's own way of reading
/// would panic, and one such record would end every worker that meets it.)
#[expect(unsafe_code, reason = "the safe binding panics on what a stranger wrote")]
fn read_headers(message: &BorrowedMessage<'_>) -> Vec<Header> {
    let mut headers = ptr::null_mut();
    // SAFETY: the message is alive; librdkafka parses its headers and keeps them as long as the message.
    let found = unsafe { rd_kafka_message_headers(message.ptr(), &raw mut headers) };
    if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Vec::new();
    }
    let mut read = Vec::new();
    loop {
        let (mut key, mut value, mut size) = (ptr::null(), ptr::null(), 0);
        // SAFETY: `headers` belongs to the living message; an index past the end is answered with an error.
        let found =
            unsafe { rd_kafka_header_get_all(headers, read.len(), &raw mut key, &raw mut value, &raw mut size) };
        if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return read;
        }
        // SAFETY: on success the key ends with a zero byte, and the value is null or has `size` bytes; both live as
        // long as the message.
        let (key, value) = unsafe {
            let value = (!value.is_null()).then(|| std::slice::from_raw_parts(value.cast::<u8>(), size));
            (CStr::from_ptr(key), value)
        };
        read.push(Header { key: key.to_string_lossy().into_owned(), value: value.map(<[u8]>::to_vec) });
    }
}

/// Headers for a record to be produced.
pub(crate) fn write_headers(headers: &[Header]) -> Option<OwnedHeaders> {
    let insert = |written: OwnedHeaders, header: &Header| {
        written.insert(message::Header { key: &header.key, value: header.value.as_ref() })
    };
    let empty = || OwnedHeaders::new_with_capacity(headers.len());
    (!headers.is_empty()).then(|| headers.iter().fold(empty(), insert))
}

/// Bytes it takes up in a producer, with what the producer keeps beside it.
pub(crate) fn footprint(record: &OutgoingRecord) -> usize {
    const KEPT_BESIDE: usize = 512;
    let len = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
    let headers: usize = record.headers.iter().map(|header| header.key.len() + len(&header.value)).sum();
    KEPT_BESIDE + len(&record.key) + len(&record.value) + headers
}
