//! The API's event, "mint this NFT for this wallet", and what makes one poison.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Burn, Content, ContentHash, Envelope, Failure, Nft, OperationId, OperationKind, Priority, Record, WalletAddress,
};

/// Longest name that Token Metadata stores, bytes.
pub const MAX_NAME: usize = 32;
/// Longest symbol that Token Metadata stores, bytes.
pub const MAX_SYMBOL: usize = 10;
/// Longest user id, bytes: it comes back in every status event.
const MAX_USER_ID: usize = 256;
/// Where the name of the burning transaction stands: what is malformed there has a code of its own.
const BURN_SIGNATURE: &str = "burn.signature";
/// Most basis points: the whole price.
const MAX_BASIS_POINTS: u16 = 10_000;

/// Value of `nft-operations`, version 1. Unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "nft-operations, version 1")]
pub struct OperationRequested {
    /// The idempotency key.
    pub operation_id: OperationId,
    /// Why it is minted.
    #[serde(rename = "type")]
    pub kind: OperationKind,
    /// Whom it is done for; opaque to us.
    pub user_id: String,
    /// Who gets the NFT.
    pub wallet_address: WalletAddress,
    /// How urgently.
    #[serde(default)]
    pub priority: Priority,
    /// What to mint.
    pub nft: Nft,
    /// What pays for an upgrade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn: Option<Burn>,
}

/// An accepted event: a row to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOperation {
    /// The idempotency key.
    pub id: OperationId,
    /// Whom it is done for.
    pub user_id: String,
    /// How urgently.
    pub priority: Priority,
    /// What to mint for whom.
    pub content: Content,
    /// Tells contents apart.
    pub content_hash: ContentHash,
    /// W3C trace context.
    pub trace_parent: Option<String>,
    /// The record's timestamp, or the time it was read where it has none.
    pub event_at: DateTime<Utc>,
}

impl OperationRequested {
    /// The event's `ce_type`, where the producer writes one.
    pub const KIND: &'static str = "mintfleet.operation.requested.v1";

    /// Reads and checks a record of `nft-operations`; `now` stands in for a missing timestamp.
    ///
    /// # Errors
    /// A permanent failure with one of the codes `unsupported-envelope`, `null-value`, `not-utf8`, `not-json`, `schema`,
    /// `nul-character`, `malformed-burn-signature` or `invalid-content` (every problem at once).
    pub fn accept(record: &Record, now: DateTime<Utc>) -> Result<NewOperation, Failure> {
        Envelope::check(record)?;
        let event = Self::parse(record.value.as_deref())?;
        event.validate()?;
        let content =
            Content { kind: event.kind, wallet_address: event.wallet_address, nft: event.nft, burn: event.burn };
        Ok(NewOperation {
            id: event.operation_id,
            user_id: event.user_id,
            priority: event.priority,
            content_hash: content.hash(),
            content,
            trace_parent: Envelope::trace_parent(record).map(str::to_owned),
            event_at: record.timestamp.unwrap_or(now),
        })
    }

    fn parse(value: Option<&[u8]>) -> Result<Self, Failure> {
        let value = value.ok_or_else(|| Failure::permanent("null-value", "the record has no value"))?;
        let text = std::str::from_utf8(value).map_err(|error| Failure::permanent("not-utf8", error))?;
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|error| Failure::permanent("not-json", error))?;
        refuse_nul(&json)?;
        serde_path_to_error::deserialize(json).map_err(|error| {
            let code = if error.path().to_string() == BURN_SIGNATURE { "malformed-burn-signature" } else { "schema" };
            Failure::permanent(code, error)
        })
    }

    fn validate(&self) -> Result<(), Failure> {
        let problems = self.problems();
        if problems.is_empty() { Ok(()) } else { Err(Failure::permanent("invalid-content", problems.join("; "))) }
    }

    fn problems(&self) -> Vec<String> {
        let nft = &self.nft;
        let mut problems = Vec::new();
        let mut expect = |holds: bool, problem: &dyn Fn() -> String| {
            if !holds {
                problems.push(problem());
            }
        };
        expect(!nft.name.is_empty(), &|| "nft.name is empty".into());
        expect(nft.name.len() <= MAX_NAME, &|| {
            format!("nft.name is {} bytes long; the chain stores {MAX_NAME}", nft.name.len())
        });
        expect(nft.symbol.len() <= MAX_SYMBOL, &|| {
            format!("nft.symbol is {} bytes long; the chain stores {MAX_SYMBOL}", nft.symbol.len())
        });
        expect(nft.seller_fee_basis_points <= MAX_BASIS_POINTS, &|| {
            format!("nft.sellerFeeBasisPoints is {}; {MAX_BASIS_POINTS} is all", nft.seller_fee_basis_points)
        });
        expect(self.user_id.len() <= MAX_USER_ID, &|| {
            format!("userId is {} bytes long; {MAX_USER_ID} are enough", self.user_id.len())
        });
        match self.kind {
            OperationKind::Upgrade => {
                expect(self.burn.is_some(), &|| "an upgrade names the burn that pays for it: burn is missing".into());
            }
            OperationKind::Unlock | OperationKind::Airdrop => {
                expect(self.burn.is_none(), &|| format!("burn belongs to an upgrade, not to type {}", self.kind));
            }
        }
        if let Err(problem) = ImageSource::parse(&nft.image) {
            problems.push(format!("nft.image {problem}"));
        }
        problems
    }
}

/// The id that a refused event names, where it can be read at all.
#[must_use]
pub fn read_operation_id(value: Option<&[u8]>) -> Option<OperationId> {
    let json: serde_json::Value = serde_json::from_slice(value?).ok()?;
    json.get("operationId")?.as_str()?.parse().ok()
}

fn refuse_nul(json: &serde_json::Value) -> Result<(), Failure> {
    match json {
        serde_json::Value::String(text) if text.contains('\0') => {
            Err(Failure::permanent("nul-character", "a string holds a NUL character, which PostgreSQL cannot store"))
        }
        serde_json::Value::Array(items) => items.iter().try_for_each(refuse_nul),
        serde_json::Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            refuse_nul(&serde_json::Value::String(name.clone()))?;
            refuse_nul(value)
        }),
        serde_json::Value::String(_)
        | serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_) => Ok(()),
    }
}

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// A file of the asset directory: a plain name, never a path.
    Asset(String),
    /// A foreign web server. Plain `http` is for local stacks: the uploader refuses it unless it is told otherwise.
    Web(url::Url),
    /// Content on IPFS: a content id and the path below it, which is empty or begins with a slash.
    Ipfs {
        /// Content id, unchecked.
        cid: String,
        /// Path below it.
        path: String,
    },
}

impl ImageSource {
    /// Reads `asset:NAME`, `https://…` or `ipfs://CID[/PATH]`.
    ///
    /// # Errors
    /// What is wrong with it, to stand behind the name of the field.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("asset:") {
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
            return if plain && !name.is_empty() && !name.starts_with('.') {
                Ok(Self::Asset(name.to_owned()))
            } else {
                Err(format!("{text:?} is no plain asset name (letters, digits, dot, dash, underscore)"))
            };
        }
        if let Some(rest) = text.strip_prefix("ipfs://") {
            let (cid, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
            return if cid.is_empty() || !cid.bytes().all(|b| b.is_ascii_alphanumeric()) {
                Err(format!("{text:?} names no content id"))
            } else {
                Ok(Self::Ipfs { cid: cid.to_owned(), path: path.to_owned() })
            };
        }
        let url = url::Url::parse(text).map_err(|error| format!("{text:?} is no URL: {error}"))?;
        match (url.scheme(), url.host_str()) {
            ("https" | "http", Some(_)) => Ok(Self::Web(url)),
            _ => Err(format!("{text:?} is none of asset:NAME, https://… and ipfs://CID")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event() -> Value {
        json!({
            "operationId": "0199a0b0-0000-7000-8000-000000000001", "type": "unlock", "userId": "u1",
            "walletAddress": "11111111111111111111111111111112",
            "nft": {"name": "Quant Ape", "symbol": "AIW3", "description": "…", "level": 2, "image": "asset:quant-ape.png"},
            "somethingNew": true
        })
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut event = event();
        *event.pointer_mut(pointer).expect("a field of the sample") = value;
        event
    }

    fn record(value: Option<Vec<u8>>) -> Record {
        Record {
            topic: "nft-operations".into(),
            partition: 0,
            offset: 0,
            timestamp: None,
            key: None,
            value,
            headers: vec![],
        }
    }

    fn accept(value: &Value) -> Result<NewOperation, Failure> {
        OperationRequested::accept(&record(Some(value.to_string().into_bytes())), DateTime::UNIX_EPOCH)
    }

    fn code(value: &Value) -> String {
        accept(value).expect_err("poison").code.into_owned()
    }

    #[test]
    fn bare_json_is_accepted_and_unknown_fields_ignored() {
        let operation = accept(&event()).unwrap();
        assert_eq!(operation.priority, Priority::Normal);
        assert_eq!(operation.content.nft.name, "Quant Ape");
    }

    #[test]
    fn content_is_what_is_minted_for_whom_and_nothing_else() {
        let first = accept(&event()).unwrap().content_hash;
        let mut urgent = event();
        urgent["priority"] = json!("critical");
        assert_eq!(accept(&urgent).unwrap().content_hash, first);
        assert_ne!(accept(&with("/nft/level", json!(3))).unwrap().content_hash, first);
    }

    #[test]
    fn the_content_hash_of_version_1_never_changes() {
        let hash = accept(&event()).unwrap().content_hash;
        assert_eq!(bs58::encode(hash.as_bytes()).into_string(), "EJf2KCMU95qedd3vwjQb4N6dpkTeC1RjYVvra6M3gUTK");
    }

    #[test]
    fn poison_is_named() {
        let name = |text: &str| with("/nft/name", json!(text));
        assert_eq!(code(&with("/type", json!("burn"))), "schema");
        assert_eq!(code(&with("/type", json!("upgrade"))), "invalid-content");
        assert_eq!(code(&with("/walletAddress", json!("0OIl"))), "schema");
        assert_eq!(code(&with("/operationId", json!("7"))), "schema");
        assert_eq!(code(&name("a\0b")), "nul-character");
        assert_eq!(code(&name(&"x".repeat(33))), "invalid-content");
        assert_eq!(code(&with("/nft/image", json!("asset:../etc/passwd"))), "invalid-content");
        assert_eq!(code(&with("/nft/image", json!("file:///etc/passwd"))), "invalid-content");
        assert_eq!(code(&json!([])), "schema");
        let raw = |bytes: Option<&[u8]>| {
            let record = record(bytes.map(<[u8]>::to_vec));
            OperationRequested::accept(&record, DateTime::UNIX_EPOCH).expect_err("poison").code
        };
        assert_eq!(raw(None), "null-value");
        assert_eq!(raw(Some(b"{")), "not-json");
        assert_eq!(raw(Some(&[0xff])), "not-utf8");
    }

    #[test]
    fn an_upgrade_names_its_burn_and_nothing_else_does() {
        let (mint, signature) = (json!("11111111111111111111111111111112"), json!("1".repeat(64)));
        let mut upgrade = with("/type", json!("upgrade"));
        upgrade["burn"] = json!({ "mint": mint, "signature": signature });
        assert_eq!(accept(&upgrade).unwrap().content.burn.unwrap().mint.to_string(), mint);
        upgrade["type"] = json!("airdrop");
        assert_eq!(code(&upgrade), "invalid-content");
        for (burn, expected) in [
            (json!({ "mint": mint, "signature": "1".repeat(63) }), "malformed-burn-signature"),
            (json!({ "mint": mint, "signature": "0OIl" }), "malformed-burn-signature"),
            (json!({ "mint": mint, "signature": 7 }), "malformed-burn-signature"),
            (json!({ "mint": mint }), "schema"),
            (json!({ "mint": "0OIl", "signature": signature }), "schema"),
        ] {
            upgrade["type"] = json!("upgrade");
            upgrade["burn"] = burn;
            assert_eq!(code(&upgrade), expected, "{}", upgrade["burn"]);
        }
    }

    #[test]
    fn a_reason_tells_where_and_every_problem_at_once() {
        let wrong_wallet = accept(&with("/walletAddress", json!("0OIl"))).unwrap_err();
        assert!(wrong_wallet.message.starts_with("walletAddress: not base58"), "{}", wrong_wallet.message);
        let mut event = with("/nft/name", json!(""));
        event["nft"]["image"] = json!("asset:a/b");
        let both = accept(&event).unwrap_err().message;
        assert!(both.contains("nft.name is empty; nft.image"), "{both}");
    }

    #[test]
    fn the_id_of_a_refused_event_is_read_where_it_can_be() {
        let event = with("/type", json!("burn")).to_string();
        assert!(read_operation_id(Some(event.as_bytes())).is_some());
        assert_eq!(read_operation_id(Some(b"[]")), None);
        assert_eq!(read_operation_id(None), None);
    }
}
