//! `mintctl airdrop`: many operations from one file, all of it or nothing.

mod args;
mod rows;

use anyhow::{Context, Result};
use domain::{Clock, SystemClock};
use kafka::Producer;
use service::config;

pub use args::AirdropArgs;
use rows::Rows;

use crate::exit::Exit;
use crate::run::read;
use crate::submit::{Checker, Line, Lines, open_file, publish};

/// Checks every row, and publishes them if all are good; a dry run needs no configuration.
///
/// # Errors
/// A file that cannot be read, or settings that Kafka's client does not take. What is wrong with a row is told beside its
/// number and shows in the exit code.
pub async fn run(args: AirdropArgs, json: bool) -> Result<Exit> {
    let settings = if args.dry_run { None } else { Some(read(config::kafka_settings)?) };
    let prefix = settings.as_ref().map(|settings| settings.topic_prefix.clone()).unwrap_or_default();
    let (reader, _) = open_file(&args.file)?;
    let mut rows = Rows::new(&args.campaign, args.template, Checker::new(&prefix, SystemClock.now()));
    // Reading ends where nothing more comes; an airdrop fits into memory many times over.
    let lines = Lines::new(reader, move |number, value| rows.read(number, &value)).collect::<Result<Vec<_>, _>>();
    let lines = lines.with_context(|| format!("cannot read {}", args.file.display()))?;
    let size = lines.last().map(|line| line.end);

    let (good, bad): (Vec<Line>, Vec<Line>) = lines.into_iter().partition(|line| line.event.is_ok());
    if !bad.is_empty() {
        let refused = bad.len();
        publish(bad.into_iter().map(Ok), None, None, json).await?;
        eprintln!("{refused} bad, {} good: nothing was published", good.len());
        return Ok(Exit::Failed);
    }
    let producer = settings.as_ref().map(Producer::start).transpose()?;
    let tally = publish(good.into_iter().map(Ok), size, producer.as_ref(), json).await?;
    Ok(tally.tell(producer.is_none(), json))
}
