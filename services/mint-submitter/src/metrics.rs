//! What this worker counts.

use domain::{Shortage, Verdict};
use metrics::{counter, describe_counter, describe_gauge, gauge};
use solana::Pubkey;

use crate::funding::Standing;

const PAYER: &str = "mintfleet_payer_lamports";
const PAUSED: &str = "mintfleet_payer_paused";
const PAUSES: &str = "mintfleet_payer_pauses_total";
const TREASURY: &str = "mintfleet_treasury_lamports";
const TOP_UPS: &str = "mintfleet_top_ups_total";

/// Says what each metric means; once per process.
pub(crate) fn describe() {
    describe_gauge!(PAYER, "What a payer holds, lamports");
    describe_gauge!(PAUSED, "1 while a payer signs nothing for want of funds");
    describe_counter!(PAUSES, "Pauses for want of funds that nobody brought, by reason");
    describe_gauge!(TREASURY, "What the treasury holds, lamports");
    describe_counter!(TOP_UPS, "Top-ups whose fate is known, by verdict");
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn payer(payer: &Pubkey, lamports: u64, standing: Standing) {
    gauge!(PAYER, "payer" => payer.to_string()).set(lamports as f64);
    gauge!(PAUSED, "payer" => payer.to_string()).set(if standing.signs() { 0.0 } else { 1.0 });
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn treasury(lamports: u64) {
    gauge!(TREASURY).set(lamports as f64);
}

pub(crate) fn paused(reason: Shortage) {
    counter!(PAUSES, "reason" => reason.as_str()).increment(1);
}

pub(crate) fn topped_up(verdict: Verdict) {
    counter!(TOP_UPS, "verdict" => verdict.as_str()).increment(1);
}
