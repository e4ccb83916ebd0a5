//! A fault as it is ordered, and as it stands.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{FaultError, FaultKind, Part};
use crate::content::PIN_METHODS;

/// One thing that is to go wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// A target such as `rpc-1`, or all of a part such as `rpc`.
    pub target: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// The only requests that it concerns; all where none is named.
    pub method: Option<String>,
    /// How many of those it strikes: more than 0, at most 1.
    pub share: f64,
    /// When it ends by itself.
    pub lasts: Option<Duration>,
    /// What it is called. Another fault of that name at the same target is replaced.
    pub name: Option<String>,
}

impl Fault {
    /// Every request, until it is cleared.
    #[must_use]
    pub fn new(target: impl Into<String>, kind: FaultKind) -> Self {
        Self { target: target.into(), kind, method: None, share: 1.0, lasts: None, name: None }
    }

    /// Only requests of this name: a JSON-RPC method, or what a pin server is asked to do (`upload`, `list`, …).
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only this share of the requests, by chance.
    #[must_use]
    pub const fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Ends by itself.
    #[must_use]
    pub const fn lasting(mut self, time: Duration) -> Self {
        self.lasts = Some(time);
        self
    }

    /// Called otherwise than by what it does.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether it makes sense at a part.
    pub(super) fn check(&self, part: Part) -> Result<(), FaultError> {
        let kind = self.kind;
        if !part.can_suffer(kind) {
            let possible = FaultKind::EXAMPLES.iter().filter(|(other, _)| part.can_suffer(*other));
            let possible: Vec<_> = possible.map(|(other, _)| other.to_string()).collect();
            return Err(FaultError::NotThere { kind: kind.to_string(), part, possible: possible.join(", ") });
        }
        let no_option = |option| Err(FaultError::NoOption { kind: kind.to_string(), part, option });
        if let Some(method) = &self.method {
            if kind.only_method().is_some() || !kind.strikes_requests() {
                return no_option("method");
            }
            if !part.has_method(method) {
                return Err(FaultError::NoMethod { part, method: method.clone(), known: PIN_METHODS.join(", ") });
            }
        }
        if !is_share(self.share) {
            return Err(FaultError::NoShare(self.share.to_string()));
        }
        if self.share < 1.0 && !(kind.strikes_requests() && part.sees_requests()) {
            return no_option("share");
        }
        if self.lasts.is_some() && kind.is_momentary() {
            return no_option("duration");
        }
        Ok(())
    }

    /// What it is called at one target.
    pub(super) fn name_at(&self, target: &str) -> String {
        match (&self.name, &self.method) {
            (Some(name), _) => name.clone(),
            (None, Some(method)) => format!("{target}/{}/{method}", self.kind.word()),
            (None, None) => format!("{target}/{}", self.kind.word()),
        }
    }
}

/// A fault that stands at one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// What it is called.
    pub name: String,
    /// Where.
    pub target: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// The only requests that it concerns.
    pub method: Option<String>,
    /// How many of those it strikes.
    pub share: f64,
    /// Until it ends by itself.
    pub remaining: Option<Duration>,
    /// How often it has struck: requests, or at a proxy connections, sessions or pieces of a stream.
    pub struck: u64,
}

/// What stands, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultReport {
    /// By target, in the order in which they were set.
    pub faults: Vec<Standing>,
    /// Requests (connections, at a proxy) that reached each target while any fault stood there, since the stack was
    /// started. What was refused never reached it.
    pub reached: BTreeMap<String, u64>,
}

/// Reads `30%` or `0.3`.
///
/// # Errors
/// It is neither, or not more than nothing and at most everything.
pub fn parse_share(text: &str) -> Result<f64, FaultError> {
    let parsed = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    parsed.ok().filter(|share| is_share(*share)).ok_or_else(|| FaultError::NoShare(text.to_owned()))
}

pub(super) fn is_share(share: f64) -> bool {
    share > 0.0 && share <= 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_or_a_fraction() {
        assert_eq!((parse_share("30%"), parse_share("0.3"), parse_share("1")), (Ok(0.3), Ok(0.3), Ok(1.0)));
        for text in ["", "%", "0", "0%", "101%", "1.1", "-0.1", "NaN", "half"] {
            assert!(parse_share(text).is_err(), "{text}");
        }
    }
}
