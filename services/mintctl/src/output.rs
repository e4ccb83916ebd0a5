//! Tables for people, JSON for machines. Results go to stdout; everything else is stderr's.

use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

/// Prints a value: one line of JSON where a machine asked, pretty where its document stands alone.
///
/// # Errors
/// A closed stdout.
pub fn json_document(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    Ok(writeln!(out)?)
}

/// Prints a value as one line of JSON.
///
/// # Errors
/// A closed stdout.
pub fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    Ok(writeln!(out)?)
}

/// Prints text.
///
/// # Errors
/// A closed stdout.
pub fn text(text: impl std::fmt::Display) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

/// An empty table as wide as the terminal.
#[must_use]
pub fn table<const N: usize>(columns: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_header(columns);
    table
}

/// A time to the second, UTC.
#[must_use]
pub fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What is there, or a dash.
#[must_use]
pub fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

/// Lamports as SOL, to the last of them.
#[must_use]
pub fn sol(lamports: u64) -> String {
    const LAMPORTS: u64 = 1_000_000_000;
    format!("{}.{:09}", lamports / LAMPORTS, lamports % LAMPORTS)
}
