//! What happens to an operation next, and when.

use std::fmt;

use chrono::{DateTime, Utc};
use domain::{Operation, State, Step};
use serde::Serialize;

use crate::output;

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Next {
    /// Who does it; none where nobody does anything by themselves.
    pub by: Option<&'static str>,
    /// What.
    pub what: String,
    /// Not before then; as soon as its turn comes where that is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<DateTime<Utc>>,
    /// What a person is asked to look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs_review: Option<String>,
}

/// What happens next to an operation as it stands.
#[must_use]
pub fn of(operation: &Operation) -> Next {
    Next {
        by: operation.state.step().map(worker),
        what: what(operation),
        not_before: operation.next_attempt_at,
        needs_review: operation.needs_review.clone(),
    }
}

const fn worker(step: Step) -> &'static str {
    match step {
        Step::Upload => "ipfs-uploader",
        Step::Mint => "mint-submitter",
        Step::Verify => "verifier",
    }
}

fn what(operation: &Operation) -> String {
    match (operation.state, &operation.open_attempt) {
        (State::Initiated, _) => "its image and its metadata are pinned".into(),
        (State::ImageUploaded, _) => "its metadata is pinned".into(),
        (State::IpfsUploaded, _) => "a transaction is signed and put on record, unless its NFT is there already".into(),
        (State::BlockchainSubmitted, Some(attempt)) => format!(
            "{} is sent, and sent again, until it has landed or no block can take it any more (after height {})",
            attempt.signature, attempt.last_valid_block_height
        ),
        (State::BlockchainSubmitted, None) => "the chain is asked, and the next transaction signed".into(),
        (State::BlockchainConfirmed, _) => {
            "once it is final (13 s), it is checked on chain and its record written".into()
        }
        (State::DatabaseUpdated, _) => "its content is read back the way a partner would".into(),
        (State::Verified, _) => "nothing: it is done".into(),
        (State::Failed, _) if operation.image_cid.is_some() || operation.metadata_cid.is_some() => {
            "some time after it failed (a day, if not set otherwise) ipfs-uploader unpins what it had pinned, and it is \
             rolled back; `mintctl op retry` takes it up again"
                .into()
        }
        (State::Failed, _) => "nothing by itself: `mintctl op retry` takes it up again".into(),
        (State::RolledBack, _) => "nothing by itself: `mintctl op retry` begins it anew".into(),
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(by) = self.by {
            write!(f, ", by {by}")?;
            match self.not_before {
                Some(at) => write!(f, ", not before {}", output::time(at))?,
                None => f.write_str(", as soon as its turn comes")?,
            }
        }
        if self.needs_review.is_some() {
            f.write_str("; and a person should look at it")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_next_thing_and_somebody_who_does_it() {
        for state in State::ALL {
            let next = of(&Operation { state, ..testkit::operation(testkit::operation_id(1)) });
            assert_eq!(next.by.is_some(), state.step().is_some(), "{state}");
            assert!(!next.what.is_empty());
        }
        let waiting = Operation {
            next_attempt_at: Some(DateTime::UNIX_EPOCH),
            needs_review: Some("look".into()),
            ..testkit::operation(testkit::operation_id(1))
        };
        assert_eq!(
            of(&waiting).to_string(),
            "its image and its metadata are pinned, by ipfs-uploader, not before 1970-01-01T00:00:00Z; and a person \
             should look at it"
        );
    }
}
