//! Claiming rows that are published from, and settling the claims. A claim is a lease: whoever dies with it in hand loses
//! nothing, for the row is as it was and is claimed again when the lease ends. Claims wait for nobody's lock.

use chrono::{DateTime, Utc};
use domain::{OperationId, Priority, State, Step};
use engine::{Claim, Reason, StoreError, Sweep};
use uuid::Uuid;

use crate::pool::Store;

/// A lease outlasts a record's way to Kafka (30 s at most), so that a row is seldom published from twice.
const LEASE_SECONDS: f64 = 60.0;
/// Rows that owe a status, of one claim.
const OWED: i64 = 500;
/// A report is fresh for three times the pace of its owner.
const FRESH_SECONDS: f64 = 15.0;
/// What the clocks of producers, workers and database may be apart, and what a record may be on its way.
const CLOCKS_SECONDS: f64 = 30.0;
/// Whoever was woken so often in vain, and is in front of a person, is left to that person.
const WAKES: i32 = 3;

fn names(holds: impl Fn(State) -> bool) -> Vec<String> {
    State::ALL.into_iter().filter(|state| holds(*state)).map(|state| state.as_str().to_owned()).collect()
}

/// Each state and priority is an index scan of its own, which ends at its share.
pub(crate) async fn claim_due(store: &Store, step: Step, shares: &[(Priority, u32)]) -> Result<Vec<Claim>, StoreError> {
    let states = names(|state| state.step() == Some(step));
    let ended = names(|state| state.step().is_none());
    let priorities: Vec<String> = shares.iter().map(|(priority, _)| priority.as_str().to_owned()).collect();
    let most: Vec<i64> = shares.iter().map(|(_, most)| i64::from(*most)).collect();
    let rows = store
        .run("claim_due", || {
            sqlx::query!(
                r#"WITH due AS MATERIALIZED (
                       SELECT waiting.id
                       FROM unnest($2::text[], $3::bigint[]) AS share (priority, most),
                            unnest($1::text[]) AS taken (state),
                            LATERAL (
                                SELECT operation.id FROM minting_operations operation
                                WHERE operation.state = taken.state AND operation.priority = share.priority
                                  AND operation.next_attempt_at <= now()
                                  AND (operation.claimed_until IS NULL OR operation.claimed_until <= now())
                                ORDER BY operation.next_attempt_at
                                LIMIT share.most
                                FOR UPDATE SKIP LOCKED
                            ) AS waiting
                   ), owed AS MATERIALIZED (
                       SELECT id FROM minting_operations
                       WHERE status_owed AND state = ANY ($1 || $4::text[])
                         AND (claimed_until IS NULL OR claimed_until <= now())
                       ORDER BY updated_at
                       LIMIT $5
                       FOR UPDATE SKIP LOCKED
                   )
                   UPDATE minting_operations operation SET claimed_until = now() + make_interval(secs => $6)
                   FROM (SELECT id FROM due UNION SELECT id FROM owed) AS claimed
                   WHERE operation.id = claimed.id
                   RETURNING operation.id, operation.claimed_until AS "until!", operation.status_owed"#,
                &states,
                &priorities,
                &most,
                &ended,
                OWED,
                LEASE_SECONDS,
            )
            .fetch_all(&store.pool)
        })
        .await?;
    let claims = rows.into_iter().map(|row| Claim {
        id: OperationId::from_uuid(row.id),
        until: row.until,
        reason: if row.status_owed { Reason::Owed } else { Reason::Due },
    });
    Ok(claims.collect())
}

/// A row that is claimed is left alone: what was published from it may have been judged by the old time already.
pub(crate) async fn hasten(store: &Store, step: Step) -> Result<(), StoreError> {
    let states = names(|state| state.step() == Some(step));
    store
        .run("hasten", || {
            sqlx::query!(
                r#"WITH waiting AS MATERIALIZED (
                       SELECT id FROM minting_operations
                       WHERE state = ANY ($1) AND next_attempt_at > now() AND attempts = 0
                         AND (claimed_until IS NULL OR claimed_until <= now())
                       ORDER BY id
                       FOR UPDATE SKIP LOCKED
                   )
                   UPDATE minting_operations operation SET next_attempt_at = now()
                   FROM waiting
                   WHERE operation.id = waiting.id"#,
                &states,
            )
            .execute(&store.pool)
        })
        .await?;
    Ok(())
}

/// Without a fresh report of every partition there is no horizon, and no row is older than none.
pub(crate) async fn claim_still(store: &Store, sweep: &Sweep) -> Result<Vec<Claim>, StoreError> {
    let states = names(|state| state.step() == Some(sweep.step));
    let rows = store
        .run("claim_still", || {
            sqlx::query!(
                r#"WITH horizon AS MATERIALIZED (
                       SELECT min(through) - make_interval(secs => $6) AS at
                       FROM consumed_through
                       WHERE topic = $1 AND partition < $2::bigint AND reported_at >= now() - make_interval(secs => $7)
                       HAVING count(*) = $2
                   ), still AS MATERIALIZED (
                       SELECT operation.id FROM minting_operations operation
                       WHERE operation.state = ANY ($3) AND operation.priority = $4
                         AND operation.updated_at < (SELECT at FROM horizon)
                         AND (operation.requested_at IS NULL OR operation.requested_at < (SELECT at FROM horizon))
                         AND operation.next_attempt_at IS NULL AND NOT operation.status_owed
                         AND (operation.claimed_until IS NULL OR operation.claimed_until <= now())
                         AND (operation.wakes < $9 OR operation.needs_review IS NULL)
                       ORDER BY operation.updated_at
                       LIMIT $5
                       FOR UPDATE SKIP LOCKED
                   )
                   UPDATE minting_operations operation SET claimed_until = now() + make_interval(secs => $8)
                   FROM still
                   WHERE operation.id = still.id
                   RETURNING operation.id, operation.claimed_until AS "until!", operation.wakes"#,
                sweep.topic,
                i64::from(sweep.partitions),
                &states,
                sweep.priority.as_str(),
                i64::from(sweep.limit),
                CLOCKS_SECONDS,
                FRESH_SECONDS,
                LEASE_SECONDS,
                WAKES,
            )
            .fetch_all(&store.pool)
        })
        .await?;
    let claims = rows.into_iter().map(|row| Claim {
        id: OperationId::from_uuid(row.id),
        until: row.until,
        reason: Reason::Still { wakes: row.wakes.unsigned_abs() },
    });
    Ok(claims.collect())
}

/// A transition and a put-off end the claim, so that what is settled is what was claimed.
pub(crate) async fn settle(store: &Store, claims: &[Claim]) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = claims.iter().map(|claim| *claim.id.as_uuid()).collect();
    let until: Vec<DateTime<Utc>> = claims.iter().map(|claim| claim.until).collect();
    let told: Vec<bool> = claims.iter().map(|claim| claim.reason != Reason::Due).collect();
    let woken: Vec<bool> = claims.iter().map(|claim| matches!(claim.reason, Reason::Still { .. })).collect();
    store
        .run("settle", || {
            sqlx::query!(
                r#"WITH input AS MATERIALIZED (
                       SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::boolean[], $4::boolean[])
                           AS input (id, until, told, woken)
                   ), locked AS MATERIALIZED (
                       SELECT input.* FROM minting_operations operation JOIN input USING (id)
                       WHERE operation.claimed_until = input.until
                       ORDER BY operation.id
                       FOR UPDATE OF operation
                   ), settled AS (
                       UPDATE minting_operations operation SET
                           claimed_until = NULL,
                           requested_at = now(),
                           next_attempt_at = CASE WHEN operation.next_attempt_at > now()
                                                  THEN operation.next_attempt_at END,
                           status_owed = operation.status_owed AND NOT locked.told,
                           wakes = operation.wakes + locked.woken::integer
                       FROM locked
                       WHERE operation.id = locked.id AND operation.claimed_until = locked.until
                       RETURNING operation.id, operation.version, operation.state, operation.wakes, locked.woken
                   )
                   INSERT INTO operation_events (operation_id, kind, version, from_state, detail)
                   SELECT id, 'woken', version, state, jsonb_build_object('wakes', wakes) FROM settled WHERE woken"#,
                &ids,
                &until,
                &told,
                &woken,
            )
            .execute(&store.pool)
        })
        .await?;
    Ok(())
}
