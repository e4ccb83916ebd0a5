//! Dead letters by what puts them aside.

use std::collections::HashMap;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::decode::printable;
use super::fingerprint::Cause;
use super::letters::Found;
use super::ls::sentence;
use crate::output::{self, or_dash};

/// Letters, counted by their fingerprint.
#[derive(Debug, Default)]
pub struct Groups(HashMap<String, Group>);

/// The letters of one cause.
#[derive(Debug)]
struct Group {
    cause: Cause,
    letters: u64,
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    example: String,
}

impl Groups {
    /// Counts a letter.
    pub fn count(&mut self, found: &Found) {
        let group = self.0.entry(found.caused.fingerprint.clone()).or_insert_with(|| Group::of(found));
        let at = found.letter().record.timestamp;
        group.letters += 1;
        group.first = [group.first, at].into_iter().flatten().min();
        group.last = group.last.max(at);
    }

    /// Shows them, the largest first, and says whether there are any.
    ///
    /// # Errors
    /// A closed stdout.
    pub fn show(self, json: bool) -> Result<bool> {
        let mut groups: Vec<_> = self.0.into_iter().collect();
        groups.sort_by(|(_, one), (_, other)| (other.letters, &one.cause).cmp(&(one.letters, &other.cause)));
        if json {
            output::json_document(&groups.iter().map(|(print, group)| group.document(print)).collect::<Vec<_>>())?;
        } else if !groups.is_empty() {
            let mut table = output::table(["cause", "letters", "from", "class", "code", "message", "first", "last"]);
            for (fingerprint, group) in &groups {
                table.add_row(group.cells(fingerprint));
            }
            output::text(table)?;
        }
        Ok(!groups.is_empty())
    }
}

impl Group {
    fn of(found: &Found) -> Self {
        let (cause, example) = (found.caused.cause.clone(), found.letter().id.to_string());
        Self { cause, letters: 0, first: None, last: None, example }
    }

    fn document(&self, fingerprint: &str) -> Value {
        let Self { cause: Cause { topic, class, code, message }, letters, first, last, example } = self;
        json!({
            "fingerprint": fingerprint, "letters": letters, "topic": topic, "class": class, "code": code,
            "message": message, "first": first, "last": last, "example": example,
        })
    }

    fn cells(&self, fingerprint: &str) -> [String; 8] {
        let Cause { topic, class, code, message } = &self.cause;
        [
            fingerprint.to_owned(),
            self.letters.to_string(),
            printable(topic),
            class.clone(),
            printable(code),
            sentence(message),
            or_dash(self.first.map(output::time)),
            or_dash(self.last.map(output::time)),
        ]
    }
}
