//! The end of `--help`: exit codes, examples, and the environment.

use service::config::{self, Program};

/// With everything that is read from the environment; each command needs only its own part of it.
pub fn long(exits: &str) -> String {
    format!("{exits}\n\n{}", config::help(Program::Mintctl))
}
