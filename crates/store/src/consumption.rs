//! How far each partition was consumed, as its owner says.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use engine::{ConsumptionReport, StoreError};

use crate::pool::Store;

/// An owner takes its number with its first report, from one sequence for all processes. An older number never overwrites
/// a newer one.
pub(crate) async fn report(store: &Store, reports: &[ConsumptionReport]) -> Result<Vec<Option<i64>>, StoreError> {
    let topics: Vec<String> = reports.iter().map(|report| report.partition.topic.to_string()).collect();
    let partitions: Vec<i32> = reports.iter().map(|report| report.partition.id).collect();
    let epochs: Vec<Option<i64>> = reports.iter().map(|report| report.epoch).collect();
    let through: Vec<DateTime<Utc>> = reports.iter().map(|report| report.through).collect();
    let rows = store
        .run("report", || {
            sqlx::query!(
                r#"INSERT INTO consumed_through AS known (topic, partition, epoch, through)
                   SELECT topic, partition, coalesce(epoch, nextval('assignment_epochs')), through
                   FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::timestamptz[])
                       AS said (topic, partition, epoch, through)
                   ORDER BY topic, partition
                   ON CONFLICT (topic, partition) DO UPDATE
                   SET epoch = excluded.epoch, through = excluded.through, reported_at = excluded.reported_at
                   WHERE known.epoch <= excluded.epoch
                   RETURNING topic, partition, epoch"#,
                &topics,
                &partitions,
                &epochs as &[Option<i64>],
                &through,
            )
            .fetch_all(&store.pool)
        })
        .await?;
    let held: HashMap<_, _> = rows.into_iter().map(|row| ((row.topic, row.partition), row.epoch)).collect();
    let answer =
        |report: &ConsumptionReport| held.get(&(report.partition.topic.to_string(), report.partition.id)).copied();
    Ok(reports.iter().map(answer).collect())
}
