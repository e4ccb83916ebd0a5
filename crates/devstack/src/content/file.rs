//! A pinned file as Pinata's API describes it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Who can read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Network {
    /// Everybody, through any gateway.
    Public,
    /// Its owner alone. What Pinata assumes where nothing is said.
    #[default]
    Private,
}

/// One entry of the account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PinnedFile {
    pub id: String,
    pub name: String,
    pub cid: String,
    pub size: u64,
    pub number_of_files: u32,
    pub mime_type: String,
    pub group_id: Option<String>,
    pub keyvalues: Map<String, Value>,
    pub created_at: DateTime<Utc>,
    pub network: Network,
}

/// A file that is to be pinned.
#[derive(Debug, Clone, Default)]
pub(super) struct NewFile {
    pub content: bytes::Bytes,
    pub name: String,
    pub mime_type: String,
    pub group_id: Option<String>,
    pub keyvalues: Map<String, Value>,
    pub network: Network,
}
