//! What no well-behaved producer writes.

mod common;

use std::ffi::c_void;
use std::time::Duration;

use anyhow::{Result, ensure};
use common::Ground;
use engine::Window;
use rdkafka::bindings;
use rdkafka::producer::{BaseProducer, Producer as _};
use rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR;

/// Writes a record whose only header has any bytes as its key.
#[expect(unsafe_code, reason = "safe producers write text")]
fn write(ground: &Ground, key: &[u8]) -> Result<()> {
    use bindings::rd_kafka_vtype_t::{RD_KAFKA_VTYPE_END, RD_KAFKA_VTYPE_HEADERS, RD_KAFKA_VTYPE_TOPIC};
    let producer: BaseProducer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", &ground.settings.brokers).create()?;
    let topic = std::ffi::CString::new(ground.topic.as_str())?;
    // SAFETY: the pointers live through the call that gets them, and the producer owns the headers after the last.
    let refused = unsafe {
        let headers = bindings::rd_kafka_headers_new(1);
        let (name, value) = (key.as_ptr().cast(), b"v".as_ptr().cast::<c_void>());
        bindings::rd_kafka_header_add(headers, name, key.len().try_into()?, value, 1);
        bindings::rd_kafka_producev(
            producer.client().native_ptr(),
            RD_KAFKA_VTYPE_TOPIC,
            topic.as_ptr(),
            RD_KAFKA_VTYPE_HEADERS,
            headers,
            RD_KAFKA_VTYPE_END,
        )
    };
    ensure!(refused == RD_KAFKA_RESP_ERR_NO_ERROR, "{refused:?}");
    Ok(producer.flush(Duration::from_secs(20))?)
}

#[tokio::test]
async fn a_header_that_is_not_text_stops_nobody() -> Result<()> {
    let ground = Ground::new("strangers", 1).await?;
    write(&ground, b"caf\xe9")?;
    write(&ground, b"plain")?;
    let mut worker = ground.worker(Window::default())?;
    let keys: Vec<_> = worker.take(2).await?.into_iter().map(|d| d.record.headers[0].key.clone()).collect();
    assert_eq!(keys, ["caf\u{fffd}", "plain"]);
    Ok(())
}
