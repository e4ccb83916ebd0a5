//! `mintctl dlq replay`: what was put aside is tried once more, at the pace and by the rules that a person asks for.

mod pace;
mod plans;
mod replayer;
mod tally;
mod way;

use std::future::ready;

use anyhow::{Result, bail};
use clap::Args;
use futures::{StreamExt, stream};
use indicatif::ProgressBar;
use kafka::{KafkaSettings, Producer};
use serde_json::json;
use store::Store;
use uuid::Uuid;

use super::filter::FilterArgs;
use crate::exit::{Exit, Usage};
use crate::output;
use crate::person::PersonArgs;
use pace::{Interrupt, Pace, parse_rate};
use plans::{Plan, Plans};
use replayer::Replayer;
use tally::{Foreseen, Tally};

const EXAMPLES: &str = "A record that could not be read is published again on the topic it came from, counted in
x-dlq-replay-count. The letter of an operation that failed is a retry of the operation, once the
chain has said that its NFT is not there; where it is there, the operation goes on from
BLOCKCHAIN_CONFIRMED. The ledger keeps what was replayed, by whom and why, so the same command goes
on where it was interrupted, and two people replay nothing twice. A letter that was discarded is
replayed only by its id.

Exit code 1 where a letter was refused or the run was interrupted, 3 where nothing matches that is
still open.

Examples:
  mintctl dlq replay 0199a0b0-0000-5000-8000-000000000001 --reason 'the gateway is back'
  mintctl dlq replay 0199a0b0-0000-5000-8000-000000000001 --edit --reason 'a shorter name'
  mintctl dlq replay --code not-an-image --since 24h --dry-run
  mintctl dlq replay --all --rate 20/s --reason 'after the outage of 2 May'";

/// Letters under way at once.
const AT_ONCE: usize = 16;

/// Arguments of `dlq replay`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReplayArgs {
    /// The letters; those that pass the filter where none is named
    #[arg(value_name = "ID")]
    ids: Vec<Uuid>,

    #[command(flatten)]
    filter: FilterArgs,

    /// Every letter that is still open
    #[arg(long, conflicts_with = "ids")]
    all: bool,

    /// Say what would be done, do nothing
    #[arg(long, conflicts_with = "edit")]
    dry_run: bool,

    /// At most so many a second: 20/s, 0.5/s
    #[arg(long, value_name = "N/s", value_parser = parse_rate)]
    rate: Option<f64>,

    /// Why, for the ledger
    #[arg(long)]
    reason: Option<String>,

    /// Change the value, or what the operation is about, before it is replayed; takes one letter
    #[arg(long)]
    edit: bool,

    /// What --edit opens
    #[arg(long, value_name = "COMMAND", env = "EDITOR", default_value = "vi")]
    editor: String,

    #[command(flatten)]
    person: PersonArgs,
}

/// Replays them.
///
/// # Errors
/// [`Usage`] where nothing is named; the cluster's trouble, or the database's.
pub async fn run(args: &ReplayArgs, kafka: &KafkaSettings, store: &Store, json: bool) -> Result<Exit> {
    if args.ids.is_empty() && args.filter.is_empty() && !args.all {
        return Err(Usage("name the letters, filter them, or say --all".into()).into());
    }
    if args.edit && args.ids.len() != 1 {
        return Err(Usage("--edit takes one letter, by its id".into()).into());
    }
    let plans = Plans::new(args, kafka, store);
    if args.dry_run { foresee(&plans, json).await } else { carry_out(args, &plans, json).await }
}

async fn foresee(plans: &Plans<'_>, json: bool) -> Result<Exit> {
    let mut letters = plans.letters().await?;
    let mut foreseen = Foreseen::default();
    while let Some(batch) = letters.next().await? {
        for Plan { found, way } in plans.make(batch).await? {
            foreseen.count(&way);
            let (id, would) = (found.letter().id, way.would());
            if json {
                output::json_line(&json!({ "id": id, "would": would }))?;
            } else {
                output::text(format!("{id}  {would}"))?;
            }
        }
    }
    if foreseen.exit() == Exit::NothingMatched {
        return Ok(nothing());
    }
    eprintln!("{foreseen}");
    Ok(foreseen.exit())
}

async fn carry_out(args: &ReplayArgs, plans: &Plans<'_>, json: bool) -> Result<Exit> {
    let decision = args.person.decides(args.reason.as_deref())?;
    let run = Run {
        args,
        plans,
        replayer: Replayer::new(plans.store, Producer::start(plans.kafka)?, plans.kafka.topic_prefix.clone(), decision),
        bar: tally::progress(plans.count().await?),
        interrupt: Interrupt::listen(),
        json,
    };
    let mut tally = Tally::default();
    let ended = run.until_done(&mut tally).await;
    run.bar.finish_and_clear();
    if let Err(trouble) = ended {
        return Err(trouble.context(format!("stopped after {tally}; the same command goes on")));
    }
    if run.interrupt.came() {
        bail!("interrupted after {tally}; the same command goes on");
    }
    if tally.exit() == Exit::NothingMatched {
        return Ok(nothing());
    }
    eprintln!("{tally}");
    Ok(tally.exit())
}

fn nothing() -> Exit {
    eprintln!("nothing matches that is still open");
    Exit::NothingMatched
}

/// A replay that is carried out.
struct Run<'a> {
    args: &'a ReplayArgs,
    plans: &'a Plans<'a>,
    replayer: Replayer<'a>,
    bar: ProgressBar,
    interrupt: Interrupt,
    json: bool,
}

impl Run<'_> {
    async fn until_done(&self, tally: &mut Tally) -> Result<()> {
        let pace = Pace::new(self.args.rate);
        let mut letters = self.plans.letters().await?;
        while !self.interrupt.came()
            && let Some(batch) = letters.next().await?
        {
            let plans = self.plans.make(batch).await?;
            let plans = plans.into_iter().map(|plan| plan.edited(self.args)).collect::<Result<Vec<_>>>()?;
            self.replay(plans, &pace, tally).await?;
        }
        Ok(())
    }

    /// Some at once. After the first that fails nothing more is begun, and what is under way is finished.
    async fn replay(&self, plans: Vec<plans::Edited>, pace: &Pace, tally: &mut Tally) -> Result<()> {
        let mut trouble = None;
        let replays = stream::iter(plans)
            .then(async |plan| {
                pace.wait().await;
                plan
            })
            .take_while(|_| ready(!self.interrupt.came()))
            .map(async |(Plan { found, way }, edited)| {
                (found.letter().id, self.replayer.replay(&found, way, edited).await)
            });
        let mut replays = Box::pin(replays.buffer_unordered(AT_ONCE));
        while let Some((id, replayed)) = replays.next().await {
            match replayed {
                Ok(replayed) => {
                    tally.count(&replayed);
                    self.bar.inc(1);
                    self.bar.set_message(tally.to_string());
                    // Whoever reads our output may leave; what is to be replayed is replayed all the same.
                    self.bar.suspend(|| tally::tell(id, &replayed, self.json)).ok();
                }
                Err(error) => {
                    self.interrupt.stop();
                    trouble.get_or_insert(error);
                }
            }
        }
        trouble.map_or(Ok(()), Err)
    }
}
