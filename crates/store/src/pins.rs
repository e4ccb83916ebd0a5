//! Which content is pinned, and who pins it now.

use engine::{Pin, PinClaim, StoreError};

use crate::pool::Store;

/// A batch as columns, which is what the statements take.
struct Columns {
    cids: Vec<String>,
    providers: Vec<String>,
    sizes: Vec<i64>,
}

impl Columns {
    fn of(batch: &[Pin]) -> Self {
        Self {
            cids: batch.iter().map(|pin| pin.cid.to_string()).collect(),
            providers: batch.iter().map(|pin| pin.provider.clone()).collect(),
            // No content is larger than 8 EiB.
            sizes: batch.iter().map(|pin| i64::try_from(pin.size).unwrap_or(i64::MAX)).collect(),
        }
    }
}

/// Claims what nobody has, or had and let run out. What is pinned is only read: a claim takes no lock on it, for
/// everybody who stores that content holds one.
pub(crate) async fn claim(store: &Store, batch: &[Pin]) -> Result<Vec<PinClaim>, StoreError> {
    let Columns { cids, providers, sizes } = Columns::of(batch);
    let answers = store
        .run("pin_claim", || {
            sqlx::query!(
                r#"WITH input AS MATERIALIZED (
                       SELECT wanted.*, coalesce(pin.state = 'pinned', false) AS pinned
                       FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY
                           AS wanted (cid, provider, size, ordinal)
                       LEFT JOIN pinned_content pin USING (cid, provider)
                   ), claimed AS (
                       INSERT INTO pinned_content AS pin (cid, provider, size, state, claimed_until)
                       SELECT cid, provider, size, 'pending', now() + interval '15 seconds'
                       FROM input WHERE NOT pinned ORDER BY cid, provider
                       ON CONFLICT (cid, provider) DO UPDATE
                       SET state = excluded.state, size = excluded.size, claimed_until = excluded.claimed_until
                       WHERE pin.state = 'unpinned' OR (pin.state = 'pending' AND pin.claimed_until <= now())
                       RETURNING cid, provider
                   )
                   SELECT input.pinned AS "pinned!", claimed.cid IS NOT NULL AS "claimed!"
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
        (false, true) => PinClaim::Yours,
        (false, false) => PinClaim::Elsewhere,
    });
    Ok(answers.collect())
}

/// Records what a provider holds now. What is being unpinned at this moment stays so: the commit that needs it will find
/// it missing and have it pinned again.
pub(crate) async fn pinned(store: &Store, batch: &[Pin]) -> Result<(), StoreError> {
    let Columns { cids, providers, sizes } = Columns::of(batch);
    store
        .run("pin_done", || {
            sqlx::query!(
                r#"INSERT INTO pinned_content AS pin (cid, provider, size, state, pinned_at)
                   SELECT cid, provider, size, 'pinned', now()
                   FROM unnest($1::text[], $2::text[], $3::bigint[]) AS done (cid, provider, size)
                   WHERE NOT EXISTS (
                       SELECT FROM pinned_content known
                       WHERE known.cid = done.cid AND known.provider = done.provider AND known.state = 'pinned')
                   ORDER BY cid, provider
                   ON CONFLICT (cid, provider) DO UPDATE
                   SET state = 'pinned', size = excluded.size, claimed_until = NULL, pinned_at = excluded.pinned_at
                   WHERE pin.state IN ('pending', 'unpinned')"#,
                &cids,
                &providers,
                &sizes,
            )
            .execute(&store.pool)
        })
        .await?;
    Ok(())
}
