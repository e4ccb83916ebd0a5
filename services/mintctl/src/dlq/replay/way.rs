//! What a replay of a letter is: its record once more, or its operation once more.

use std::collections::HashMap;

use domain::{Failure, Operation, OperationId, State, StepRequest, Topic};
use engine::Letter;

use crate::dlq::decode::own_topic;

/// What a replay comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Way {
    /// Its record is published again on this topic.
    Publish(Topic),
    /// Its operation is tried again.
    Retry(Box<Operation>),
    /// Its operation is on its way without it, in this state.
    Settled(State),
    /// None, for this reason.
    None(String),
}

impl Way {
    /// Poison is published again. A letter of a request that could be read is about its operation: where that has ended
    /// without an NFT it is tried again, and its record says nothing that the row does not.
    #[must_use]
    pub fn of(letter: &Letter, prefix: &str, operations: &HashMap<OperationId, Result<Operation, Failure>>) -> Self {
        let Some(topic) = own_topic(letter, prefix) else {
            let topic = letter.origin.topic.as_deref().unwrap_or("a topic that it does not name");
            return Self::None(format!("it was put aside from {topic}, which is none of this fleet's"));
        };
        match (topic, requested(letter).and_then(|id| operations.get(&id))) {
            (Topic::Requests(_, _), Some(Ok(operation))) => match operation.state {
                State::Failed | State::RolledBack => Self::Retry(Box::new(operation.clone())),
                State::Initiated
                | State::ImageUploaded
                | State::IpfsUploaded
                | State::BlockchainSubmitted
                | State::BlockchainConfirmed
                | State::DatabaseUpdated
                | State::Verified => Self::Settled(operation.state),
            },
            (Topic::Operations | Topic::Status, _) | (Topic::Requests(_, _), Some(Err(_)) | None) => {
                Self::Publish(topic)
            }
        }
    }

    /// What would be done, for a dry run.
    #[must_use]
    pub fn would(&self) -> String {
        match self {
            Self::Publish(_) => "would be published again".to_owned(),
            Self::Retry(operation) => format!("operation {} would be tried again", operation.id),
            Self::Settled(state) => format!("its operation is {state} already"),
            Self::None(reason) => reason.clone(),
        }
    }
}

/// The operation that a letter's request names, where it is one.
#[must_use]
pub fn requested(letter: &Letter) -> Option<OperationId> {
    StepRequest::parse(letter.record.value.as_deref()).ok().map(|request| request.operation_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(topic: &str, value: &str) -> Letter {
        testkit::letter(topic, Some(value.as_bytes()))
    }

    #[test]
    fn poison_is_published_and_what_failed_is_tried_again() {
        let id = testkit::operation_id(1);
        let operation = |state| Operation { state, ..testkit::operation(id) };
        let value = format!(r#"{{"operationId":"{id}","state":"IPFS_UPLOADED","version":2}}"#);
        let request = letter("t.nft-mint-requests", &value);
        let way = |letter: &Letter, known: Option<Result<Operation, Failure>>| {
            Way::of(letter, "t.", &known.map(|known| (id, known)).into_iter().collect())
        };
        for state in State::ALL {
            let expected = match state {
                State::Failed | State::RolledBack => Way::Retry(Box::new(operation(state))),
                other => Way::Settled(other),
            };
            assert_eq!(way(&request, Some(Ok(operation(state)))), expected);
        }
        let topic = own_topic(&request, "t.").unwrap();
        assert_eq!(way(&request, None), Way::Publish(topic), "an operation that nobody knows");
        assert_eq!(way(&request, Some(Err(Failure::permanent("bad-data", "x")))), Way::Publish(topic));
        let poison = letter("t.nft-mint-requests", "{");
        assert_eq!(way(&poison, Some(Ok(operation(State::Failed)))), Way::Publish(topic));
        let event = letter("t.nft-operations", &testkit::event(id, "A"));
        assert_eq!(way(&event, Some(Ok(operation(State::Failed)))), Way::Publish(Topic::Operations));
        assert!(matches!(way(&letter("payments", "{}"), None), Way::None(_)));
        assert!(matches!(way(&letter("nft-operations", "{}"), None), Way::None(_)), "another fleet's");
    }
}
