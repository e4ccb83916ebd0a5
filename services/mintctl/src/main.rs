//! The operators' command line.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    mintctl::run(mintctl::Cli::parse())
}
