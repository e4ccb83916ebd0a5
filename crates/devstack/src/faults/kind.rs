//! What can go wrong, and how it is written.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::FaultError;

/// What goes wrong. Written as one word, such as `hang`, `delay=3s` or `behind=60`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum FaultKind {
    /// Nobody listens, and what is connected is reset.
    Refused,
    /// The connection is reset instead of an answer.
    Reset,
    /// Taken, and nothing comes back; reset when the fault ends. A proxy holds the bytes and then lets them go.
    Hang,
    /// The answer comes that much later.
    Delay(Duration),
    /// This HTTP status (400 to 599) instead of an answer.
    Status(u16),
    /// HTTP 429, with `Retry-After` where a time is given.
    TooMany(Option<Duration>),
    /// Carried out, then the connection is reset instead of the answer.
    DropReply,
    /// HTTP 200 and something that is no JSON.
    Garbage,
    /// No signature is known.
    NullStatuses,
    /// Answers as it would have that many slots ago.
    Behind(u64),
    /// A transaction is taken, and never carried out.
    Swallow,
    /// A transaction is taken, and carried out that much later.
    Late(Duration),
    /// That many of the latest slots are dropped: what landed in them never did.
    Fork(u64),
    /// An upload is answered with the CID of something else.
    WrongCid,
    /// Half of an upload is read, then the connection is reset.
    HalfUpload,
    /// Uploads are refused: the plan is used up.
    OverQuota,
    /// The content comes with other bytes.
    OtherBytes,
    /// Every connection is reset: once, or again and again.
    Cut(Option<Duration>),
    /// Every database session is terminated by `pg_terminate_backend`: once, or again and again.
    Kill(Option<Duration>),
    /// Statements of the fleet end in deadlocks (SQLSTATE 40P01).
    Deadlock,
    /// Statements of the fleet cannot be serialised (SQLSTATE 40001). Every session is terminated when it begins and
    /// when it ends, for only new ones see their data that way.
    SerializationFailure,
}

impl FaultKind {
    /// Each of them, with what it means in a line.
    pub const EXAMPLES: [(Self, &str); 23] = [
        (Self::Refused, "nobody listens, and what is connected is reset"),
        (Self::Reset, "the connection is reset instead of an answer"),
        (Self::Hang, "taken, and nothing comes back until the fault ends"),
        (Self::Delay(Duration::from_secs(3)), "the answer comes that much later"),
        (Self::Status(503), "this HTTP status (400 to 599) instead of an answer"),
        (Self::TooMany(None), "HTTP 429"),
        (Self::TooMany(Some(Duration::from_secs(5))), "HTTP 429 with Retry-After, in whole seconds"),
        (Self::DropReply, "carried out, then reset instead of the answer"),
        (Self::Garbage, "HTTP 200 and something that is no JSON"),
        (Self::NullStatuses, "getSignatureStatuses knows of nothing"),
        (Self::Behind(60), "answers as it would have that many slots ago"),
        (Self::Swallow, "a transaction is taken and never carried out"),
        (Self::Late(Duration::from_secs(5)), "a transaction is taken and carried out that much later"),
        (Self::Fork(20), "the latest slots (1 to 30) go, with all in them"),
        (Self::WrongCid, "an upload is answered with another content's CID"),
        (Self::HalfUpload, "half of an upload is read, then reset"),
        (Self::OverQuota, "uploads get 403: the plan is used up"),
        (Self::OtherBytes, "the content comes with other bytes"),
        (Self::Cut(None), "every connection is reset, once and now"),
        (Self::Cut(Some(Duration::from_millis(500))), "every connection is reset, again and again"),
        (Self::Kill(Some(Duration::from_secs(1))), "sessions are terminated by SQL (kill: once and now)"),
        (Self::Deadlock, "statements of the fleet end with SQLSTATE 40P01"),
        (Self::SerializationFailure, "statements of the fleet end with SQLSTATE 40001"),
    ];

    /// The only method it concerns, where that lies in its nature.
    pub(super) const fn only_method(self) -> Option<&'static str> {
        match self {
            Self::NullStatuses => Some("getSignatureStatuses"),
            Self::Swallow | Self::Late(_) => Some("sendTransaction"),
            Self::WrongCid | Self::HalfUpload | Self::OverQuota => Some("upload"),
            Self::Refused
            | Self::Reset
            | Self::Hang
            | Self::Delay(_)
            | Self::Status(_)
            | Self::TooMany(_)
            | Self::DropReply
            | Self::Garbage
            | Self::Behind(_)
            | Self::Fork(_)
            | Self::OtherBytes
            | Self::Cut(_)
            | Self::Kill(_)
            | Self::Deadlock
            | Self::SerializationFailure => None,
        }
    }

    /// Whether it is something that happens to single requests, so that a share of them can be spared.
    pub(super) const fn strikes_requests(self) -> bool {
        match self {
            Self::Reset
            | Self::Hang
            | Self::Delay(_)
            | Self::Status(_)
            | Self::TooMany(_)
            | Self::DropReply
            | Self::Garbage
            | Self::NullStatuses
            | Self::Behind(_)
            | Self::Swallow
            | Self::Late(_)
            | Self::WrongCid
            | Self::HalfUpload
            | Self::OverQuota
            | Self::OtherBytes => true,
            Self::Refused
            | Self::Fork(_)
            | Self::Cut(_)
            | Self::Kill(_)
            | Self::Deadlock
            | Self::SerializationFailure => false,
        }
    }

    /// Whether it is over as soon as it has happened.
    pub(super) const fn is_momentary(self) -> bool {
        matches!(self, Self::Cut(None) | Self::Kill(None) | Self::Fork(_))
    }

    fn parts(self) -> (&'static str, Option<String>) {
        let time = |time: Duration| humantime::format_duration(time).to_string();
        match self {
            Self::Refused => ("refused", None),
            Self::Reset => ("reset", None),
            Self::Hang => ("hang", None),
            Self::Delay(by) => ("delay", Some(time(by))),
            Self::Status(status) => ("status", Some(status.to_string())),
            Self::TooMany(retry_after) => ("429", retry_after.map(time)),
            Self::DropReply => ("drop-reply", None),
            Self::Garbage => ("garbage", None),
            Self::NullStatuses => ("null-statuses", None),
            Self::Behind(slots) => ("behind", Some(slots.to_string())),
            Self::Swallow => ("swallow", None),
            Self::Late(by) => ("late", Some(time(by))),
            Self::Fork(slots) => ("fork", Some(slots.to_string())),
            Self::WrongCid => ("wrong-cid", None),
            Self::HalfUpload => ("half-upload", None),
            Self::OverQuota => ("over-quota", None),
            Self::OtherBytes => ("other-bytes", None),
            Self::Cut(every) => ("cut", every.map(time)),
            Self::Kill(every) => ("kill", every.map(time)),
            Self::Deadlock => ("deadlock", None),
            Self::SerializationFailure => ("serialization-failure", None),
        }
    }

    /// Its name without the value.
    pub(super) fn word(self) -> &'static str {
        self.parts().0
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (word, None) => f.write_str(word),
            (word, Some(value)) => write!(f, "{word}={value}"),
        }
    }
}

impl FromStr for FaultKind {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let no_fault = |why: &str| FaultError::NoFault { text: text.to_owned(), why: why.to_owned() };
        // What repeats must leave time between.
        let time = |value: &str| match humantime::parse_duration(value) {
            Ok(time) if !time.is_zero() => Ok(time),
            Ok(_) => Err(no_fault("a time of zero")),
            Err(error) => Err(no_fault(&error.to_string())),
        };
        let number = |value: &str| value.parse::<u64>().map_err(|_| no_fault("not a number"));
        let (word, value) = text.split_once('=').map_or((text, None), |(word, value)| (word, Some(value)));
        match (word, value) {
            ("refused", None) => Ok(Self::Refused),
            ("reset", None) => Ok(Self::Reset),
            ("hang", None) => Ok(Self::Hang),
            ("delay", Some(by)) => Ok(Self::Delay(time(by)?)),
            ("status", Some(status)) => match status.parse() {
                Ok(status @ 400..=599) => Ok(Self::Status(status)),
                _ => Err(no_fault("not a status between 400 and 599")),
            },
            ("429", retry_after) => Ok(Self::TooMany(retry_after.map(time).transpose()?)),
            ("drop-reply", None) => Ok(Self::DropReply),
            ("garbage", None) => Ok(Self::Garbage),
            ("null-statuses", None) => Ok(Self::NullStatuses),
            ("behind", Some(slots)) => Ok(Self::Behind(number(slots)?)),
            ("swallow", None) => Ok(Self::Swallow),
            ("late", Some(by)) => Ok(Self::Late(time(by)?)),
            ("fork", Some(slots)) => Ok(Self::Fork(number(slots)?)),
            ("wrong-cid", None) => Ok(Self::WrongCid),
            ("half-upload", None) => Ok(Self::HalfUpload),
            ("over-quota", None) => Ok(Self::OverQuota),
            ("other-bytes", None) => Ok(Self::OtherBytes),
            ("cut", every) => Ok(Self::Cut(every.map(time).transpose()?)),
            ("kill", every) => Ok(Self::Kill(every.map(time).transpose()?)),
            ("deadlock", None) => Ok(Self::Deadlock),
            ("serialization-failure", None) => Ok(Self::SerializationFailure),
            ("delay" | "status" | "behind" | "late" | "fork", None) => Err(no_fault("a value is missing")),
            _ => Err(no_fault("see `devstack fault set --help`")),
        }
    }
}

impl From<FaultKind> for String {
    fn from(kind: FaultKind) -> Self {
        kind.to_string()
    }
}

impl TryFrom<String> for FaultKind {
    type Error = FaultError;

    fn try_from(text: String) -> Result<Self, FaultError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        for (kind, _) in FaultKind::EXAMPLES {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("delay=1m 30s".parse(), Ok(FaultKind::Delay(Duration::from_secs(90))));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in ["", "hangs", "hang=1s", "delay", "delay=soon", "cut=0s", "status=200", "status=600", "behind=-1"] {
            assert!(text.parse::<FaultKind>().is_err(), "{text}");
        }
    }
}
