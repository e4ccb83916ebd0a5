//! `mintctl migrate`: the schema of the database.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use service::record_mint_keys;
use solana::MasterSecrets;
use store::Store;

use crate::exit::Exit;
use crate::output;

const EXAMPLES: &str = "Running it again changes nothing, and several at once wait for each other. Where MINT_MASTER_SECRET
is set, the fingerprints of the master secrets are put on record too, and a secret that contradicts the record is refused.

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
/// The database's trouble, a schema that is not of this program's making, or master secrets that contradict the record.
pub async fn run(args: &MigrateArgs, store: &Store, masters: Option<&MasterSecrets>, json: bool) -> Result<Exit> {
    let was_current = store.schema_is_current().await?;
    if !was_current && !args.check {
        store.migrate().await?;
    }
    let is_current = was_current || !args.check;
    let recorded = match masters {
        Some(masters) if !args.check => record_mint_keys(store, masters).await?,
        Some(_) | None => Vec::new(),
    };
    if json {
        output::json_document(
            &json!({ "current": is_current, "changed": is_current && !was_current, "recordedKeys": recorded }),
        )?;
    } else {
        output::text(match (was_current, is_current) {
            (true, _) => "the schema is up to date",
            (false, true) => "the schema was brought up to date",
            (false, false) => "the schema is behind: run mintctl migrate",
        })?;
        for key_id in recorded {
            output::text(format!("the fingerprint of the master secret {key_id} is on record now"))?;
        }
    }
    Ok(if is_current { Exit::Ok } else { Exit::Failed })
}
