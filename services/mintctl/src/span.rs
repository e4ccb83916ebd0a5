//! Times as people type them.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// A point in time: an RFC 3339 timestamp, or so long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Then.
    At(DateTime<Utc>),
    /// So long before now.
    Ago(Duration),
}

impl Since {
    /// The point in time, seen from `now`.
    #[must_use]
    pub fn seen_from(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(time) => time,
            Self::Ago(span) => chrono::Duration::from_std(span)
                .ok()
                .and_then(|span| now.checked_sub_signed(span))
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }
}

/// Reads a span and a timestamp.
pub fn parse_since(text: &str) -> Result<Since, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(Since::At(time.to_utc()));
    }
    parse_span(text).map(Since::Ago).map_err(|problem| format!("{problem}, or a time such as 2026-01-31T12:00:00Z"))
}

/// Reads a span such as `90s`, `30m`, `24h` or `7d`.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let wanted = || "a number with s, m, h or d is wanted".to_owned();
    let unit = text.chars().last().ok_or_else(wanted)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(wanted()),
    };
    let count: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wanted())?;
    count.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_times_are_read() {
        assert_eq!(parse_span("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_span("2d"), Ok(Duration::from_hours(48)));
        for wrong in ["", "h", "1.5h", "-1h", "10", "5 µ", "99999999999999999999d"] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
        let then: DateTime<Utc> = "2026-01-31T12:00:00Z".parse().unwrap();
        assert_eq!(parse_since("2026-01-31T12:00:00Z"), Ok(Since::At(then)));
        let ago = parse_since("1h").unwrap();
        assert_eq!(ago.seen_from(then), "2026-01-31T11:00:00Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!(Since::Ago(Duration::MAX).seen_from(then), DateTime::<Utc>::MIN_UTC);
    }
}
