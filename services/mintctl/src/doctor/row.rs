//! One finding.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// The fleet works, but not as well as it could, or not for long.
    Warn,
    /// The fleet, or a part of it, does not work.
    Fail,
}

impl Verdict {
    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// One finding.
#[derive(Debug, Serialize)]
pub struct Row {
    /// About what.
    pub what: String,
    /// How bad it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
}

impl Row {
    /// All is well.
    pub fn ok(what: impl Into<String>, found: impl fmt::Display) -> Self {
        Self { what: what.into(), verdict: Verdict::Ok, found: found.to_string(), remedy: None }
    }

    /// Could be better.
    pub fn warn(what: impl Into<String>, found: impl fmt::Display, remedy: &'static str) -> Self {
        Self { what: what.into(), verdict: Verdict::Warn, found: found.to_string(), remedy: Some(remedy) }
    }

    /// Does not work.
    pub fn fail(what: impl Into<String>, found: impl fmt::Display, remedy: &'static str) -> Self {
        Self { what: what.into(), verdict: Verdict::Fail, found: found.to_string(), remedy: Some(remedy) }
    }

    /// One row for each thing that is wrong with a part of the configuration.
    pub fn configuration(what: &str, error: service::config::ConfigError) -> Vec<Self> {
        let remedy = "set it; `mintctl --help` lists every variable";
        error.problems.into_iter().map(|problem| Self::fail(what, problem, remedy)).collect()
    }
}
