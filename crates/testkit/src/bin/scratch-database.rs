//! `scratch-database COMMAND…`: runs a command with `DATABASE_URL` naming a fresh, migrated database on the same server,
//! and drops it afterwards. Ends with the command's exit code.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use testkit::Database;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().context("usage: scratch-database COMMAND…")?;
    let database = Database::create().await?;
    let status = Command::new(program).args(arguments).env("DATABASE_URL", database.url()).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
