//! The binary: see the library of the same name.

use std::process::ExitCode;

use service::config::Program;

fn main() -> ExitCode {
    service::start(Program::MintSubmitter, mint_submitter::run)
}
