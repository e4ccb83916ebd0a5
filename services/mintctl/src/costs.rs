//! `mintctl costs`: what minting cost, by day and by kind of operation, and how near that is to the least it could; and how
//! the payers were kept in funds.

use anyhow::Result;
use clap::Args;
use comfy_table::{CellAlignment, Table};
use domain::{Clock, MintCost, SystemClock};
use serde_json::{Value, json};
use store::{DaySpending, Spending, Store};

use crate::exit::Exit;
use crate::funding;
use crate::output::{self, or_dash, sol};
use crate::span::{Since, parse_since};

const EXAMPLES: &str = "Amounts are SOL in the tables and lamports in JSON. A transaction counts on the day (UTC) on which \
it was signed: all of it where it minted, its two fees where it landed and failed, nothing where it never landed or its fate \
is open. The floor is what the NFTs would have cost with the first transaction of each landing, without any priority.

Examples:
  mintctl costs
  mintctl costs --since 24h
  mintctl costs --since 2026-01-01T00:00:00Z --json | jq '.total.lamportsPerNft'";

/// Arguments of `costs`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CostsArgs {
    /// Only transactions that were signed since: a span such as 24h, or a time
    #[arg(long, value_name = "SPAN|TIME", default_value = "30d", value_parser = parse_since)]
    pub since: Since,
}

/// Sums them up.
///
/// # Errors
/// The database's trouble.
pub async fn run(args: &CostsArgs, store: &Store, json: bool) -> Result<Exit> {
    let since = args.since.seen_from(SystemClock.now());
    let days = store.spending(since).await?;
    let (top_ups, pauses) = (store.top_ups(since).await?, store.pauses(since).await?);
    let (kinds, total) = (by_kind(&days), sum(days.iter()));
    if json {
        let rows = days.iter().map(|day| labelled(&day.spending, &[("day", &day.day.to_string()), kind(day)]));
        let kinds = kinds.iter().map(|day| labelled(&day.spending, &[kind(day)]));
        output::json_document(&json!({
            "since": since, "days": rows.collect::<Vec<_>>(), "kinds": kinds.collect::<Vec<_>>(),
            "total": labelled(&total, &[]), "topUps": top_ups.iter().map(funding::top_up).collect::<Vec<_>>(),
            "pauses": pauses.iter().map(funding::pause).collect::<Vec<_>>(),
        }))?;
        return Ok(Exit::Ok);
    }
    if days.is_empty() {
        output::text(format!("no transaction was signed since {}", output::time(since)))?;
    } else {
        output::text(table(&days, &kinds, &total))?;
        output::text(verdict(&total))?;
    }
    if !top_ups.is_empty() {
        output::text(format!("\nTop-ups\n{}", funding::top_up_table(&top_ups)))?;
    }
    if !pauses.is_empty() {
        output::text(format!("\nPauses for want of funds\n{}", funding::pause_table(&pauses)))?;
    }
    Ok(Exit::Ok)
}

/// All days of each kind together.
fn by_kind(days: &[DaySpending]) -> Vec<DaySpending> {
    let mut kinds: Vec<DaySpending> = Vec::new();
    for day in days {
        match kinds.iter_mut().find(|kind| kind.kind == day.kind) {
            Some(kind) => kind.spending = kind.spending.and(day.spending),
            None => kinds.push(*day),
        }
    }
    kinds
}

fn sum<'a>(days: impl Iterator<Item = &'a DaySpending>) -> Spending {
    days.fold(Spending::default(), |sum, day| sum.and(day.spending))
}

fn table(days: &[DaySpending], kinds: &[DaySpending], total: &Spending) -> Table {
    let mut table = output::table([
        "day",
        "kind",
        "NFTs",
        "failed",
        "never landed",
        "open",
        "base fee",
        "priority",
        "rent",
        "protocol",
        "total",
        "an NFT",
        "floor",
    ]);
    let mut row = |day: &str, kind: &str, spending: &Spending| {
        let MintCost { base_fee, priority_fee, rent, protocol_fee } = spending.spent;
        let counts = [spending.nfts, spending.failed, spending.expired, spending.open].map(|count| count.to_string());
        let amounts = [base_fee, priority_fee, rent, protocol_fee, spending.spent.total()].map(sol);
        let each = [spending.per_nft(), spending.floor_per_nft()].map(|each| or_dash(each.map(sol)));
        let labels = [day.to_owned(), kind.to_owned()];
        table.add_row(labels.into_iter().chain(counts).chain(amounts).chain(each));
    };
    for day in days {
        row(&day.day.to_string(), day.kind.as_str(), &day.spending);
    }
    for kind in kinds.iter().filter(|_| kinds.len() > 1) {
        row("all", kind.kind.as_str(), &kind.spending);
    }
    row("all", "all", total);
    table.column_iter_mut().skip(2).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

/// The whole in a line.
fn verdict(total: &Spending) -> String {
    let (Some(each), Some(floor)) = (total.per_nft(), total.floor_per_nft()) else {
        return match total.unknown {
            0 => "no NFT was minted".to_owned(),
            unknown => format!("of {unknown} transactions that landed it is not known what they cost: no average"),
        };
    };
    format!("an NFT cost {} SOL; the floor is {}, {} lamports less", sol(each), sol(floor), each.saturating_sub(floor))
}

const fn kind(day: &DaySpending) -> (&'static str, &'static str) {
    ("kind", day.kind.as_str())
}

fn labelled(spending: &Spending, labels: &[(&str, &str)]) -> Value {
    let MintCost { base_fee, priority_fee, rent, protocol_fee } = spending.spent;
    let mut document = json!({
        "nfts": spending.nfts, "failed": spending.failed, "neverLanded": spending.expired, "open": spending.open,
        "unknownCost": spending.unknown, "baseFee": base_fee, "priorityFee": priority_fee, "rent": rent,
        "protocolFee": protocol_fee, "lamports": spending.spent.total(), "floor": spending.floor,
        "lamportsPerNft": spending.per_nft(), "floorPerNft": spending.floor_per_nft(),
    });
    for (name, value) in labels {
        document[*name] = json!(value);
    }
    document
}

#[cfg(test)]
mod tests {
    use domain::OperationKind;

    use super::*;

    fn day(day: u32, kind: OperationKind, nfts: u64) -> DaySpending {
        let spent = MintCost { base_fee: 10_000 * nfts, priority_fee: 5, rent: 1_000 * nfts, protocol_fee: 0 };
        let spending = Spending { nfts, spent, floor: 11_000 * nfts, ..Spending::default() };
        DaySpending { day: chrono::NaiveDate::from_ymd_opt(2026, 1, day).unwrap(), kind, spending }
    }

    #[test]
    fn days_are_summed_by_kind_and_in_all() {
        let days =
            [day(1, OperationKind::Unlock, 2), day(1, OperationKind::Airdrop, 1), day(2, OperationKind::Unlock, 3)];
        let kinds: Vec<_> = by_kind(&days).iter().map(|kind| (kind.kind, kind.spending.nfts)).collect();
        assert_eq!(kinds, [(OperationKind::Unlock, 5), (OperationKind::Airdrop, 1)]);
        let total = sum(days.iter());
        assert_eq!((total.nfts, total.spent.total(), total.floor), (6, 66_015, 66_000));
        assert_eq!((total.per_nft(), total.floor_per_nft()), (Some(11_002), Some(11_000)));
        assert_eq!(verdict(&total), "an NFT cost 0.000011002 SOL; the floor is 0.000011000, 2 lamports less");
    }

    #[test]
    fn what_is_not_known_makes_no_average() {
        assert_eq!(verdict(&Spending::default()), "no NFT was minted");
        let unknown = Spending { nfts: 2, unknown: 1, ..Spending::default() };
        assert!(verdict(&unknown).starts_with("of 1 transactions"), "{}", verdict(&unknown));
        assert_eq!(labelled(&unknown, &[])["lamportsPerNft"], Value::Null);
    }
}
