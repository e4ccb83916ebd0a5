//! Images in a directory of ours.

use std::fs::Metadata;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;

use super::SourceError;

#[derive(Debug)]
pub(super) struct Assets {
    dir: Option<PathBuf>,
    bytes: usize,
}

impl Assets {
    /// Without a directory there are no assets.
    pub fn new(dir: Option<PathBuf>, bytes: usize) -> Self {
        Self { dir, bytes }
    }

    /// What changes when the asset is replaced: its size and when it was written.
    pub async fn stamp(&self, name: &str) -> Result<String, SourceError> {
        let file = self.look(name).await?.1;
        let written = file.modified().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        Ok(format!("{name}/{}/{}", file.len(), written.unwrap_or_default().as_nanos()))
    }

    pub async fn read(&self, name: &str) -> Result<Bytes, SourceError> {
        let (path, file) = self.look(name).await?;
        if file.len() > self.bytes as u64 {
            return Err(SourceError::TooLarge { limit: self.bytes });
        }
        tokio::fs::read(path).await.map(Bytes::from).map_err(|error| trouble(name, &error))
    }

    async fn look(&self, name: &str) -> Result<(PathBuf, Metadata), SourceError> {
        let unknown = || SourceError::UnknownAsset(name.to_owned());
        let dir = self.dir.as_ref().ok_or_else(unknown)?;
        if !is_plain(name) {
            return Err(unknown());
        }
        let path = dir.join(name);
        let file = tokio::fs::metadata(&path).await.map_err(|error| trouble(name, &error))?;
        if file.is_file() { Ok((path, file)) } else { Err(unknown()) }
    }
}

fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
}

fn trouble(name: &str, error: &io::Error) -> SourceError {
    match error.kind() {
        io::ErrorKind::NotFound => SourceError::UnknownAsset(name.to_owned()),
        _ => SourceError::UnreadableAsset { name: name.to_owned(), reason: error.to_string() },
    }
}
