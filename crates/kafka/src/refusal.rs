//! What an unacknowledged record means.

use engine::PublishError;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::fatal::FatalError;

/// Sorts an error of one record. The binding's errors can grow, so whatever is not known to be worse counts as
/// something that passes: then the record waits, and is neither lost nor given up.
pub(crate) fn classify(topic: &str, error: &KafkaError, fatal: Option<FatalError>) -> PublishError {
    if let Some(fatal) = fatal {
        return PublishError::Fatal(fatal.to_string());
    }
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize) => {
            PublishError::TooLarge { topic: topic.to_owned() }
        }
        Some(RDKafkaErrorCode::Fatal) => PublishError::Fatal(error.to_string()),
        Some(_) | None => PublishError::Unavailable(format!("{topic}: {error}")),
    }
}

/// For the metric.
pub(crate) const fn kind(error: &PublishError) -> &'static str {
    match error {
        PublishError::TooLarge { .. } => "too-large",
        PublishError::Fatal(_) => "fatal",
        PublishError::Unavailable(_) => "unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: RDKafkaErrorCode) -> &'static str {
        kind(&classify("t", &KafkaError::MessageProduction(code), None))
    }

    #[test]
    fn only_size_and_fatality_are_told_from_what_passes() {
        use RDKafkaErrorCode as Code;
        assert_eq!([Code::MessageSizeTooLarge, Code::InvalidMessageSize].map(of), ["too-large"; 2]);
        assert_eq!(of(Code::Fatal), "fatal");
        let passing = [
            Code::MessageTimedOut,
            Code::QueueFull,
            Code::UnknownTopic,
            Code::UnknownTopicOrPartition,
            Code::NotEnoughReplicas,
            Code::TopicAuthorizationFailed,
            Code::PurgeQueue,
            Code::BrokerTransportFailure,
        ];
        assert_eq!(passing.map(of), ["unavailable"; 8]);
    }

    #[test]
    fn of_a_broken_producer_every_error_is_fatal() {
        let purged = KafkaError::MessageProduction(RDKafkaErrorCode::PurgeQueue);
        let told = classify("t", &purged, Some(FatalError::Broken("out of sequence".into())));
        assert_eq!(told, PublishError::Fatal("kafka, fatal: out of sequence".into()));
    }
}
