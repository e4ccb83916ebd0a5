//! What a command about one operation came to, for people and machines.

use anyhow::Result;
use domain::{Operation, State};
use serde_json::json;

use crate::exit::Exit;
use crate::output;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is in this state now.
    Moved(State),
    /// Its next try is due at once.
    Hastened,
    /// Nothing was done, for this reason.
    Refused(String),
}

impl Answer {
    /// A refusal.
    pub fn no(reason: impl Into<String>) -> Self {
        Self::Refused(reason.into())
    }

    /// Somebody else moved the operation between our look and our hand.
    pub fn overtaken() -> Self {
        Self::no("it has moved meanwhile: look at it again")
    }

    /// Says so.
    ///
    /// # Errors
    /// A closed stdout.
    pub fn tell(&self, operation: &Operation, json: bool) -> Result<Exit> {
        let (id, from) = (operation.id, operation.state);
        let (outcome, state, reason) = match self {
            Self::Moved(to) => ("moved", *to, None),
            Self::Hastened => ("hastened", from, None),
            Self::Refused(reason) => ("refused", from, Some(reason)),
        };
        if json {
            output::json_document(&json!({
                "operationId": id, "outcome": outcome, "from": from, "state": state, "reason": reason,
            }))?;
        }
        match self {
            Self::Moved(to) if !json => output::text(format!("{id}  {from} → {to}"))?,
            Self::Hastened if !json => output::text(format!("{id}  {from}, tried again at once"))?,
            Self::Refused(reason) => {
                eprintln!("refused, and nothing was done: {reason}");
                return Ok(Exit::Failed);
            }
            Self::Moved(_) | Self::Hastened => {}
        }
        Ok(Exit::Ok)
    }
}
