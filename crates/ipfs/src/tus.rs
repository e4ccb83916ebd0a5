//! Uploads that are continued where they broke off: TUS 1.0.0 (<https://tus.io/protocols/resumable-upload>) as Pinata has
//! it, which answers the last piece with the CID.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use domain::Cid;
use futures::stream;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Body, Client, Method, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::answer::ask;
use crate::dag::Car;
use crate::{Content, PinError, metrics};

/// Bytes of one request: what a broken connection can cost.
const PIECE: u64 = 4 << 20;
const OFFSET: &str = "upload-offset";

/// A place for resumable uploads, and which of them are unfinished.
#[derive(Debug)]
pub(crate) struct Tus {
    client: Client,
    create_url: String,
    jwt: SecretString,
    unfinished: Mutex<HashMap<Cid, Url>>,
}

/// A complete upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Uploaded {
    /// The last answer said what it is.
    As(String),
    /// The last answer was lost.
    Unnamed,
}

/// A piece that was taken: how far the upload is now, and as what where that is all.
struct Appended {
    reached: u64,
    cid: Option<String>,
}

/// What an upload is worth after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// It may be continued at once.
    Resume,
    /// It may be continued later.
    Keep,
    /// It is gone, or was never good.
    Forget,
}

fn after(error: &PinError) -> After {
    match error {
        PinError::TimedOut
        | PinError::Unreachable(_)
        | PinError::Broken(_)
        | PinError::Server { .. }
        // We are not where the server is.
        | PinError::Misplaced { status: 409, .. } => After::Resume,
        PinError::RateLimited { .. } | PinError::KeyRefused { .. } => After::Keep,
        PinError::Misplaced { .. } | PinError::Rejected { .. } | PinError::OtherCid { .. } => After::Forget,
    }
}

fn read_offset(headers: &HeaderMap) -> Result<u64, PinError> {
    let offset = headers.get(OFFSET).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    offset.ok_or_else(|| PinError::Broken("it does not say how far the upload is".into()))
}

/// What is sent: the file, or its CAR.
enum Payload {
    File(Bytes),
    Car(Car),
}

impl Payload {
    fn length(&self) -> u64 {
        match self {
            Self::File(bytes) => bytes.len() as u64,
            Self::Car(car) => car.length(),
        }
    }

    fn piece(&self, from: u64) -> Vec<Bytes> {
        match self {
            Self::File(bytes) => {
                let at = |offset: u64| usize::try_from(offset).map_or(bytes.len(), |offset| offset.min(bytes.len()));
                vec![bytes.slice(at(from)..at(from + PIECE))]
            }
            Self::Car(car) => car.part(from, PIECE),
        }
    }
}

impl Tus {
    pub fn new(client: Client, create_url: String, jwt: SecretString) -> Self {
        Self { client, create_url, jwt, unfinished: Mutex::default() }
    }

    /// Uploads a content, from where an earlier upload of it broke off. A connection that breaks is made again as long as
    /// each one brings the upload further; what is unfinished then is remembered for the next time.
    pub async fn upload(
        &self,
        provider: &'static str,
        content: &Content,
        car: Option<Car>,
    ) -> Result<Uploaded, PinError> {
        let payload = car.map_or_else(|| Payload::File(content.bytes().clone()), Payload::Car);
        let uploaded = self.send(provider, content, &payload).await;
        match &uploaded {
            Err(error) if after(error) != After::Forget => {}
            Ok(_) | Err(_) => drop(self.lock().remove(content.cid())),
        }
        uploaded
    }

    async fn send(&self, provider: &'static str, content: &Content, payload: &Payload) -> Result<Uploaded, PinError> {
        let (length, cid) = (payload.length(), content.cid());
        let (url, mut offset) = self.begin(content, payload).await?;
        let (mut further, mut uploaded) = (false, Uploaded::Unnamed);
        while offset < length {
            let reached = match self.append(&url, offset, payload.piece(offset)).await {
                Ok(appended) => {
                    further = true;
                    uploaded = appended.cid.map_or(Uploaded::Unnamed, Uploaded::As);
                    appended.reached
                }
                Err(error) if after(&error) == After::Resume => {
                    let reached = self.offset(&url).await?;
                    if !std::mem::take(&mut further) && reached <= offset {
                        return Err(error);
                    }
                    metrics::resumption(provider);
                    tracing::info!(content.cid = %cid, upload.bytes = reached, %error, "the upload goes on after a break");
                    reached
                }
                Err(error) => return Err(error),
            };
            if reached > length {
                return Err(PinError::Broken(format!("it has {reached} bytes of {length}")));
            }
            metrics::resumable_bytes(provider, reached.saturating_sub(offset));
            offset = reached;
            tracing::info!(content.cid = %cid, upload.bytes = offset, upload.total_bytes = length, "uploading");
        }
        Ok(uploaded)
    }

    /// Where the upload is, and how far.
    async fn begin(&self, content: &Content, payload: &Payload) -> Result<(Url, u64), PinError> {
        let known = self.lock().get(content.cid()).cloned();
        if let Some(url) = known {
            match self.offset(&url).await {
                Ok(offset) => return Ok((url, offset)),
                Err(error) if after(&error) != After::Forget => return Err(error),
                // It is gone: they are kept for a day or so.
                Err(_) => drop(self.lock().remove(content.cid())),
            }
        }
        let url = self.create(content, payload).await?;
        self.lock().insert(content.cid().clone(), url.clone());
        Ok((url, 0))
    }

    async fn create(&self, content: &Content, payload: &Payload) -> Result<Url, PinError> {
        let name = content.cid().as_str();
        let mut metadata = vec![("filename", name), ("filetype", content.media_type()), ("network", "public")];
        if matches!(payload, Payload::Car(_)) {
            metadata.push(("car", "true"));
        }
        let metadata: Vec<_> =
            metadata.into_iter().map(|(key, value)| format!("{key} {}", BASE64_STANDARD.encode(value))).collect();
        let request = self.request(Method::POST, &self.create_url);
        let request = request.header("upload-length", payload.length()).header("upload-metadata", metadata.join(","));
        let answer = ask(request).await?;
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.and_then(|location| answer.url().join(location).ok());
        // Our token goes where this says: never where others could read it on the way.
        let location = location.filter(|url| url.scheme() == answer.url().scheme() || url.scheme() == "https");
        location.ok_or_else(|| PinError::Broken("it does not say where the upload goes".into()))
    }

    async fn offset(&self, url: &Url) -> Result<u64, PinError> {
        read_offset(ask(self.request(Method::HEAD, url.as_str())).await?.headers())
    }

    async fn append(&self, url: &Url, from: u64, piece: Vec<Bytes>) -> Result<Appended, PinError> {
        let length: u64 = piece.iter().map(|part| part.len() as u64).sum();
        let body = Body::wrap_stream(stream::iter(piece.into_iter().map(Ok::<_, Infallible>)));
        let request = self.request(Method::PATCH, url.as_str()).header(OFFSET, from);
        let request = request.header(CONTENT_TYPE, "application/offset+octet-stream").header("content-length", length);
        let answer = ask(request.body(body)).await?;
        let cid = answer.headers().get("upload-cid").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let reached = read_offset(answer.headers())?;
        // Another word for having taken nothing, which would go on for ever.
        if reached <= from {
            return Err(PinError::Broken(format!("it took {length} bytes and has {reached} as before")));
        }
        Ok(Appended { reached, cid })
    }

    fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let request = self.client.request(method, url).header("tus-resumable", "1.0.0");
        request.bearer_auth(self.jwt.expose_secret())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Cid, Url>> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
