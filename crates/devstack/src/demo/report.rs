//! The demo's table and its totals.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, Table};
use domain::State;

use super::Journey;
use crate::figures;

const STAGES: [(State, State); 3] = [
    (State::Initiated, State::IpfsUploaded),
    (State::IpfsUploaded, State::BlockchainConfirmed),
    (State::BlockchainConfirmed, State::Verified),
];

/// One row per operation.
pub fn table(journeys: &[Journey]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header([
        "NFT",
        "wallet",
        "mint",
        "image CID",
        "metadata CID",
        "signature",
        "upload s",
        "mint s",
        "verify s",
    ]);
    for journey in journeys {
        let event = &journey.order.event;
        let told = journey.latest.as_ref();
        let mut row = vec![
            Cell::new(&event.nft.name),
            Cell::new(short(&event.wallet_address)),
            Cell::new(short_or_state(journey, told.and_then(|s| s.mint_address))),
            Cell::new(short_or_state(journey, told.and_then(|s| s.image_cid.as_ref()))),
            Cell::new(short_or_state(journey, told.and_then(|s| s.metadata_cid.as_ref()))),
            Cell::new(short_or_state(journey, told.and_then(|s| s.signature))),
        ];
        row.extend(STAGES.iter().map(|(from, to)| {
            let seconds = journey.seconds(*from, *to).map_or_else(|| "-".into(), |seconds| format!("{seconds:.1}"));
            Cell::new(seconds).set_alignment(CellAlignment::Right)
        }));
        table.add_row(row);
    }
    table
}

/// Operations per second, RPC calls per mint by method, pin requests per mint.
#[must_use]
pub fn totals(journeys: &[Journey], elapsed: Duration, calls: &BTreeMap<String, u64>, pins: u64) -> String {
    let verified = journeys.iter().filter(|journey| journey.reached.contains_key(&State::Verified)).count();
    let per_mint = |count: u64| figures::per(count, verified);
    let seconds = elapsed.as_secs_f64();
    let mut text = format!(
        "{verified} of {} verified in {seconds:.1} s: {:.1} operations/s (the chain takes 31 slots to finalise)\n",
        journeys.len(),
        figures::rate(verified, elapsed),
    );
    let all: u64 = calls.values().sum();
    let _ = writeln!(text, "RPC calls per mint: {:.2}", per_mint(all));
    for (method, count) in calls {
        let _ = writeln!(text, "  {method:<32} {:.3}", per_mint(*count));
    }
    let _ = write!(text, "Pin requests per mint: {:.2}", per_mint(pins));
    text
}

fn short(text: &impl ToString) -> String {
    let text = text.to_string();
    match (text.get(..4), text.get(text.len().saturating_sub(6)..)) {
        (Some(head), Some(tail)) if text.len() > 12 => format!("{head}…{tail}"),
        _ => text,
    }
}

/// Where something is missing, the state tells why.
fn short_or_state(journey: &Journey, value: Option<impl ToString>) -> String {
    let state = || journey.latest.as_ref().map_or_else(|| "not accepted".into(), |latest| latest.state.to_string());
    value.map_or_else(state, |value| short(&value))
}
