//! `mintctl topics`: what is missing is created, what differs is told, nothing is changed.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use kafka::{Admin, Difference, KafkaSettings, TopicDescription, TopicOutcome, TopicPlan, TopicReport, TopicSpec};
use serde_json::json;

use crate::exit::Exit;
use crate::output;

/// How long the cluster may take to say what it has.
const PATIENCE: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_hours(24);

const EXAMPLES: &str = "Running it again changes nothing. A topic that exists and differs is left alone and reported;
exit code 1 tells.

Examples:
  mintctl topics
  mintctl topics --partitions 24 --replication-factor 3
  mintctl topics --dry-run --json";

/// Arguments of `topics`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TopicsArgs {
    /// Partitions of each topic: the most processes that can share it, not the most that is done at once
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..))]
    pub partitions: u16,

    /// Replicas of each partition: 3 in earnest
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub replication_factor: u16,

    /// How long records are kept, days
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub retention_days: u32,

    /// How long dead letters are kept, days
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub dead_letter_retention_days: u32,

    /// Compare, create nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl TopicsArgs {
    fn plan(&self, settings: &KafkaSettings) -> TopicPlan {
        TopicPlan {
            partitions: self.partitions,
            replication: self.replication_factor,
            max_record_bytes: settings.max_record_bytes,
            retention: DAY * self.retention_days,
            dead_letter_retention: Some(DAY * self.dead_letter_retention_days),
            ..TopicPlan::new(settings.topic_prefix.clone())
        }
    }
}

/// Creates and compares.
///
/// # Errors
/// A cluster that does not answer.
pub async fn run(args: &TopicsArgs, settings: &KafkaSettings, json: bool) -> Result<Exit> {
    let admin = Admin::connect(settings)?;
    let plan = args.plan(settings);
    let reports = if args.dry_run { compare(&admin, &plan).await? } else { admin.create_topics(&plan).await? };
    let verdicts: Vec<_> = reports.iter().map(|report| Verdict::of(report, args.dry_run)).collect();
    if json {
        let topics = reports.iter().zip(&verdicts).map(|(report, verdict)| verdict.json(&report.name));
        output::json_document(&topics.collect::<Vec<_>>())?;
    } else {
        let mut table = output::table(["topic", "", "what differs"]);
        for (report, verdict) in reports.iter().zip(&verdicts) {
            table.add_row([&report.name, verdict.word, &verdict.detail]);
        }
        output::text(table)?;
    }
    Ok(if verdicts.iter().all(|verdict| verdict.good) { Exit::Ok } else { Exit::Failed })
}

async fn compare(admin: &Admin, plan: &TopicPlan) -> Result<Vec<TopicReport>> {
    let specs = plan.topics();
    let there = admin.cluster(PATIENCE).await?.topics;
    let names: Vec<_> = specs.iter().map(|spec| spec.name.clone()).filter(|name| there.contains_key(name)).collect();
    // A question about nothing is refused.
    let found = if names.is_empty() { Vec::new() } else { admin.describe(&names).await? };
    let report = |spec: TopicSpec| {
        let topic = found.iter().find(|topic| topic.name == spec.name);
        let outcome = topic.map_or(TopicOutcome::Created, |topic| match differences(&spec, topic) {
            differences if differences.is_empty() => TopicOutcome::Exists,
            differences => TopicOutcome::Differs(differences),
        });
        TopicReport { name: spec.name, outcome }
    };
    Ok(specs.into_iter().map(report).collect())
}

/// What of a topic is not as the plan has it.
#[must_use]
pub fn differences(spec: &TopicSpec, found: &TopicDescription) -> Vec<Difference> {
    let shape = [
        ("partitions", spec.partitions.to_string(), found.partitions.to_string()),
        ("replication", spec.replication.to_string(), found.replication.to_string()),
    ];
    let config = spec
        .config
        .iter()
        .map(|(name, wanted)| (*name, wanted.clone(), found.config.get(*name).cloned().unwrap_or_default()));
    let all = shape.into_iter().chain(config).filter(|(_, wanted, found)| wanted != found);
    all.map(|(what, wanted, found)| Difference { what: what.to_owned(), wanted, found }).collect()
}

struct Verdict<'a> {
    word: &'static str,
    detail: String,
    differences: &'a [Difference],
    good: bool,
}

impl<'a> Verdict<'a> {
    fn of(report: &'a TopicReport, dry_run: bool) -> Self {
        let (word, detail, differences, good): (_, _, &[Difference], _) = match &report.outcome {
            TopicOutcome::Created if dry_run => ("missing", "would be created".to_owned(), &[], true),
            TopicOutcome::Created => ("created", String::new(), &[], true),
            TopicOutcome::Exists => ("exists", String::new(), &[], true),
            TopicOutcome::Differs(differences) => ("differs", sentence(differences), differences, false),
            TopicOutcome::Failed(reason) => ("failed", reason.clone(), &[], false),
        };
        Self { word, detail, differences, good }
    }

    fn json(&self, name: &str) -> serde_json::Value {
        let differences = self.differences.iter();
        let differences: Vec<_> =
            differences.map(|d| json!({ "what": d.what, "wanted": d.wanted, "found": d.found })).collect();
        let reason = (self.word == "failed").then_some(&self.detail);
        json!({ "topic": name, "outcome": self.word, "differences": differences, "reason": reason })
    }
}

fn sentence(differences: &[Difference]) -> String {
    let each = differences.iter().map(|d| format!("{} is {} instead of {}", d.what, d.found, d.wanted));
    each.collect::<Vec<_>>().join("; ")
}
