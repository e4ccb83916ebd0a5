//! `mintctl doctor`: every dependency, one row each: how it is, and what to do about it.

mod chain;
mod content;
mod database;
mod kafka;
mod row;

use anyhow::Result;
use clap::Args;
use comfy_table::{Cell, Color};

use crate::exit::Exit;
use crate::output;
pub use chain::connect;
use row::{Row, Verdict};

const EXAMPLES: &str = "Changes nothing. Exit code 1 where a row says fail; warnings leave it 0.

Examples:
  mintctl doctor
  mintctl doctor --json | jq '.[] | select(.verdict != \"ok\")'";

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {}

/// Looks at everything at once.
///
/// # Errors
/// None but a closed stdout: what is wrong is a row.
pub async fn run(json: bool) -> Result<Exit> {
    let parts = futures::join!(database::examine(), kafka::examine(), chain::examine(), content::examine());
    let rows: Vec<Row> = <[_; 4]>::from(parts).into_iter().flatten().collect();
    if json {
        output::json_document(&rows)?;
    } else {
        output::text(table(&rows))?;
    }
    let failed = rows.iter().any(|row| row.verdict == Verdict::Fail);
    Ok(if failed { Exit::Failed } else { Exit::Ok })
}

fn table(rows: &[Row]) -> comfy_table::Table {
    let mut table = output::table(["", "what", "found", "what to do"]);
    for row in rows {
        let colour = match row.verdict {
            Verdict::Ok => Color::Green,
            Verdict::Warn => Color::Yellow,
            Verdict::Fail => Color::Red,
        };
        table.add_row([
            Cell::new(row.verdict.as_str()).fg(colour),
            Cell::new(&row.what),
            Cell::new(&row.found),
            Cell::new(row.remedy.unwrap_or_default()),
        ]);
    }
    table
}
