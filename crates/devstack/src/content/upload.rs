//! `POST /v3/files`: reads the form that Pinata's SDK and documentation send.

use axum::extract::Multipart;
use axum::extract::multipart::MultipartError;

use super::file::{Network, NewFile};

/// A form that cannot be taken, in words for whoever sent it.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadForm {
    #[error("{0}")]
    Multipart(#[from] MultipartError),
    #[error("the form has no field file")]
    NoFile,
    #[error("network {0:?} is neither public nor private")]
    Network(String),
    #[error("keyvalues is no JSON object: {0}")]
    Keyvalues(serde_json::Error),
}

/// Reads the fields in whatever order they come, and whether the file is a CAR; unknown fields are ignored.
pub(super) async fn read(mut form: Multipart) -> Result<(NewFile, bool), BadForm> {
    let mut new = NewFile::default();
    let (mut seen, mut file_name, mut is_car) = (false, None, false);
    while let Some(field) = form.next_field().await? {
        match field.name() {
            Some("file") => {
                seen = true;
                file_name = field.file_name().map(str::to_owned);
                new.mime_type = field.content_type().map(str::to_owned).unwrap_or_default();
                new.content = field.bytes().await?;
            }
            Some("network") => {
                let text = field.text().await?;
                new.network = match text.as_str() {
                    "public" => Network::Public,
                    "private" => Network::Private,
                    _ => return Err(BadForm::Network(text)),
                };
            }
            Some("name") => new.name = field.text().await?,
            Some("group_id") => new.group_id = Some(field.text().await?),
            Some("keyvalues") => {
                new.keyvalues = serde_json::from_str(&field.text().await?).map_err(BadForm::Keyvalues)?;
            }
            Some("car") => is_car = field.text().await? == "true",
            _ => {}
        }
    }
    if !seen {
        return Err(BadForm::NoFile);
    }
    if new.name.is_empty() {
        new.name = file_name.unwrap_or_else(|| "unnamed".into());
    }
    Ok((new, is_car))
}
