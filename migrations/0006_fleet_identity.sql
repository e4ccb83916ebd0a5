-- The one chain this fleet mints on: an endpoint of another cluster is refused.
CREATE TABLE fleet_identity (
    one_row      boolean     PRIMARY KEY DEFAULT true CHECK (one_row),
    genesis_hash text        NOT NULL,
    recorded_at  timestamptz NOT NULL DEFAULT now()
);
