//! What can happen to a request before there is an answer to judge, and reading bodies within a bound.

use std::error::Error;

use bytes::{Bytes, BytesMut};
use reqwest::Response;

/// No answer, or only a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TransportFault {
    TimedOut,
    Unreachable(String),
    Broken(String),
}

impl From<reqwest::Error> for TransportFault {
    fn from(error: reqwest::Error) -> Self {
        let root = root_cause(&error);
        if error.is_timeout() {
            Self::TimedOut
        } else if error.is_connect() {
            Self::Unreachable(root)
        } else {
            Self::Broken(root)
        }
    }
}

/// The innermost reason. The outer ones only repeat it, and the URL, which may hold what nobody else should see.
fn root_cause(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "no reason given".into(), ToString::to_string)
}

/// The reasons behind an error, outermost first; the error itself where there is none.
pub(crate) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let first = error.source().unwrap_or(error);
    std::iter::successors(Some(first), |&error| error.source())
}

/// Why a body was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BodyFault {
    TooLarge,
    Transport(TransportFault),
}

/// Reads a body of at most `limit` bytes; what says beforehand that it is larger is not begun.
pub(crate) async fn read_body(mut response: Response, limit: usize) -> Result<Bytes, BodyFault> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).is_ok_and(|bytes| bytes <= limit) {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| BodyFault::Transport(error.into()))? {
            if body.len() + chunk.len() > limit {
                return Err(BodyFault::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        return Ok(body.freeze());
    }
    Err(BodyFault::TooLarge)
}

/// The beginning of a body, as text to quote in an error.
pub(crate) async fn quote(response: Response) -> String {
    const QUOTED: usize = 200;
    let body = read_body(response, 64 * 1024).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(QUOTED).collect()
}
