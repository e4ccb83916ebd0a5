//! `mintctl migrate`: the schema of the database.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use store::Store;

use crate::exit::Exit;
use crate::output;

const EXAMPLES: &str = "Running it again changes nothing, and several at once wait for each other.

Examples:
  mintctl migrate
  mintctl migrate --check || echo 'the schema is behind'";

/// Arguments of `migrate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct MigrateArgs {
    /// Change nothing; exit code 1 where the schema is behind
    #[arg(long)]
    pub check: bool,
}

/// Brings it up to date.
///
/// # Errors
/// The database's trouble, or a schema that is not of this program's making.
pub async fn run(args: &MigrateArgs, store: &Store, json: bool) -> Result<Exit> {
    let was_current = store.schema_is_current().await?;
    if !was_current && !args.check {
        store.migrate().await?;
    }
    let is_current = was_current || !args.check;
    if json {
        output::json_document(&json!({ "current": is_current, "changed": is_current && !was_current }))?;
    } else {
        output::text(match (was_current, is_current) {
            (true, _) => "the schema is up to date",
            (false, true) => "the schema was brought up to date",
            (false, false) => "the schema is behind: run mintctl migrate",
        })?;
    }
    Ok(if is_current { Exit::Ok } else { Exit::Failed })
}
