//! What pin providers answer.

use bytes::Bytes;
use domain::{Clock, SystemClock};
use reqwest::{RequestBuilder, Response, StatusCode};
use resilience::retry_after;
use serde::de::DeserializeOwned;

use crate::transport::{BodyFault, TransportFault, quote, read_body};
use crate::{Content, PinError};

/// Most bytes of an answer: a description of one file.
const MAX_ANSWER: usize = 64 * 1024;

/// Sends a request; the answer is one of success.
pub(crate) async fn ask(request: RequestBuilder) -> Result<Response, PinError> {
    let answer = request.send().await.map_err(TransportFault::from)?;
    match answer.status() {
        StatusCode::OK | StatusCode::CREATED | StatusCode::ACCEPTED | StatusCode::NO_CONTENT => Ok(answer),
        status => {
            let retry_after = retry_after(answer.headers(), SystemClock.now().into());
            Err(PinError::of_status(status.as_u16(), quote(answer).await, retry_after))
        }
    }
}

pub(crate) async fn body(answer: Response) -> Result<Bytes, PinError> {
    read_body(answer, MAX_ANSWER).await.map_err(|fault| match fault {
        BodyFault::TooLarge => PinError::Broken(format!("more than {MAX_ANSWER} bytes")),
        BodyFault::Transport(fault) => fault.into(),
    })
}

pub(crate) async fn json<T: DeserializeOwned>(answer: Response) -> Result<T, PinError> {
    serde_json::from_slice(&body(answer).await?).map_err(|error| PinError::Broken(error.to_string()))
}

/// Whether the provider holds what it was sent.
pub(crate) fn same_cid(content: &Content, answered: String) -> Result<(), PinError> {
    if answered == content.cid().as_str() {
        Ok(())
    } else {
        Err(PinError::OtherCid { expected: content.cid().clone(), answered })
    }
}
