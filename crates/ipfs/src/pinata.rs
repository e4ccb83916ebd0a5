//! Pinata, version 3 of its API (<https://docs.pinata.cloud/api-reference>).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use domain::Cid;
use futures::stream;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Client};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use crate::answer::{ask, json, same_cid};
use crate::dag::Car;
use crate::provider::counted;
use crate::transport::TransportFault;
use crate::tus::{Tus, Uploaded};
use crate::{Content, PinError, PinProvider};

/// How long the question after its status may take.
const STATUS: Duration = Duration::from_secs(5);
/// Media type of a CAR.
const CAR: &str = "application/vnd.ipld.car";

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

/// A client of one account at Pinata.
#[derive(Debug, Clone)]
pub struct Pinata {
    name: &'static str,
    client: Client,
    upload_url: String,
    files_url: String,
    authentication_url: String,
    jwt: SecretString,
    resumable_above: u64,
    resumable: Arc<Tus>,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct File {
    cid: String,
}

#[derive(Deserialize)]
struct Files {
    files: Vec<ListedFile>,
}

#[derive(Deserialize)]
struct ListedFile {
    id: String,
    cid: String,
}

impl Pinata {
    /// Prepares a client called `pinata`; nothing is sent.
    ///
    /// # Errors
    /// Where the machine gives no TLS roots or no sockets.
    pub fn new(options: PinataOptions) -> Result<Self, reqwest::Error> {
        let connect = options.timeout.min(Duration::from_secs(5));
        let client = Client::builder().timeout(options.timeout).connect_timeout(connect).build()?;
        let below = |base: &Url, path: &str| format!("{}{path}", base.as_str().trim_end_matches('/'));
        let upload_url = below(&options.uploads, "/v3/files");
        let resumable = Tus::new(client.clone(), upload_url.clone(), options.jwt.clone());
        Ok(Self {
            name: "pinata",
            client,
            upload_url,
            files_url: below(&options.api, "/v3/files/public"),
            authentication_url: below(&options.api, "/data/testAuthentication"),
            jwt: options.jwt,
            resumable_above: 100_000_000,
            resumable: Arc::new(resumable),
        })
    }

    /// Another account under a name of its own.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Sends what has more bytes in resumable pieces, which Pinata wants above its own default, 100 MB.
    #[must_use]
    pub const fn resumable_above(mut self, bytes: u64) -> Self {
        self.resumable_above = bytes;
        self
    }

    async fn upload(&self, content: &Content) -> Result<(), PinError> {
        let car = content.car();
        let length = car.as_ref().map_or(content.bytes().len() as u64, Car::length);
        if length <= self.resumable_above {
            return self.upload_at_once(content, car).await;
        }
        match self.resumable.upload(self.name, content, car).await? {
            Uploaded::As(cid) => same_cid(content, cid),
            Uploaded::Unnamed if self.holds(content.cid()).await? => Ok(()),
            Uploaded::Unnamed => Err(PinError::Broken("the upload is complete and the file is not there".into())),
        }
    }

    async fn upload_at_once(&self, content: &Content, car: Option<Car>) -> Result<(), PinError> {
        let mut form = Form::new().text("network", "public").text("name", content.cid().to_string());
        let (file, media_type) = match car {
            None => {
                let length = content.bytes().len() as u64;
                (Part::stream_with_length(content.bytes().clone(), length), content.media_type())
            }
            Some(car) => {
                form = form.text("car", "true");
                let pieces = stream::iter(car.part(0, car.length()).into_iter().map(Ok::<_, Infallible>));
                (Part::stream_with_length(Body::wrap_stream(pieces), car.length()), CAR)
            }
        };
        let file = file.file_name(content.cid().to_string()).mime_str(media_type).map_err(TransportFault::from)?;
        let request = self.client.post(&self.upload_url).bearer_auth(self.jwt.expose_secret());
        let answer: Answer<File> = json(ask(request.multipart(form.part("file", file))).await?).await?;
        same_cid(content, answer.data.cid)
    }

    async fn holds(&self, cid: &Cid) -> Result<bool, PinError> {
        Ok(!self.files_of(cid).await?.is_empty())
    }

    /// The ids of the files that have this content; the list is not trusted to hold no others.
    async fn files_of(&self, cid: &Cid) -> Result<Vec<String>, PinError> {
        let request = self.client.get(&self.files_url).query(&[("cid", cid.as_str())]);
        let answer: Answer<Files> = json(ask(request.bearer_auth(self.jwt.expose_secret())).await?).await?;
        let files = answer.data.files.into_iter().filter(|file| file.cid == cid.as_str());
        Ok(files.map(|file| file.id).collect())
    }

    async fn delete(&self, id: &str) -> Result<(), PinError> {
        let request = self.client.delete(format!("{}/{id}", self.files_url));
        match ask(request.bearer_auth(self.jwt.expose_secret())).await {
            // Somebody deleted it since it was listed.
            Ok(_) | Err(PinError::Misplaced { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl PinProvider for Pinata {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn pin(&self, content: &Content) -> Result<(), PinError> {
        counted(self.name, content, self.upload(content)).await
    }

    async fn unpin(&self, cid: &Cid) -> Result<(), PinError> {
        for id in self.files_of(cid).await? {
            self.delete(&id).await?;
        }
        Ok(())
    }

    async fn status(&self) -> Result<(), PinError> {
        let request = self.client.get(&self.authentication_url).timeout(STATUS);
        ask(request.bearer_auth(self.jwt.expose_secret())).await.map(drop)
    }
}
