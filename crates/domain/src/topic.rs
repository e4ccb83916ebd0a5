//! The topics of the fleet and their names.

use crate::{Priority, Step};

/// A topic of ours. Its dead letters lie in the topic of the same name with `.dlq` behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// What the API publishes.
    Operations,
    /// What one step is asked to do, per priority.
    Requests(Step, Priority),
    /// What the API is told.
    Status,
}

impl Topic {
    /// Ends the name of a dead-letter topic.
    pub const DEAD_LETTER_SUFFIX: &'static str = ".dlq";

    /// Every topic.
    pub fn all() -> impl Iterator<Item = Self> {
        let requests =
            Step::ALL.into_iter().flat_map(|step| Priority::ALL.into_iter().map(move |p| Self::Requests(step, p)));
        [Self::Operations, Self::Status].into_iter().chain(requests)
    }

    /// Its name; `prefix` sets fleets apart that share a cluster, and is empty otherwise.
    #[must_use]
    pub fn name(self, prefix: &str) -> String {
        let name = match self {
            Self::Operations => "nft-operations",
            Self::Status => "nft-operation-status",
            Self::Requests(Step::Upload, _) => "nft-upload-requests",
            Self::Requests(Step::Mint, _) => "nft-mint-requests",
            Self::Requests(Step::Verify, _) => "nft-verification-requests",
        };
        let suffix = match self {
            Self::Requests(_, priority) => suffix(priority),
            Self::Operations | Self::Status => "",
        };
        format!("{prefix}{name}{suffix}")
    }

    /// The priority that a request topic of this name carries.
    #[must_use]
    pub fn priority_of(name: &str) -> Priority {
        let carried =
            [Priority::Critical, Priority::Bulk].into_iter().find(|priority| name.ends_with(suffix(*priority)));
        carried.unwrap_or(Priority::Normal)
    }

    /// The name of its dead-letter topic.
    #[must_use]
    pub fn dead_letter_name(self, prefix: &str) -> String {
        self.name(prefix) + Self::DEAD_LETTER_SUFFIX
    }
}

const fn suffix(priority: Priority) -> &'static str {
    match priority {
        Priority::Critical => ".critical",
        Priority::Normal => "",
        Priority::Bulk => ".bulk",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_published() {
        let names: Vec<_> = Topic::all().map(|topic| topic.name("")).collect();
        assert_eq!(
            names,
            [
                "nft-operations",
                "nft-operation-status",
                "nft-upload-requests.critical",
                "nft-upload-requests",
                "nft-upload-requests.bulk",
                "nft-mint-requests.critical",
                "nft-mint-requests",
                "nft-mint-requests.bulk",
                "nft-verification-requests.critical",
                "nft-verification-requests",
                "nft-verification-requests.bulk",
            ]
        );
        for priority in Priority::ALL {
            assert_eq!(Topic::priority_of(&Topic::Requests(Step::Mint, priority).name("t1.")), priority);
        }
        assert_eq!(Topic::Operations.dead_letter_name("t1."), "t1.nft-operations.dlq");
    }
}
