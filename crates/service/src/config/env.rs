//! The environment of the process, read once, with every problem collected.

use std::collections::{BTreeSet, HashMap};
use std::env::VarError;
use std::ops::RangeInclusive;
use std::str::FromStr;

use secrecy::SecretString;
use url::Url;
use zeroize::Zeroizing;

use super::table;
use super::variable::{Program, Variable};

/// Everything that is wrong with the configuration. Names variables and never shows a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration is wrong:\n  {}\n`{program} --help` lists every variable", problems.join("\n  "))]
pub struct ConfigError {
    /// Whose configuration.
    pub program: &'static str,
    /// One line each.
    pub problems: Vec<String>,
}

/// The variables of one program. A getter that finds a problem notes it and answers with a placeholder, so that one
/// start shows all problems; [`Env::finish`] lets no placeholder through.
#[derive(Debug)]
pub struct Env {
    program: Program,
    values: HashMap<&'static str, Value>,
    read: BTreeSet<&'static str>,
    problems: Vec<String>,
}

enum Value {
    /// Wiped when it is dropped: it may be a secret.
    Set(Zeroizing<String>),
    Broken(String),
}

/// Shows that there is a value, not which: it may be a secret.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Set(_) => "Set",
            Self::Broken(_) => "Broken",
        })
    }
}

impl Env {
    /// Reads the environment of this process.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn of_process(program: Program) -> Self {
        Self::of(program, |name| std::env::var(name))
    }

    /// Reads whatever `lookup` answers with. An empty value counts as unset: that is how compose files leave one out.
    pub fn of(program: Program, lookup: impl Fn(&str) -> Result<String, VarError>) -> Self {
        let own = table::ALL.iter().filter(|variable| variable.programs.contains(&program));
        let values = own.filter_map(|variable| Some((variable.name, resolve(variable, &lookup)?))).collect();
        Self { program, values, read: BTreeSet::new(), problems: Vec::new() }
    }

    /// Whose environment it is.
    #[must_use]
    pub const fn program(&self) -> Program {
        self.program
    }

    /// The configuration that was built from this environment, unless something was wrong.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn finish<T>(self, config: T) -> Result<T, ConfigError> {
        if self.problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError { program: self.program.name(), problems: self.problems })
        }
    }

    /// Variables that this program is said to read and did not, and those it read and is not said to. Both are
    /// mistakes in the table; a test holds them empty.
    #[must_use]
    pub fn differences_from_table(&self) -> Vec<&'static str> {
        let own = table::ALL.iter().filter(|variable| variable.programs.contains(&self.program));
        let listed: BTreeSet<_> = own.map(|variable| variable.name).collect();
        listed.symmetric_difference(&self.read).copied().collect()
    }

    /// Notes a problem of several variables together.
    pub fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    /// A text, or nothing where it is unset and has no default.
    pub fn optional(&mut self, variable: &Variable) -> Option<String> {
        self.read.insert(variable.name);
        match self.values.get(variable.name) {
            Some(Value::Set(value)) => Some(value.to_string()),
            Some(Value::Broken(problem)) => {
                let problem = problem.clone();
                self.problem(problem);
                // Stands for a value, so that it is not called missing as well.
                Some(String::new())
            }
            None => variable.default.map(str::to_owned),
        }
    }

    /// A text that must be there.
    pub fn text(&mut self, variable: &Variable) -> String {
        self.optional(variable).unwrap_or_else(|| {
            let or_file = if variable.secret { format!(" (or {})", variable.file_name()) } else { String::new() };
            self.problem(format!("missing {}{or_file}", variable.name));
            String::new()
        })
    }

    /// A secret that must be there.
    pub fn secret(&mut self, variable: &Variable) -> SecretString {
        self.text(variable).into()
    }

    /// A secret that may be absent.
    pub fn optional_secret(&mut self, variable: &Variable) -> Option<SecretString> {
        self.optional(variable).map(SecretString::from)
    }

    /// A whole number within bounds.
    pub fn number<T>(&mut self, variable: &Variable, bounds: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + std::fmt::Display + Copy,
    {
        let text = self.text(variable);
        let placeholder = *bounds.start();
        // What is missing or broken was noted already.
        if text.is_empty() {
            return placeholder;
        }
        match text.parse::<T>() {
            Ok(number) if bounds.contains(&number) => number,
            _ if text.parse::<i128>().is_err() => {
                self.problem(format!("{}: not a whole number", variable.name));
                placeholder
            }
            _ => {
                self.problem(format!("{}: not between {} and {}", variable.name, bounds.start(), bounds.end()));
                placeholder
            }
        }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, variable: &Variable) -> bool {
        self.parsed(variable, "neither true nor false").unwrap_or_default()
    }

    /// Whatever has a text form; `complaint` says what is wrong with what has not. None only with a problem noted.
    pub fn parsed<T: FromStr>(&mut self, variable: &Variable, complaint: &str) -> Option<T> {
        let text = self.text(variable);
        if text.is_empty() {
            return None;
        }
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.problem(format!("{}: {complaint}", variable.name));
        }
        parsed
    }

    /// The base address of a web service.
    pub fn url(&mut self, variable: &Variable) -> Url {
        let text = self.text(variable);
        if text.is_empty() { unset_url() } else { self.parsed_url(variable, &text) }
    }

    /// The base address of a web service that there need not be.
    pub fn optional_url(&mut self, variable: &Variable) -> Option<Url> {
        let text = self.optional(variable)?;
        Some(self.parsed_url(variable, &text))
    }

    fn parsed_url(&mut self, variable: &Variable, text: &str) -> Url {
        web_url(text).unwrap_or_else(|| {
            self.problem(format!("{}: not an http:// or https:// URL", variable.name));
            unset_url()
        })
    }

    /// Addresses of web services, separated by commas, at least one.
    pub fn urls(&mut self, variable: &Variable) -> Vec<Url> {
        let text = self.text(variable);
        let entries: Vec<_> = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        if entries.is_empty() && !text.is_empty() {
            self.problem(format!("{}: names no URL", variable.name));
        }
        let mut urls = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            match web_url(entry) {
                Some(url) => urls.push(url),
                None => {
                    self.problem(format!("{}: entry {} is no http:// or https:// URL", variable.name, index + 1));
                }
            }
        }
        urls
    }
}

fn resolve(variable: &Variable, lookup: impl Fn(&str) -> Result<String, VarError>) -> Option<Value> {
    let get = |name: &str| match lookup(name) {
        Ok(value) if value.trim().is_empty() => None,
        Ok(value) if variable.secret => Some(Value::Set(value.into())),
        Ok(value) => Some(Value::Set(value.trim().to_owned().into())),
        Err(VarError::NotPresent) => None,
        Err(VarError::NotUnicode(_)) => Some(Value::Broken(format!("{name}: not UTF-8"))),
    };
    let value = get(variable.name);
    if !variable.secret {
        return value;
    }
    let file_name = variable.file_name();
    match (value, get(&file_name)) {
        (value, None) => value,
        (Some(_), Some(_)) => Some(Value::Broken(format!("both {} and {file_name} are set", variable.name))),
        (None, Some(Value::Set(path))) => Some(read_file(&file_name, &path)),
        (None, Some(broken)) => Some(broken),
    }
}

/// The path is not shown: somebody may have put the secret itself there.
fn read_file(name: &str, path: &str) -> Value {
    match std::fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) if text.trim().is_empty() => Value::Broken(format!("{name}: the file it names is empty")),
        Ok(text) => Value::Set(text.trim_end_matches(['\r', '\n']).to_owned().into()),
        Err(error) => Value::Broken(format!("{name}: cannot read the file it names: {error}")),
    }
}

fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

fn unset_url() -> Url {
    Url::parse("http://unset.invalid").expect("a valid URL")
}
