//! `GET /v3/files/{network}`: filters and pages.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::file::PinnedFile;

const DEFAULT_LIMIT: usize = 10;
const MAX_LIMIT: usize = 1000;

/// What a listing asks for.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub cid: Option<String>,
    pub oldest_first: bool,
    name: Option<String>,
    group: Option<String>,
    mime_type: Option<String>,
    keyvalues: Vec<(String, String)>,
    limit: usize,
    after: Option<u64>,
}

/// One page of a listing.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    files: Vec<PinnedFile>,
    next_page_token: Option<String>,
}

impl Query {
    /// Reads the parameters of the URL; the error says which one is wrong.
    pub fn parse(mut parameters: BTreeMap<String, String>) -> Result<Self, String> {
        let limit = match parameters.remove("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => match text.parse() {
                Ok(limit @ 1..=MAX_LIMIT) => limit,
                _ => return Err(format!("limit {text:?} is not between 1 and {MAX_LIMIT}")),
            },
        };
        let after = match parameters.remove("pageToken") {
            None => None,
            Some(token) => Some(token.parse().map_err(|_| format!("pageToken {token:?} is none of ours"))?),
        };
        let keyvalues = parameters
            .iter()
            .filter_map(|(key, value)| {
                let key = key.strip_prefix("keyvalues[")?.strip_suffix(']')?;
                Some((key.to_owned(), value.clone()))
            })
            .collect();
        Ok(Self {
            cid: parameters.remove("cid"),
            oldest_first: parameters.get("order").is_some_and(|order| order.eq_ignore_ascii_case("asc")),
            name: parameters.remove("name"),
            group: parameters.remove("group"),
            mime_type: parameters.remove("mimeType"),
            keyvalues,
            limit,
            after,
        })
    }

    /// The page of these files, which come in the order that was asked for.
    pub fn page<'a>(&self, files: impl Iterator<Item = (&'a u64, &'a PinnedFile)>) -> Page {
        let mut rest = files
            .skip_while(|(number, _)| match self.after {
                None => false,
                Some(after) if self.oldest_first => **number <= after,
                Some(after) => **number >= after,
            })
            .filter(|(_, file)| self.matches(file))
            .peekable();
        let page: Vec<_> = rest.by_ref().take(self.limit).collect();
        let last = page.last().map(|(number, _)| number.to_string());
        Page { next_page_token: rest.peek().and(last), files: page.into_iter().map(|(_, file)| file.clone()).collect() }
    }

    fn matches(&self, file: &PinnedFile) -> bool {
        let group = match self.group.as_deref() {
            None => true,
            Some("null") => file.group_id.is_none(),
            Some(group) => file.group_id.as_deref() == Some(group),
        };
        group
            && self.name.as_ref().is_none_or(|name| file.name.contains(name.as_str()))
            && self.mime_type.as_ref().is_none_or(|kind| file.mime_type == *kind)
            && self.keyvalues.iter().all(|(key, wanted)| match file.keyvalues.get(key) {
                Some(Value::String(value)) => value == wanted,
                Some(Value::Number(number)) => number.to_string() == *wanted,
                _ => false,
            })
    }
}
