//! What `mintctl costs` says of the payers' funds: top-ups, and pauses for want of them.

use comfy_table::Table;
use domain::Verdict;
use serde_json::{Value, json};
use store::{PauseReport, TopUpReport};

use crate::output::{self, or_dash, sol};

/// Transfers from the treasury.
pub fn top_up_table(top_ups: &[TopUpReport]) -> Table {
    let mut table = output::table(["signed", "payer", "SOL", "verdict", "signature"]);
    for top_up in top_ups {
        table.add_row([
            output::time(top_up.signed_at),
            top_up.payer.to_string(),
            sol(top_up.lamports),
            top_up.verdict.map_or("open", Verdict::as_str).to_owned(),
            top_up.signature.to_string(),
        ]);
    }
    table
}

/// Times in which a payer signed nothing.
pub fn pause_table(pauses: &[PauseReport]) -> Table {
    let mut table = output::table(["payer", "from", "to", "reason", "held SOL", "remedy"]);
    for pause in pauses {
        let remedy = if pause.ended_at.is_some() { "" } else { pause.reason.remedy() };
        table.add_row([
            pause.payer.to_string(),
            output::time(pause.began_at),
            or_dash(pause.ended_at.map(output::time)),
            pause.reason.as_str().to_owned(),
            sol(pause.lamports),
            remedy.to_owned(),
        ]);
    }
    table
}

/// The same, for machines.
pub fn top_up(top_up: &TopUpReport) -> Value {
    json!({
        "signature": top_up.signature, "treasury": top_up.treasury, "payer": top_up.payer, "lamports": top_up.lamports,
        "signedAt": top_up.signed_at, "verdict": top_up.verdict.map(Verdict::as_str),
    })
}

/// Likewise.
pub fn pause(pause: &PauseReport) -> Value {
    json!({
        "payer": pause.payer, "reason": pause.reason.as_str(), "lamports": pause.lamports, "beganAt": pause.began_at,
        "endedAt": pause.ended_at,
    })
}
