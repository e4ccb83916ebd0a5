//! Which dead letters a command is about.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use domain::{Clock, FailureClass, SystemClock};
use engine::Letter;
use uuid::Uuid;

use super::fingerprint::Cause;
use crate::span::{Since, parse_since};

/// What a letter has to be like; all that is given has to hold.
#[derive(Debug, Clone, Default, Args)]
pub struct FilterArgs {
    /// In this topic: its dead letters, or any other topic of dead letters by its own name
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,

    /// Of this failure class
    #[arg(long, value_parser = classes())]
    pub class: Option<FailureClass>,

    /// Of this failure code, or class of exception
    #[arg(long)]
    pub code: Option<String>,

    /// Put aside since: 30m, 24h, 7d ago, or a time such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub since: Option<Since>,

    /// Of this fingerprint, as `dlq ls --group` shows it; its beginning is enough
    #[arg(long, value_name = "HEX")]
    pub fingerprint: Option<String>,
}

fn classes() -> impl TypedValueParser<Value = FailureClass> {
    PossibleValuesParser::new(FailureClass::ALL.map(FailureClass::as_str))
        .try_map(|name| FailureClass::from_name(&name).ok_or("no such class"))
}

impl FilterArgs {
    /// Whether nothing is given.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Self { topic, class, code, since, fingerprint } = self;
        topic.is_none() && class.is_none() && code.is_none() && since.is_none() && fingerprint.is_none()
    }
}

/// The letters a command is about.
#[derive(Debug, Clone)]
pub struct Selection {
    /// These alone; any where there is none.
    pub ids: BTreeSet<Uuid>,
    /// What they have to be like. Its topic is chosen when they are read.
    pub filter: FilterArgs,
    /// Put aside since.
    pub since: Option<DateTime<Utc>>,
}

impl Selection {
    /// Those of the ids, and of the filter.
    #[must_use]
    pub fn new(ids: &[Uuid], filter: &FilterArgs) -> Self {
        let since = filter.since.map(|since| since.seen_from(SystemClock.now()));
        Self { ids: ids.iter().copied().collect(), filter: filter.clone(), since }
    }

    /// Whether a letter is among them.
    #[must_use]
    pub fn holds(&self, letter: &Letter, fingerprint: &str) -> bool {
        let FilterArgs { class, code, fingerprint: wanted, .. } = &self.filter;
        (self.ids.is_empty() || self.ids.contains(&letter.id))
            && class.is_none_or(|class| letter.class == Some(class))
            && code.as_ref().is_none_or(|code| letter.code.as_ref() == Some(code))
            && wanted.as_ref().is_none_or(|wanted| fingerprint.starts_with(&wanted.to_lowercase()))
    }
}

/// A letter with its cause.
#[derive(Debug, Clone)]
pub struct Caused {
    /// The letter.
    pub letter: Letter,
    /// What put it aside.
    pub cause: Cause,
    /// The cause's fingerprint.
    pub fingerprint: String,
}

impl From<Letter> for Caused {
    fn from(letter: Letter) -> Self {
        let cause = Cause::of(&letter);
        Self { fingerprint: cause.fingerprint(), cause, letter }
    }
}
