//! Pinata, version 3 of its API (<https://docs.pinata.cloud/api-reference>).

use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use crate::transport::{BodyFault, TransportFault, quote, read_body};
use crate::{Content, PinError, PinProvider, metrics};

/// Most bytes of an answer: a description of one file.
const MAX_ANSWER: usize = 64 * 1024;

/// Where Pinata is and who we are there.
#[derive(Debug, Clone)]
pub struct PinataOptions {
    /// Base of the API, without `/v3`: `https://api.pinata.cloud`.
    pub api: Url,
    /// Base of the uploads, without `/v3`: `https://uploads.pinata.cloud`.
    pub uploads: Url,
    /// The JWT.
    pub jwt: SecretString,
    /// Longest wait for one request, upload included.
    pub timeout: Duration,
}

/// A client of Pinata.
#[derive(Debug, Clone)]
pub struct Pinata {
    client: Client,
    upload_url: String,
    authentication_url: String,
    jwt: SecretString,
}

#[derive(Deserialize)]
struct Answer {
    data: File,
}

#[derive(Deserialize)]
struct File {
    cid: String,
}

impl Pinata {
    /// Prepares a client; nothing is sent.
    ///
    /// # Errors
    /// Where the machine gives no TLS roots or no sockets.
    pub fn new(options: PinataOptions) -> Result<Self, reqwest::Error> {
        let connect = options.timeout.min(Duration::from_secs(5));
        let client = Client::builder().timeout(options.timeout).connect_timeout(connect).build()?;
        let below = |base: &Url, path: &str| format!("{}{path}", base.as_str().trim_end_matches('/'));
        Ok(Self {
            client,
            upload_url: below(&options.uploads, "/v3/files"),
            authentication_url: below(&options.api, "/data/testAuthentication"),
            jwt: options.jwt,
        })
    }

    /// Asks whether the key is good.
    ///
    /// # Errors
    /// [`PinError::KeyRefused`] where it is not; others as for a pin.
    pub async fn authenticate(&self) -> Result<(), PinError> {
        let request = self.client.get(&self.authentication_url).bearer_auth(self.jwt.expose_secret());
        let answer = request.send().await.map_err(TransportFault::from)?;
        accepted(answer).await.map(|_| ())
    }

    async fn upload(&self, content: &Content) -> Result<(), PinError> {
        let size = content.bytes().len() as u64;
        let file = Part::stream_with_length(content.bytes().clone(), size)
            .file_name(content.cid().to_string())
            .mime_str(content.media_type())
            .map_err(TransportFault::from)?;
        let form = Form::new().text("network", "public").text("name", content.cid().to_string()).part("file", file);
        let request = self.client.post(&self.upload_url).bearer_auth(self.jwt.expose_secret()).multipart(form);
        let answer = accepted(request.send().await.map_err(TransportFault::from)?).await?;
        let body = read_body(answer, MAX_ANSWER).await.map_err(|fault| match fault {
            BodyFault::TooLarge => PinError::Broken(format!("more than {MAX_ANSWER} bytes")),
            BodyFault::Transport(fault) => fault.into(),
        })?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| PinError::Broken(error.to_string()))?;
        if answer.data.cid == content.cid().as_str() {
            Ok(())
        } else {
            Err(PinError::OtherCid { expected: content.cid().clone(), answered: answer.data.cid })
        }
    }
}

impl PinProvider for Pinata {
    fn name(&self) -> &'static str {
        "pinata"
    }

    async fn pin(&self, content: &Content) -> Result<(), PinError> {
        let begun = Instant::now();
        let done = self.upload(content).await;
        let outcome = done.as_ref().map_or_else(PinError::code, |()| metrics::OK);
        metrics::pin(self.name(), outcome, content.bytes().len(), begun.elapsed());
        done
    }
}

async fn accepted(answer: Response) -> Result<Response, PinError> {
    match answer.status() {
        StatusCode::OK | StatusCode::CREATED | StatusCode::ACCEPTED => Ok(answer),
        status => {
            let retry_after = retry_after(answer.headers());
            Err(PinError::of_status(status.as_u16(), quote(answer).await, retry_after))
        }
    }
}

/// Seconds only: its other form, a date, would need a clock that agrees with theirs.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
