//! A node of our own: Kubo by its RPC API (<https://docs.ipfs.tech/reference/kubo/rpc/>).

use std::time::Duration;

use domain::Cid;
use futures::stream;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Client, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::answer::{ask, body, json, same_cid};
use crate::dag::Car;
use crate::provider::counted;
use crate::transport::TransportFault;
use crate::{Content, PinError, PinProvider};

/// A client of a Kubo node. Every request is a POST: so has its API it.
#[derive(Debug, Clone)]
pub struct Kubo {
    client: Client,
    /// Ends with `/api/v0/`.
    base: String,
}

#[derive(Deserialize)]
struct Added {
    #[serde(rename = "Hash")]
    hash: String,
}

#[derive(Deserialize)]
struct Imported {
    #[serde(rename = "Root")]
    root: Root,
}

#[derive(Deserialize)]
struct Root {
    #[serde(rename = "Cid")]
    cid: Link,
    #[serde(rename = "PinErrorMsg", default)]
    pin_error: String,
}

#[derive(Deserialize)]
struct Link {
    #[serde(rename = "/")]
    cid: String,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "Version")]
    _version: String,
}

impl Kubo {
    /// Prepares a client of the node at `api`, such as `http://127.0.0.1:5001`; nothing is sent. No request may take
    /// longer than `timeout`, upload included.
    ///
    /// # Errors
    /// Where the machine gives no TLS roots or no sockets.
    pub fn new(api: &Url, timeout: Duration) -> Result<Self, reqwest::Error> {
        let connect = timeout.min(Duration::from_secs(5));
        let client = Client::builder().timeout(timeout).connect_timeout(connect).build()?;
        Ok(Self { client, base: format!("{}/api/v0/", api.as_str().trim_end_matches('/')) })
    }

    async fn upload(&self, content: &Content) -> Result<(), PinError> {
        match content.car() {
            Some(car) => self.import(content, &car).await,
            None => self.add(content).await,
        }
    }

    async fn add(&self, content: &Content) -> Result<(), PinError> {
        let file = Part::stream_with_length(content.bytes().clone(), content.bytes().len() as u64);
        let added: Added =
            self.send("add?cid-version=1&raw-leaves=true&pin=true&progress=false", content, file).await?;
        same_cid(content, added.hash)
    }

    async fn import(&self, content: &Content, car: &Car) -> Result<(), PinError> {
        let pieces = car.part(0, car.length()).into_iter().map(Ok::<_, std::convert::Infallible>);
        let file = Part::stream_with_length(Body::wrap_stream(stream::iter(pieces)), car.length());
        let Imported { root } = self.send("dag/import?pin-roots=true", content, file).await?;
        if !root.pin_error.is_empty() {
            return Err(PinError::Broken(format!("imported and not pinned: {}", root.pin_error)));
        }
        same_cid(content, root.cid.cid)
    }

    /// Answers are lines of JSON; these questions have one line for their answer.
    async fn send<T: DeserializeOwned>(&self, command: &str, content: &Content, file: Part) -> Result<T, PinError> {
        let file = file.file_name(content.cid().to_string());
        let file = file.mime_str("application/octet-stream").map_err(TransportFault::from)?;
        let answer = body(ask(self.post(command).multipart(Form::new().part("file", file))).await?).await?;
        let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
        serde_json::from_slice(line).map_err(|error| PinError::Broken(error.to_string()))
    }

    fn post(&self, command: &str) -> RequestBuilder {
        self.client.post(format!("{}{command}", self.base))
    }
}

impl PinProvider for Kubo {
    fn name(&self) -> &'static str {
        "kubo"
    }

    async fn pin(&self, content: &Content) -> Result<(), PinError> {
        counted(self.name(), content, self.upload(content)).await
    }

    async fn unpin(&self, cid: &Cid) -> Result<(), PinError> {
        match ask(self.post(&format!("pin/rm?arg={cid}"))).await {
            Ok(_) => Ok(()),
            Err(PinError::Server { message, .. }) if message.contains("not pinned") => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn status(&self) -> Result<(), PinError> {
        json(ask(self.post("version")).await?).await.map(|_: Version| ())
    }
}
