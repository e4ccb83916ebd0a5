//! Rows of what operators ask, and what they are to the domain.

use chrono::{DateTime, Utc};
use domain::NftRecord;
use uuid::Uuid;

use crate::costs::cost;
use crate::errors::BadData;
use crate::reports::{AttemptReport, HistoryEntry, Milestones, NftReport};
use crate::rows::Reader;

pub(crate) struct MilestonesRow {
    pub id: Uuid,
    pub created_at: DateTime<Utc>,
    pub image_uploaded_at: Option<DateTime<Utc>>,
    pub ipfs_uploaded_at: Option<DateTime<Utc>>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub database_updated_at: Option<DateTime<Utc>>,
    pub verified_at: Option<DateTime<Utc>>,
    pub failed_at: Option<DateTime<Utc>>,
    pub rolled_back_at: Option<DateTime<Utc>>,
}

impl From<MilestonesRow> for Milestones {
    fn from(row: MilestonesRow) -> Self {
        Self {
            initiated: row.created_at,
            image_uploaded: row.image_uploaded_at,
            ipfs_uploaded: row.ipfs_uploaded_at,
            submitted: row.submitted_at,
            confirmed: row.confirmed_at,
            database_updated: row.database_updated_at,
            verified: row.verified_at,
            failed: row.failed_at,
            rolled_back: row.rolled_back_at,
        }
    }
}

pub(crate) struct HistoryRow {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub kind: String,
    pub version: i64,
    pub from_state: Option<String>,
    pub to_state: Option<String>,
    pub detail: serde_json::Value,
}

impl TryFrom<HistoryRow> for HistoryEntry {
    type Error = BadData;

    fn try_from(row: HistoryRow) -> Result<Self, BadData> {
        let read = Reader { table: "operation_events", row: row.id };
        Ok(Self {
            at: row.at,
            version: row.version,
            from: read.parse_some("from_state", row.from_state.as_deref())?,
            to: read.parse_some("to_state", row.to_state.as_deref())?,
            kind: row.kind,
            detail: row.detail,
        })
    }
}

pub(crate) struct AttemptRow {
    pub signature: String,
    pub version: i64,
    pub signed_at: DateTime<Utc>,
    pub payer: Option<String>,
    pub blockhash: String,
    pub last_valid_block_height: i64,
    pub compute_unit_price: i64,
    pub endpoint: String,
    pub base_fee: Option<i64>,
    pub priority_fee: Option<i64>,
    pub rent: Option<i64>,
    pub protocol_fee: Option<i64>,
    pub verdict: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
}

impl TryFrom<AttemptRow> for AttemptReport {
    type Error = BadData;

    fn try_from(row: AttemptRow) -> Result<Self, BadData> {
        let read = Reader { table: "mint_attempts", row: &row.signature };
        Ok(Self {
            signature: read.parse("signature", &row.signature)?,
            payer: read.parse_some("payer", row.payer.as_deref())?,
            last_valid_block_height: read.count("last_valid_block_height", row.last_valid_block_height)?,
            compute_unit_price: read.count("compute_unit_price", row.compute_unit_price)?,
            cost: cost(&read, [row.base_fee, row.priority_fee, row.rent, row.protocol_fee])?,
            verdict: read.verdict(row.verdict.as_deref())?,
            version: row.version,
            signed_at: row.signed_at,
            blockhash: row.blockhash,
            endpoint: row.endpoint,
            decided_at: row.decided_at,
        })
    }
}

pub(crate) struct NftRow {
    pub mint_address: String,
    pub owner: String,
    pub name: String,
    pub symbol: String,
    pub uri: String,
    pub signature: String,
    pub slot: i64,
    pub verified_at: Option<DateTime<Utc>>,
}

impl TryFrom<NftRow> for NftReport {
    type Error = BadData;

    fn try_from(row: NftRow) -> Result<Self, BadData> {
        let read = Reader { table: "nfts", row: &row.mint_address };
        let record = NftRecord {
            mint: read.parse("mint_address", &row.mint_address)?,
            owner: read.parse("owner", &row.owner)?,
            signature: read.parse("signature", &row.signature)?,
            slot: read.count("slot", row.slot)?,
            name: row.name,
            symbol: row.symbol,
            uri: row.uri,
        };
        Ok(Self { record, verified_at: row.verified_at })
    }
}
