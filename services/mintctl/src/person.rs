//! Who does something, and why: what the ledger and an operation's history keep.

use std::process::Command;

use clap::Args;
use store::Decision;

use crate::exit::Usage;

/// Who does it.
#[derive(Debug, Args)]
pub struct PersonArgs {
    /// Who does this, for the record [default: USER@HOST of this process]
    #[arg(long = "as", visible_alias = "by", value_name = "NAME")]
    pub name: Option<String>,
}

impl PersonArgs {
    /// The decision of this person, for `reason`.
    ///
    /// # Errors
    /// A system that does not tell who we are, and no name given.
    pub fn decides(&self, reason: Option<&str>) -> Result<Decision, Usage> {
        let by = self.name.clone().filter(|name| !name.trim().is_empty()).or_else(of_process);
        let by = by.ok_or_else(|| Usage("the system does not tell who this is: --as NAME".into()))?;
        Ok(Decision { by, reason: reason.map(str::to_owned) })
    }
}

/// A reason that somebody can make something of.
///
/// # Errors
/// [`Usage`] where nothing is said.
pub fn given(reason: &str) -> Result<&str, Usage> {
    if reason.trim().is_empty() { Err(Usage("--reason says nothing".into())) } else { Ok(reason) }
}

fn of_process() -> Option<String> {
    Some(format!("{}@{}", told("id", "-un")?, told("uname", "-n")?))
}

fn told(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
