//! Operations as an API would ask for them.

use chrono::{DateTime, Utc};
use domain::{NewOperation, Operation, OperationId, OperationRequested, OutgoingRecord, Record, Topic, header};
use engine::Letter;
use uuid::Uuid;

/// An id that is the same for the same number.
#[must_use]
pub fn operation_id(number: u64) -> OperationId {
    OperationId::from_uuid(Uuid::from_u128(0x0199_a0b0_0000_7000_8000_0000_0000_0000 | u128::from(number)))
}

/// A valid event for that operation; every level has its own name and image.
#[must_use]
pub fn event(id: OperationId, name: &str) -> String {
    format!(
        r#"{{"operationId":"{id}","type":"unlock","userId":"user-1",
            "walletAddress":"9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin",
            "nft":{{"name":"{name}","symbol":"AIW3","description":"A test","level":1,
                    "image":"asset:tech-chicken.png","attributes":[{{"trait_type":"Level","value":"1"}}]}}}}"#
    )
}

/// That event as a record for `nft-operations`.
#[must_use]
pub fn request(id: OperationId, name: &str, topic_prefix: &str) -> OutgoingRecord {
    OutgoingRecord {
        topic: Topic::Operations.name(topic_prefix),
        partition: None,
        key: Some(id.to_string().into_bytes()),
        value: Some(event(id, name).into_bytes()),
        headers: vec![],
    }
}

/// A dead letter of that value, put aside from that topic.
#[must_use]
pub fn letter(topic: &str, value: Option<&[u8]>) -> Letter {
    Letter::read(Record {
        topic: format!("{topic}.dlq"),
        partition: 0,
        offset: 0,
        timestamp: None,
        key: None,
        value: value.map(<[u8]>::to_vec),
        headers: vec![header("kafka_dlt-original-topic", topic)],
    })
}

/// An operation whose event was accepted then.
///
/// # Panics
/// Never: the sample is valid.
#[must_use]
pub fn new_operation(id: OperationId, at: DateTime<Utc>) -> NewOperation {
    let record = Record {
        topic: Topic::Operations.name(""),
        partition: 0,
        offset: 0,
        timestamp: None,
        key: None,
        value: Some(event(id, "Quant Ape").into_bytes()),
        headers: vec![],
    };
    OperationRequested::accept(&record, at).expect("the sample is valid")
}

/// An operation that was just accepted, as the table has it.
#[must_use]
pub fn operation(id: OperationId) -> Operation {
    Operation::initiated(&new_operation(id, DateTime::UNIX_EPOCH), DateTime::UNIX_EPOCH)
}
