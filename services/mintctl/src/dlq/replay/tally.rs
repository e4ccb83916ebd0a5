//! How many letters came to what, and how that is told.

use std::fmt;
use std::io::IsTerminal;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use uuid::Uuid;

use super::replayer::Replayed;
use super::way::Way;
use crate::exit::Exit;
use crate::output;

/// How many of each.
#[derive(Debug, Default)]
pub struct Tally {
    published: u64,
    retried: u64,
    confirmed: u64,
    settled: u64,
    elsewhere: u64,
    refused: u64,
}

impl Tally {
    /// Counts one.
    pub const fn count(&mut self, replayed: &Replayed) {
        let count = match replayed {
            Replayed::Published => &mut self.published,
            Replayed::Retried(_) => &mut self.retried,
            Replayed::Confirmed => &mut self.confirmed,
            Replayed::Settled => &mut self.settled,
            Replayed::Elsewhere => &mut self.elsewhere,
            Replayed::Refused(_) => &mut self.refused,
        };
        *count += 1;
    }

    /// How it ended.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        let Self { published, retried, confirmed, settled, elsewhere, refused } = self;
        match (*published + *retried + *confirmed + *settled + *elsewhere, *refused) {
            (0, 0) => Exit::NothingMatched,
            (_, 0) => Exit::Ok,
            (_, _) => Exit::Failed,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { published, retried, confirmed, settled, elsewhere, refused } = self;
        write!(f, "{published} published, {retried} retried, {confirmed} found on chain, {settled} settled, ")?;
        write!(f, "{elsewhere} in other hands, {refused} refused")
    }
}

/// How many would come to what.
#[derive(Debug, Default)]
pub struct Foreseen {
    publish: u64,
    retry: u64,
    settle: u64,
    refuse: u64,
}

impl Foreseen {
    /// Counts one.
    pub const fn count(&mut self, way: &Way) {
        let count = match way {
            Way::Publish(_) => &mut self.publish,
            Way::Retry(_) => &mut self.retry,
            Way::Settled(_) => &mut self.settle,
            Way::None(_) => &mut self.refuse,
        };
        *count += 1;
    }

    /// How it would end.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match (self.publish + self.retry + self.settle, self.refuse) {
            (0, 0) => Exit::NothingMatched,
            (_, 0) => Exit::Ok,
            (_, _) => Exit::Failed,
        }
    }
}

impl fmt::Display for Foreseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { publish, retry, settle, refuse } = self;
        write!(f, "{publish} would be published, {retry} retried, {settle} settled, {refuse} refused")
    }
}

/// Says what came of one letter: to stdout what was done, to stderr what was refused.
///
/// # Errors
/// A closed stdout.
pub fn tell(id: Uuid, replayed: &Replayed, json: bool) -> Result<()> {
    let (outcome, state, reason) = match replayed {
        Replayed::Published => ("published", None, None),
        Replayed::Retried(state) => ("retried", Some(*state), None),
        Replayed::Confirmed => ("confirmed", None, None),
        Replayed::Settled => ("settled", None, None),
        Replayed::Elsewhere => ("in other hands", None, None),
        Replayed::Refused(reason) => ("refused", None, Some(reason)),
    };
    if json {
        return output::json_line(&json!({ "id": id, "outcome": outcome, "state": state, "reason": reason }));
    }
    match (state, reason) {
        (Some(state), _) => output::text(format!("{id}  {outcome}: {state}")),
        (None, Some(reason)) => {
            eprintln!("{id}  {outcome}: {reason}");
            Ok(())
        }
        (None, None) => output::text(format!("{id}  {outcome}")),
    }
}

/// A bar where somebody looks.
#[must_use]
pub fn progress(letters: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len}  {msg}  {eta}");
    ProgressBar::new(letters).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
