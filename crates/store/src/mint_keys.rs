//! The master secrets as the database knows them: by name and fingerprint.

use chrono::{DateTime, Utc};
use domain::{MintAddress, OperationId};
use engine::StoreError;

use crate::pool::Store;
use crate::rows::Reader;

const TABLE: &str = "mint_keys";

/// A master secret that this fleet has derived addresses from, or was told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MintKeyRecord {
    /// Its name.
    pub key_id: String,
    /// By which it is known again.
    pub fingerprint: [u8; 32],
    /// When it last took the place of another one; none for one that was only ever configured as retired.
    pub activated_at: Option<DateTime<Utc>>,
    /// A block height at which nothing can land any more that was signed under another one before that, once it is known.
    pub settled_height: Option<u64>,
}

struct MintKeyRow {
    key_id: String,
    fingerprint: Vec<u8>,
    activated_at: Option<DateTime<Utc>>,
    settled_height: Option<i64>,
}

impl Store {
    /// Every master secret on record, the one in use first.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where a row cannot be read.
    pub async fn mint_keys(&self) -> Result<Vec<MintKeyRecord>, StoreError> {
        let rows = self
            .run("mint_keys", || {
                sqlx::query_as!(
                    MintKeyRow,
                    r"SELECT key_id, fingerprint, activated_at, settled_height
                      FROM mint_keys ORDER BY activated_at DESC NULLS LAST, key_id"
                )
                .fetch_all(&self.pool)
            })
            .await?;
        rows.into_iter().map(MintKeyRecord::try_from).collect()
    }

    /// Puts a master secret on record, unless its name is there already.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where the same secret is on record under another name.
    pub async fn record_mint_key(&self, key_id: &str, fingerprint: &[u8; 32]) -> Result<(), StoreError> {
        self.run("mint_key_record", || {
            sqlx::query!(
                "INSERT INTO mint_keys (key_id, fingerprint) VALUES ($1, $2) ON CONFLICT (key_id) DO NOTHING",
                key_id,
                fingerprint.as_slice(),
            )
            .execute(&self.pool)
        })
        .await?;
        Ok(())
    }

    /// From now on new addresses are derived from that secret. Nothing changes where that is so already.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn activate_mint_key(&self, key_id: &str) -> Result<(), StoreError> {
        self.run("mint_key_activate", || {
            sqlx::query!(
                "UPDATE mint_keys this SET activated_at = now(), settled_height = NULL
                 WHERE key_id = $1
                   AND (activated_at IS NULL
                        OR EXISTS (SELECT FROM mint_keys other WHERE other.activated_at > this.activated_at))",
                key_id,
            )
            .execute(&self.pool)
        })
        .await?;
        Ok(())
    }

    /// At that block height nothing can land any more that was signed under another secret before this one was
    /// activated. The first height that is noted stays.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn settle_mint_key(&self, key: &MintKeyRecord, height: u64) -> Result<(), StoreError> {
        self.run("mint_key_settle", || {
            sqlx::query!(
                "UPDATE mint_keys SET settled_height = $3
                 WHERE key_id = $1 AND activated_at = $2 AND settled_height IS NULL",
                &key.key_id,
                key.activated_at,
                i64::try_from(height).unwrap_or(i64::MAX),
            )
            .execute(&self.pool)
        })
        .await?;
        Ok(())
    }

    /// An operation whose address was derived from that secret and from its own id, with the address; none where there is
    /// no such operation. Looks through the whole table where there is none: for a secret that is new here.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where the row cannot be read.
    pub async fn address_derived_from(&self, key_id: &str) -> Result<Option<(OperationId, MintAddress)>, StoreError> {
        let row = self
            .run("mint_key_sample", || {
                sqlx::query!(
                    r#"SELECT id, mint_address AS "mint_address!" FROM minting_operations
                       WHERE key_id = $1 AND mint_address IS NOT NULL AND kind <> 'upgrade' LIMIT 1"#,
                    key_id,
                )
                .fetch_optional(&self.pool)
            })
            .await?;
        let Some(row) = row else { return Ok(None) };
        let read = Reader { table: "minting_operations", row: row.id };
        Ok(Some((OperationId::from_uuid(row.id), read.parse("mint_address", &row.mint_address)?)))
    }
}

impl TryFrom<MintKeyRow> for MintKeyRecord {
    type Error = StoreError;

    fn try_from(row: MintKeyRow) -> Result<Self, StoreError> {
        let read = Reader { table: TABLE, row: &row.key_id };
        let fingerprint = row.fingerprint.as_slice().try_into().map_err(|error| read.bad("fingerprint", error))?;
        let settled_height = row.settled_height.map(|height| read.count("settled_height", height)).transpose()?;
        Ok(Self { fingerprint, settled_height, activated_at: row.activated_at, key_id: row.key_id.clone() })
    }
}
