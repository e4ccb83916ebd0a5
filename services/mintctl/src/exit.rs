//! How a command ended, as a number.

use std::process::ExitCode;

use service::config::ConfigError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, and all is well.
    Ok,
    /// Something failed.
    Failed,
    /// Wrong arguments or configuration.
    Usage,
    /// No such operation, no such dead letter.
    NothingMatched,
}

impl Exit {
    /// The worst of what an error chain says of itself.
    #[must_use]
    pub fn of_error(error: &anyhow::Error) -> Self {
        if error.is::<ConfigError>() || error.is::<Usage>() { Self::Usage } else { Self::Failed }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NothingMatched => 3,
        })
    }
}

/// Arguments that clap takes and the command cannot work with.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);
