//! Resumable uploads at `/v3/files`, as Pinata wants them for large files: TUS 1.0.0
//! (<https://tus.io/protocols/resumable-upload>), whose last answer names the CID. What was sent before a connection broke
//! is kept.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Path as Segments, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::StreamExt as _;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use super::file::{Network, NewFile};
use super::pin_server::{Account, Refusal, keep};

const LENGTH: &str = "upload-length";
const OFFSET: &str = "upload-offset";
const METADATA: &str = "upload-metadata";

/// Uploads that are under way, each with a file of what is there so far.
#[derive(Debug)]
pub(super) struct Uploads {
    dir: PathBuf,
    begun: Mutex<HashMap<String, Arc<Upload>>>,
}

#[derive(Debug)]
struct Upload {
    length: u64,
    path: PathBuf,
    new: NewFile,
    is_car: bool,
    turn: tokio::sync::Mutex<()>,
}

impl Uploads {
    /// Begins with none: an upload does not outlive the server.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let dir = dir.join("uploads");
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        std::fs::create_dir_all(&dir)?;
        Ok(Self { dir, begun: Mutex::default() })
    }

    fn find(&self, id: &str) -> Result<Arc<Upload>, Refusal> {
        let begun = self.begun.lock().expect("nothing panics while it holds the uploads");
        begun.get(id).cloned().ok_or_else(|| Refusal(StatusCode::NOT_FOUND, "no such upload".into()))
    }
}

impl Upload {
    async fn held(&self) -> io::Result<u64> {
        Ok(tokio::fs::metadata(&self.path).await?.len())
    }
}

/// Whether a POST begins a resumable upload.
pub(super) fn is_meant(headers: &HeaderMap) -> bool {
    headers.contains_key(LENGTH)
}

pub(super) fn create(account: &Account, headers: &HeaderMap) -> Result<Response, Refusal> {
    let length = number(headers, LENGTH)?;
    let metadata = metadata(headers)?;
    let text = |key: &str| metadata.get(key).cloned().unwrap_or_default();
    let network = match text("network").as_str() {
        "public" => Network::Public,
        "private" | "" => Network::Private,
        other => return Err(bad(format!("network {other:?} is neither public nor private"))),
    };
    let new = NewFile { name: text("filename"), mime_type: text("filetype"), network, ..NewFile::default() };
    let uploads = &account.uploads;
    let mut begun = uploads.begun.lock().expect("nothing panics while it holds the uploads");
    let number = begun.len();
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("upload {number} of {length}").as_bytes()).to_string();
    let path = uploads.dir.join(&id);
    std::fs::write(&path, b"")?;
    let is_car = text("car") == "true";
    begun.insert(id.clone(), Arc::new(Upload { length, path, new, is_car, turn: tokio::sync::Mutex::default() }));
    Ok((StatusCode::CREATED, [(header::LOCATION, format!("/v3/files/resumable/{id}"))]).into_response())
}

pub(super) async fn offset(
    State(account): State<Arc<Account>>,
    Segments(id): Segments<String>,
) -> Result<Response, Refusal> {
    let upload = account.uploads.find(&id)?;
    let _turn = upload.turn.lock().await;
    let headers = [(OFFSET, upload.held().await?.to_string()), (LENGTH, upload.length.to_string())];
    Ok((StatusCode::OK, headers).into_response())
}

pub(super) async fn append(
    State(account): State<Arc<Account>>,
    Segments(id): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let upload = account.uploads.find(&id)?;
    let _turn = upload.turn.lock().await;
    let mut held = upload.held().await?;
    if number(&headers, OFFSET)? != held {
        return Err(Refusal(StatusCode::CONFLICT, format!("the upload is at {held}")));
    }
    let mut file = File::options().append(true).open(&upload.path).await?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|broken| bad(broken.to_string()))?;
        held += piece.len() as u64;
        if held > upload.length {
            return Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, format!("more than {} bytes", upload.length)));
        }
        file.write_all(&piece).await?;
        file.flush().await?;
    }
    let mut answer = (StatusCode::NO_CONTENT, [(OFFSET, held.to_string())]).into_response();
    if held == upload.length {
        let content = tokio::fs::read(&upload.path).await?.into();
        let put = keep(&account, NewFile { content, ..upload.new.clone() }, upload.is_car).await?;
        let cid = put.file.cid.parse().map_err(io::Error::other)?;
        answer.headers_mut().insert("upload-cid", cid);
    }
    Ok(answer)
}

fn number(headers: &HeaderMap, name: &str) -> Result<u64, Refusal> {
    let number = headers.get(name).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    number.ok_or_else(|| bad(format!("{name} is no number")))
}

/// `key base64,key base64`.
fn metadata(headers: &HeaderMap) -> Result<HashMap<String, String>, Refusal> {
    let malformed = || bad(format!("{METADATA} is malformed"));
    let text = headers.get(METADATA).map_or(Ok(""), |value| value.to_str()).map_err(|_| malformed())?;
    let entry = |entry: &str| {
        let (key, value) = entry.trim().split_once(' ').unwrap_or((entry.trim(), ""));
        let value = BASE64_STANDARD.decode(value).ok().and_then(|value| String::from_utf8(value).ok());
        value.map(|value| (key.to_owned(), value)).ok_or_else(malformed)
    };
    text.split(',').map(entry).collect()
}

fn bad(message: String) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, message)
}
