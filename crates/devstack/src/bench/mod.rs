//! `devstack bench`: what the fleet does and what it costs, beside what the machine could do, measured in one run.

mod chain_limit;
mod exactly_once;
mod usage;

pub use exactly_once::run as run_exactly_once;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{Cell, CellAlignment, Table};
use domain::State;

use crate::demo::{Follower, Journey, campaign, publish};
use crate::worker::WORKERS;
use crate::{Stack, StackOptions, figures};

use usage::Usage;

/// How long the fleet may take without moving anything before a run is given up.
const STANDSTILL: Duration = Duration::from_mins(2);
/// Mints sent straight to the chain to learn its limit.
const CHAIN_MINTS: usize = 1_000;

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// How each stack is started: a fresh one per run.
    pub stack: StackOptions,
    /// Operations of each run, published at once.
    pub runs: Vec<usize>,
}

/// What one run came to.
#[derive(Debug)]
struct Run {
    operations: usize,
    verified: usize,
    elapsed: Duration,
    /// From the first to the last operation verified.
    spread: Duration,
    calls: BTreeMap<String, u64>,
    pins: u64,
    statements: u64,
    usage: Vec<(&'static str, Usage)>,
}

/// Measures each run on a fresh stack, then the chain alone, and prints the figures as Markdown.
///
/// # Errors
/// A stack does not start, or a run stands still.
pub async fn run(options: BenchOptions) -> Result<()> {
    let mut runs = Vec::new();
    let mut limit = 0.0;
    for (index, operations) in options.runs.iter().enumerate() {
        let mut stack = Stack::start(options.stack.clone()).await?;
        eprintln!("{operations} operations …");
        runs.push(measure(&mut stack, *operations).await?);
        if index + 1 == options.runs.len() {
            eprintln!("the chain alone …");
            limit = chain_limit::mints_per_second(&stack, CHAIN_MINTS).await?;
        }
        stack.stop().await?;
    }
    println!("{}", table(&runs, limit));
    println!("\nRPC calls per mint by method:\n\n{}", calls_table(&runs));
    Ok(())
}

async fn measure(stack: &mut Stack, operations: usize) -> Result<Run> {
    let orders = campaign(operations);
    let before = usage(stack)?;
    let statements_before = statements(stack).await?;
    let pins_before = stack.pin_requests();
    stack.reset_rpc_counts();
    let mut follower = Follower::start(stack.env(), &orders)?;
    let started = Instant::now();
    publish(stack.env(), &orders).await?;
    let journeys = follower.until_ended(STANDSTILL, &[]).await?;
    let elapsed = started.elapsed();
    let usage = usage(stack)?.into_iter().zip(before).map(|((name, now), (_, then))| (name, now.since(&then)));
    Ok(Run {
        operations,
        verified: journeys.iter().filter(|journey| journey.reached.contains_key(&State::Verified)).count(),
        elapsed,
        spread: spread(&journeys),
        calls: stack.rpc_counts(),
        pins: stack.pin_requests() - pins_before,
        statements: statements(stack).await? - statements_before,
        usage: usage.collect(),
    })
}

fn usage(stack: &mut Stack) -> Result<Vec<(&'static str, Usage)>> {
    WORKERS.iter().map(|(name, _)| Ok((*name, Usage::of(stack.pid(name))?))).collect()
}

/// Statements that the workers have sent to the database so far: one round trip each.
async fn statements(stack: &Stack) -> Result<u64> {
    let mut sum = 0;
    for (_, variable) in WORKERS {
        let url = format!("{}/metrics", stack.env()[variable]);
        let text = reqwest::get(url).await?.text().await?;
        let samples = text.lines().filter(|line| line.starts_with("mintfleet_sql_statements_total"));
        sum += samples.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum::<u64>();
    }
    Ok(sum)
}

fn spread(journeys: &[Journey]) -> Duration {
    let ends = journeys.iter().filter_map(|journey| journey.reached.get(&State::Verified));
    let (first, last) = (ends.clone().min(), ends.max());
    first.zip(last).and_then(|(first, last)| (*last - *first).to_std().ok()).unwrap_or_default()
}

fn table(runs: &[Run], limit: f64) -> Table {
    let mut rows: Vec<(String, Vec<String>)> = vec![
        ("verified".into(), each(runs, |run| format!("{} of {}", run.verified, run.operations))),
        ("seconds, first event to last VERIFIED".into(), each(runs, |run| format!("{:.1}", run.elapsed.as_secs_f64()))),
        ("operations/s over that".into(), each(runs, |run| rate(run.verified, run.elapsed))),
        ("operations/s between first and last VERIFIED".into(), each(runs, |run| rate(run.verified, run.spread))),
        ("limit: mints/s of the chain alone".into(), each(runs, |_| format!("{limit:.0}"))),
        ("RPC calls per mint".into(), each(runs, |run| run.per_operation(run.calls.values().sum()))),
        ("pin requests per mint".into(), each(runs, |run| run.per_operation(run.pins))),
        ("SQL round trips per operation".into(), each(runs, |run| run.per_operation(run.statements))),
        ("CPU-seconds per 1,000 operations, all workers".into(), each(runs, Run::cpu_of_all)),
    ];
    for (index, (name, _)) in WORKERS.iter().enumerate() {
        rows.push((format!("CPU-seconds per 1,000, {name}"), each(runs, |run| run.cpu(index))));
    }
    for (index, (name, _)) in WORKERS.iter().enumerate() {
        rows.push((format!("peak RSS MiB, {name}"), each(runs, |run| run.usage[index].1.peak_mib().to_string())));
    }
    markdown("figure", heads(runs), rows)
}

fn calls_table(runs: &[Run]) -> Table {
    let mut methods: Vec<_> = runs.iter().flat_map(|run| run.calls.keys()).collect();
    methods.sort();
    methods.dedup();
    let row = |method: &String| {
        let count = |run: &Run| run.per_operation(run.calls.get(method).copied().unwrap_or(0));
        (method.clone(), each(runs, count))
    };
    markdown("method", heads(runs), methods.into_iter().map(row).collect())
}

fn heads(runs: &[Run]) -> Vec<String> {
    each(runs, |run| format!("{} at once", run.operations))
}

fn markdown(first: &str, heads: Vec<String>, rows: Vec<(String, Vec<String>)>) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header([first.to_owned()].into_iter().chain(heads));
    for (name, values) in rows {
        let values = values.into_iter().map(|value| Cell::new(value).set_alignment(CellAlignment::Right));
        table.add_row([Cell::new(name)].into_iter().chain(values));
    }
    table
}

fn each(runs: &[Run], show: impl Fn(&Run) -> String) -> Vec<String> {
    runs.iter().map(show).collect()
}

fn rate(count: usize, time: Duration) -> String {
    format!("{:.1}", figures::rate(count, time))
}

impl Run {
    fn per_operation(&self, count: u64) -> String {
        format!("{:.3}", figures::per(count, self.operations))
    }

    fn cpu(&self, worker: usize) -> String {
        self.seconds_per_thousand(self.usage[worker].1.cpu)
    }

    fn cpu_of_all(&self) -> String {
        self.seconds_per_thousand(self.usage.iter().map(|(_, usage)| usage.cpu).sum())
    }

    fn seconds_per_thousand(&self, cpu: Duration) -> String {
        let micros = u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX);
        format!("{:.2}", figures::per(micros, self.operations) / 1_000.0)
    }
}
