//! `mintctl submit`: every event is checked as the intake will check it, then published; bad ones stop no good ones.

mod args;
mod lines;

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, IsTerminal};
use std::path::Path;

use anyhow::{Context, Result};
use domain::{Clock, OperationId, SystemClock};
use engine::EventSink;
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use kafka::Producer;
use serde_json::json;
use service::config;
use tokio::sync::mpsc;
use uuid::Uuid;

pub use args::{Kind, SubmitArgs, Urgency, parse_attribute};
pub use lines::{Checker, Event, Line, Lines, SOURCE};

use crate::exit::Exit;
use crate::output;
use crate::run::read;

/// Events on their way to Kafka at once.
const IN_FLIGHT: usize = 512;

/// Checks and publishes; a dry run needs no configuration.
///
/// # Errors
/// A file that cannot be read, or settings that Kafka's client does not take. What is wrong with one line is told beside
/// its number and shows in the exit code.
pub async fn run(args: SubmitArgs, json: bool) -> Result<Exit> {
    let settings = if args.dry_run { None } else { Some(read(config::kafka_settings)?) };
    let producer = settings.as_ref().map(Producer::start).transpose()?;
    let prefix = settings.map(|settings| settings.topic_prefix).unwrap_or_default();
    let mut checker = Checker::new(&prefix, SystemClock.now());
    let (reader, size) = open(args)?;
    let lines = Lines::new(reader, move |number, value| checker.check(number, value));
    let tally = publish(lines, size, producer.as_ref(), json).await?;
    Ok(tally.tell(producer.is_none(), json))
}

/// A reader of lines, and how many bytes it has where that is known.
pub type Source = (Box<dyn BufRead + Send>, Option<u64>);

fn open(args: SubmitArgs) -> Result<Source> {
    match (args.file, args.one) {
        (Some(path), _) => open_file(&path),
        (None, Some(one)) => {
            let event = one.event(OperationId::from_uuid(Uuid::now_v7()));
            Ok((Box::new(Cursor::new(serde_json::to_vec(&event)?)), None))
        }
        (None, None) => anyhow::bail!("neither a file nor an operation is given"),
    }
}

/// A file, or standard input where its name is `-`.
///
/// # Errors
/// A file that cannot be opened.
pub fn open_file(path: &Path) -> Result<Source> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::new(std::io::stdin())), None));
    }
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let size = file.metadata()?.len();
    Ok((Box::new(BufReader::new(file)), Some(size)))
}

/// What became of a line.
struct Outcome {
    number: u64,
    end: u64,
    result: Result<OperationId, Refusal>,
}

struct Refusal {
    code: String,
    reason: String,
}

impl Outcome {
    /// Ids go to stdout, so that they can be piped; refusals go to stderr, so that they are seen.
    fn tell(&self, json: bool) -> Result<()> {
        let line = self.number;
        match &self.result {
            Ok(id) if json => output::json_line(&json!({ "line": line, "operationId": id })),
            Ok(id) => output::text(id),
            Err(Refusal { code, reason }) if json => {
                output::json_line(&json!({ "line": line, "error": { "code": code, "message": reason } }))
            }
            Err(Refusal { code, reason }) => {
                eprintln!("line {line}: {code}: {reason}");
                Ok(())
            }
        }
    }
}

/// Publishes the events of the lines and tells of each; without a producer they are only told of.
///
/// # Errors
/// Lines that cannot be read on. What is wrong with one of them is told and counted.
pub async fn publish(
    lines: impl Iterator<Item = std::io::Result<Line>> + Send + 'static,
    size: Option<u64>,
    producer: Option<&Producer>,
    json: bool,
) -> Result<Tally> {
    let bar = progress(size);
    let mut outcomes = receive(lines).map(|line| settle(line, producer)).buffered(IN_FLIGHT);
    let mut tally = Tally::default();
    let mut heard = true;
    while let Some(outcome) = outcomes.next().await {
        let outcome = outcome.context("cannot read on")?;
        bar.set_position(outcome.end);
        tally.count(&outcome);
        // Whoever reads our output may leave; what is to be published is published all the same.
        heard = heard && bar.suspend(|| outcome.tell(json)).is_ok();
        bar.set_message(tally.to_string());
    }
    bar.finish_and_clear();
    Ok(tally)
}

/// Reads on a thread of its own, for a file or a pipe may make it wait.
fn receive(
    lines: impl Iterator<Item = std::io::Result<Line>> + Send + 'static,
) -> impl futures::Stream<Item = std::io::Result<Line>> + Unpin {
    let (sender, mut receiver) = mpsc::channel(IN_FLIGHT);
    std::thread::spawn(move || {
        for line in lines {
            // Nobody listens any more: the command ends.
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    futures::stream::poll_fn(move |cx| receiver.poll_recv(cx))
}

async fn settle(line: std::io::Result<Line>, producer: Option<&Producer>) -> std::io::Result<Outcome> {
    let Line { number, end, event } = line?;
    let result = match (event, producer) {
        (Err(failure), _) => Err(Refusal { code: failure.code.to_string(), reason: failure.message }),
        (Ok(event), None) => Ok(event.id),
        (Ok(Event { id, record }), Some(producer)) => match producer.publish(record).await {
            Ok(()) => Ok(id),
            Err(error) => Err(Refusal { code: error.failure().code.to_string(), reason: error.to_string() }),
        },
    };
    Ok(Outcome { number, end, result })
}

fn progress(size: Option<u64>) -> ProgressBar {
    match size {
        Some(size) if std::io::stderr().is_terminal() => {
            let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {eta}");
            ProgressBar::new(size).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        }
        _ => ProgressBar::hidden(),
    }
}

/// How many of each.
#[derive(Debug, Default)]
pub struct Tally {
    good: u64,
    refused: u64,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} good, {} refused", self.good, self.refused)
    }
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        match outcome.result {
            Ok(_) => self.good += 1,
            Err(_) => self.refused += 1,
        }
    }

    /// Says so, and how the command ended.
    pub fn tell(&self, dry_run: bool, json: bool) -> Exit {
        if !json {
            let done = if dry_run { "would be published" } else { "published" };
            eprintln!("{} {done}, {} refused", self.good, self.refused);
        }
        match (self.good, self.refused) {
            (0, 0) => Exit::NothingMatched,
            (_, 0) => Exit::Ok,
            _ => Exit::Failed,
        }
    }
}
