//! `devstack fault`.

use std::{collections::BTreeMap, fmt::Write, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets::NOTHING};
use devstack::{
    Layout,
    control::Control,
    faults::{Fault, FaultKind, FaultReport, Part, Standing, parse_share},
};

use super::Where;

/// What a person may try first.
pub(super) const EXAMPLES: &str = "Examples:
  devstack fault set rpc-1 hang --method sendTransaction --for 30s
  devstack fault set pins 429=5s --share 30%
  devstack fault set postgres refused --for 1m
  devstack fault set chain fork=20
  devstack fault ls
  devstack fault clear rpc";

#[derive(Debug, Subcommand)]
pub(super) enum FaultCommand {
    /// Let a part fail, until it is cleared or its time is over
    ///
    /// A fault of the same name is replaced; so is one of the same kind and method at the same target, where no name is
    /// given.
    #[command(after_help = kinds(), after_long_help = kinds())]
    Set(SetArgs),
    /// List the faults that stand, how often each has struck, and how much reached the parts meanwhile
    Ls(Where),
    /// End faults: all, or those of a target, a part or a name
    Clear {
        /// Such as rpc-1, rpc or rpc-1/hang
        which: Option<String>,
        #[command(flatten)]
        place: Where,
    },
}

#[derive(Debug, Args)]
pub(super) struct SetArgs {
    /// rpc-1, rpc-2, …, pins-first, pins-backup, gateway-1, gateway-2, postgres, kafka, chain; or all of a part: rpc, pins,
    /// gateway
    target: String,
    /// What goes wrong, see below
    fault: FaultKind,
    /// Only these requests: a JSON-RPC method, or what a pin server is asked for (authenticate, delete, get, list,
    /// update, upload)
    #[arg(long)]
    method: Option<String>,
    /// Only a share of them, by chance: 30% or 0.3
    #[arg(long, default_value = "100%", value_parser = parse_share)]
    share: f64,
    /// End by itself after this time, such as 30s
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    lasts: Option<Duration>,
    /// Call it otherwise than TARGET/FAULT
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    place: Where,
}

pub(super) async fn fault(command: FaultCommand) -> Result<ExitCode> {
    match command {
        FaultCommand::Set(args) => set(args).await?,
        FaultCommand::Ls(place) => print!("{}", listing(&control(&place)?.fault_report().await?)),
        FaultCommand::Clear { which, place } => {
            for name in control(&place)?.clear_faults(which).await? {
                println!("{name} is over");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(args: SetArgs) -> Result<()> {
    let SetArgs { target, fault: kind, method, share, lasts, name, place } = args;
    let names = control(&place)?.set_fault(&Fault { target, kind, method, share, lasts, name }).await?;
    if names.is_empty() {
        println!("{kind}: done");
    }
    for name in names {
        println!("{name} stands");
    }
    Ok(())
}

fn control(place: &Where) -> Result<Control> {
    let layout = Layout::new(&place.dir)?;
    let running = if layout.is_taken() { Control::of(&layout) } else { None };
    running.with_context(|| format!("no stack is ready in {}", layout.root().display()))
}

/// Every kind with what it means and where it can happen.
fn kinds() -> String {
    let mut table = plain_table();
    for (kind, meaning) in FaultKind::EXAMPLES {
        let (suffer, others): (Vec<Part>, Vec<Part>) = Part::ALL.into_iter().partition(|part| part.can_suffer(kind));
        let parts = match others[..] {
            [one] => format!("all but {}", one.name()),
            _ => suffer.into_iter().map(Part::name).collect::<Vec<_>>().join(", "),
        };
        table.add_row([format!(" {kind}"), parts, meaning.to_owned()]);
    }
    format!("Faults:\n{}", table.trim_fmt())
}

fn listing(report: &FaultReport) -> String {
    let mut table = plain_table();
    table.set_header(["NAME", "TARGET", "FAULT", "METHOD", "SHARE", "ENDS IN", "STRUCK"]);
    for fault in &report.faults {
        table.add_row(row(fault));
    }
    let mut text = if report.faults.is_empty() { "No fault stands.\n".to_owned() } else { table.trim_fmt() + "\n" };
    let reached: BTreeMap<_, _> = report.reached.iter().filter(|(_, count)| **count > 0).collect();
    if !reached.is_empty() {
        text += "\nReached while faulty:\n";
        for (target, count) in reached {
            let _ = writeln!(text, "  {target:<12} {count}");
        }
    }
    text
}

fn row(fault: &Standing) -> [String; 7] {
    let whole_seconds = |time: Duration| Duration::from_secs(time.as_secs() + u64::from(time.subsec_nanos() > 0));
    [
        fault.name.clone(),
        fault.target.clone(),
        fault.kind.to_string(),
        fault.method.clone().unwrap_or_else(|| "any".into()),
        format!("{:.0}%", fault.share * 100.0),
        fault.remaining.map_or_else(|| "-".into(), |time| humantime::format_duration(whole_seconds(time)).to_string()),
        fault.struck.to_string(),
    ]
}

fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table
}
