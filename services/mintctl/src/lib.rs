//! The operators' command line of the mint fleet, one file per command. Results go to stdout, as tables or as JSON;
//! everything else goes to stderr; how it ended is the exit code.

mod airdrop;
mod chain_question;
mod cli;
mod collection;
mod costs;
mod dlq;
mod doctor;
mod exit;
mod fleet;
mod funding;
mod help;
mod list;
mod migrate;
mod next;
mod op;
mod output;
mod person;
mod policies;
mod probe;
mod reconcile;
mod run;
mod span;
mod status;
mod submit;
mod topics;
mod view;
mod watch;
mod witnesses;

pub use cli::{Cli, Command};
pub use exit::{Exit, Usage};
pub use run::run;
