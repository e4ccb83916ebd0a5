//! What a person reads of it.

use std::time::Duration;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{Cell, CellAlignment, Table};

use super::outcome::Outcome;

/// One row per trouble, in the order of the failure table.
pub(super) fn table(outcomes: &[(u64, Outcome)]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header([
        "failure",
        "lasted s",
        "seed",
        "operations",
        "duplicates",
        "lost",
        "stuck",
        "poison",
        "dead-lettered",
        "worst delay s",
        "drained after s",
        "requests to what failed",
    ]);
    let mut rows: Vec<_> = outcomes.iter().collect();
    rows.sort_by_key(|(seed, outcome)| (super::ROWS.iter().position(|row| *row == outcome.row), *seed));
    for (seed, outcome) in rows {
        let figures = [
            seconds(outcome.lasted),
            seed.to_string(),
            outcome.operations.to_string(),
            outcome.duplicates.to_string(),
            outcome.lost.to_string(),
            outcome.stuck.to_string(),
            outcome.poison.to_string(),
            outcome.dead_lettered.to_string(),
            seconds(outcome.worst_delay),
            seconds(outcome.drained_after),
            outcome.reached.map_or_else(|| "-".to_owned(), |reached| reached.to_string()),
        ];
        let figures = figures.map(|figure| Cell::new(figure).set_alignment(CellAlignment::Right));
        table.add_row([Cell::new(outcome.row.name())].into_iter().chain(figures));
    }
    table
}

/// All rows together.
pub(super) fn totals(outcomes: &[(u64, Outcome)]) -> String {
    let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(|(_, outcome)| of(outcome)).sum::<usize>();
    format!(
        "{} operations in {} troubles: {} verified, {} duplicates, {} lost, {} stuck; {} poison records, {} dead letters.",
        sum(|outcome| outcome.operations),
        outcomes.len(),
        sum(|outcome| outcome.verified),
        sum(|outcome| outcome.duplicates),
        sum(|outcome| outcome.lost),
        sum(|outcome| outcome.stuck),
        sum(|outcome| outcome.poison),
        sum(|outcome| outcome.dead_lettered),
    )
}

/// Says at once what is wrong, and all of it.
pub(super) fn complain(outcome: &Outcome) {
    if outcome.is_good() {
        return;
    }
    eprintln!("  {}: {} of {} verified", outcome.row.name(), outcome.verified, outcome.operations);
    for problem in &outcome.wrong {
        eprintln!("    wrong: {problem}");
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}
