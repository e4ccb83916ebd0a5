//! What went wrong, in the source document's five classes.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a failure is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// Time-out, reset, 5xx: again after a while.
    Transient,
    /// 429 and its like: again when we are told.
    RateLimited,
    /// Too slow to be useful.
    Degraded,
    /// Refused or not found by name: another endpoint.
    Outage,
    /// Never again the same way: FAILED or a dead letter.
    Permanent,
}

impl FailureClass {
    /// Every class.
    pub const ALL: [Self; 5] = [Self::Transient, Self::RateLimited, Self::Degraded, Self::Outage, Self::Permanent];

    /// The name in the database, in headers and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::RateLimited => "rate-limited",
            Self::Degraded => "degraded",
            Self::Outage => "outage",
            Self::Permanent => "permanent",
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Longest message, bytes: it travels in headers, events and rows, and may quote what somebody sent us.
const MAX_MESSAGE: usize = 2_000;

/// A failure as it is stored, published and shown. Carries no secret: whoever makes one leaves them out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// How it is answered.
    pub class: FailureClass,
    /// A stable kebab-case name for machines, such as `not-an-image`.
    pub code: Cow<'static, str>,
    /// A sentence for people.
    pub message: String,
}

impl Failure {
    /// A failure of that class. A message of more than 2,000 bytes is cut.
    pub fn new(class: FailureClass, code: impl Into<Cow<'static, str>>, message: impl fmt::Display) -> Self {
        let mut message = message.to_string();
        message.truncate(message.floor_char_boundary(MAX_MESSAGE));
        Self { class, code: code.into(), message }
    }

    /// A failure that no retry can mend.
    pub fn permanent(code: impl Into<Cow<'static, str>>, message: impl fmt::Display) -> Self {
        Self::new(FailureClass::Permanent, code, message)
    }

    /// A failure that may be gone the next time.
    pub fn transient(code: impl Into<Cow<'static, str>>, message: impl fmt::Display) -> Self {
        Self::new(FailureClass::Transient, code, message)
    }

    /// Whether no retry can mend it.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.class == FailureClass::Permanent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let failure = Failure::permanent("x", "é".repeat(MAX_MESSAGE) + "!");
        assert_eq!(failure.message.len(), MAX_MESSAGE);
        assert_eq!(Failure::permanent("x", format!("1{}", "é".repeat(MAX_MESSAGE))).message.len(), MAX_MESSAGE - 1);
    }

    #[test]
    fn names_round_trip() {
        for class in FailureClass::ALL {
            assert_eq!(FailureClass::from_name(class.as_str()), Some(class));
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
    }
}
