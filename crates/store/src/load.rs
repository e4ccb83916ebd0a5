//! Reading operations.

use std::collections::HashMap;

use domain::{Operation, OperationId};
use engine::{Snapshot, StoreError};
use uuid::Uuid;

use crate::pool::Store;
use crate::rows::{OperationRow, select_operations};

/// Operations with their open attempts, and the database's time.
pub(crate) async fn load(store: &Store, ids: &[OperationId]) -> Result<Snapshot, StoreError> {
    let rows = rows(store, ids).await?;
    let now = match rows.first() {
        Some(row) => row.now,
        None => store.run("now", || sqlx::query_scalar!(r#"SELECT now() AS "now!""#).fetch_one(&store.pool)).await?,
    };
    let mut operations = HashMap::with_capacity(rows.len());
    for row in rows {
        let id = OperationId::from_uuid(row.id);
        operations.insert(id, Operation::try_from(row).map_err(|bad| bad.failure()));
    }
    Ok(Snapshot { now, operations })
}

/// The rows that there are of those ids, in any order.
pub(crate) async fn rows(store: &Store, ids: &[OperationId]) -> Result<Vec<OperationRow>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| *id.as_uuid()).collect();
    store.run("load", || select_operations!("WHERE operation.id = ANY ($1)", &ids).fetch_all(&store.pool)).await
}
