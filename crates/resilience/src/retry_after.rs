//! `Retry-After` (RFC 9110, 10.2.3): how long a server wants to be left alone.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, HeaderName, RETRY_AFTER};
use httpdate::parse_http_date;

/// How long, where the answer says so in seconds or by a date. A date is measured from the server's own time, where the
/// answer tells that (`Date`), for its clock need not agree with ours, at `now`. One that has passed asks for no time at
/// all. Nothing is bounded here: that is for whoever heeds it, as [`crate::Budget`] does.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let wanted = text(RETRY_AFTER)?;
    if let Ok(seconds) = wanted.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = parse_http_date(wanted).ok()?;
    let told = text(DATE).and_then(|date| parse_http_date(date).ok()).unwrap_or(now);
    Some(until.duration_since(told).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const EPOCH: SystemTime = SystemTime::UNIX_EPOCH;

    fn read(headers: &[(HeaderName, &'static str)]) -> Option<u64> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        retry_after(&headers, EPOCH + Duration::from_secs(100)).map(|pause| pause.as_secs())
    }

    #[test]
    fn seconds_and_dates_of_all_three_forms_are_read() {
        assert_eq!(read(&[(RETRY_AFTER, " 17 ")]), Some(17));
        for date in ["Thu, 01 Jan 1970 00:02:00 GMT", "Thursday, 01-Jan-70 00:02:00 GMT", "Thu Jan  1 00:02:00 1970"] {
            assert_eq!(read(&[(RETRY_AFTER, date)]), Some(20), "{date}");
        }
        assert_eq!(read(&[(RETRY_AFTER, "Thu, 01 Jan 1970 00:00:01 GMT")]), Some(0), "it has passed");
    }

    #[test]
    fn a_date_is_measured_by_the_clock_of_who_gave_it() {
        let wanted = (RETRY_AFTER, "Wed, 21 Oct 2026 07:28:17 GMT");
        assert_eq!(read(&[wanted.clone(), (DATE, "Wed, 21 Oct 2026 07:28:00 GMT")]), Some(17));
        assert!(read(&[wanted, (DATE, "midnight")]) > Some(1_000_000_000), "only our own clock is left");
    }

    #[test]
    fn what_cannot_be_read_asks_for_nothing() {
        for odd in ["", "soon", "-1", "1.5", "99999999999999999999", "Wed, 21 Oct 2026"] {
            assert_eq!(read(&[(RETRY_AFTER, odd)]), None, "{odd:?}");
        }
        assert_eq!(read(&[(DATE, "Wed, 21 Oct 2026 07:28:00 GMT")]), None);
    }
}
