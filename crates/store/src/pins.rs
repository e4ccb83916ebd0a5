//! Which provider holds which content, and who pins it now.

use chrono::{DateTime, Utc};
use engine::{OwedPin, Pin, PinClaim, Pinned, StoreError};

use crate::errors::BadData;
use crate::pool::Store;

/// A batch as columns, which is what the statements take.
struct Columns {
    cids: Vec<String>,
    providers: Vec<String>,
    sizes: Vec<i64>,
}

impl Columns {
    fn of<'a>(batch: impl Iterator<Item = &'a Pin> + Clone) -> Self {
        Self {
            cids: batch.clone().map(|pin| pin.cid.to_string()).collect(),
            providers: batch.clone().map(|pin| pin.provider.clone()).collect(),
            // No content is larger than 8 EiB.
            sizes: batch.map(|pin| i64::try_from(pin.size).unwrap_or(i64::MAX)).collect(),
        }
    }
}

/// Claims what nobody has, or had and let run out, be it to pin or to unpin it, at whatever provider. What some provider holds is only read: a
/// claim takes no lock on it, for everybody who stores that content holds one.
pub(crate) async fn claim(store: &Store, batch: &[Pin]) -> Result<Vec<PinClaim>, StoreError> {
    let Columns { cids, providers, sizes } = Columns::of(batch.iter());
    let answers = store
        .run("pin_claim", || {
            sqlx::query!(
                r#"WITH input AS MATERIALIZED (
                       SELECT wanted.*, EXISTS (
                           SELECT FROM pinned_content pin WHERE pin.cid = wanted.cid AND pin.state = 'pinned'
                       ) AS pinned, EXISTS (
                           SELECT FROM pinned_content pin
                           WHERE pin.cid = wanted.cid AND pin.provider <> wanted.provider
                             AND pin.state IN ('pending', 'unpinning') AND pin.claimed_until > now()
                       ) AS busy
                       FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY
                           AS wanted (cid, provider, size, ordinal)
                   ), claimed AS (
                       INSERT INTO pinned_content AS pin (cid, provider, size, state, claimed_until)
                       SELECT cid, provider, size, 'pending', now() + interval '20 seconds'
                       FROM input WHERE NOT pinned AND NOT busy ORDER BY cid, provider
                       ON CONFLICT (cid, provider) DO UPDATE
                       SET state = excluded.state, size = excluded.size, claimed_until = excluded.claimed_until
                       WHERE pin.state = 'unpinned'
                          OR (pin.state IN ('pending', 'unpinning') AND pin.claimed_until <= now())
                       RETURNING cid, provider
                   )
                   SELECT input.pinned AS "pinned!", claimed.cid IS NOT NULL AS "claimed!", now() AS "now!"
                   FROM input LEFT JOIN claimed USING (cid, provider)
                   ORDER BY input.ordinal"#,
                &cids,
                &providers,
                &sizes,
            )
            .fetch_all(&store.pool)
        })
        .await?;
    let answers = answers.iter().map(|answer| match (answer.pinned, answer.claimed) {
        (true, _) => PinClaim::Pinned,
        (false, true) => PinClaim::Yours { since: answer.now },
        (false, false) => PinClaim::Elsewhere,
    });
    Ok(answers.collect())
}

/// Records what a provider holds now. What is being unpinned at this moment stays so, and what was unpinned since the
/// upload was claimed: the commit that needs it will find it missing and have it pinned again. The row is asked twice, for
/// it may be another one than the statement saw at first once its lock is there.
pub(crate) async fn pinned(store: &Store, batch: &[Pinned]) -> Result<(), StoreError> {
    let Columns { cids, providers, sizes } = Columns::of(batch.iter().map(|pinned| &pinned.pin));
    let since: Vec<DateTime<Utc>> = batch.iter().map(|pinned| pinned.since).collect();
    store
        .run("pin_done", || {
            sqlx::query!(
                r#"INSERT INTO pinned_content AS pin (cid, provider, size, state, pinned_at)
                   SELECT cid, provider, size, 'pinned', now()
                   FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[])
                       AS done (cid, provider, size, since)
                   WHERE NOT EXISTS (
                       SELECT FROM pinned_content known
                       WHERE known.cid = done.cid
                         AND (known.provider = done.provider AND known.state = 'pinned'
                              OR known.unpinned_at >= done.since))
                   ORDER BY cid, provider
                   ON CONFLICT (cid, provider) DO UPDATE
                   SET state = 'pinned', size = excluded.size, claimed_until = NULL, pinned_at = excluded.pinned_at
                   WHERE pin.state IN ('pending', 'unpinned')
                     AND (pin.unpinned_at IS NULL OR pin.unpinned_at < (
                              SELECT min(since) FROM unnest($1::text[], $4::timestamptz[]) AS done (cid, since)
                              WHERE done.cid = pin.cid))"#,
                &cids,
                &providers,
                &sizes,
                &since,
            )
            .execute(&store.pool)
        })
        .await?;
    Ok(())
}

/// Claims what waits to be pinned at a provider though another one holds it. Whoever cannot pin it, or dies, leaves it to
/// the next claim a minute later.
pub(crate) async fn owed(store: &Store, provider: &str, most: u16) -> Result<Vec<OwedPin>, StoreError> {
    let rows = store
        .run("pin_owed", || {
            sqlx::query!(
                r#"WITH owed AS MATERIALIZED (
                       SELECT cid FROM pinned_content pin
                       WHERE provider = $1 AND state = 'pending' AND claimed_until <= now()
                         AND EXISTS (
                             SELECT FROM pinned_content elsewhere
                             WHERE elsewhere.cid = pin.cid AND elsewhere.state = 'pinned')
                       ORDER BY claimed_until
                       LIMIT $2
                       FOR UPDATE SKIP LOCKED
                   )
                   UPDATE pinned_content pin SET claimed_until = now() + interval '1 minute'
                   FROM owed WHERE pin.cid = owed.cid AND pin.provider = $1
                   RETURNING pin.cid, now() AS "since!""#,
                provider,
                i64::from(most),
            )
            .fetch_all(&store.pool)
        })
        .await?;
    let bad = |cid: &str, problem| BadData::new("pinned_content", "cid", cid, problem);
    let read = |cid: &str, since| Ok(OwedPin { cid: cid.parse().map_err(|problem| bad(cid, problem))?, since });
    rows.iter().map(|row| read(&row.cid, row.since)).collect()
}
