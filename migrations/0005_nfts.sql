-- The finished records. What has no verified_at is not business data yet.
CREATE TABLE nfts (
    mint_address text        PRIMARY KEY,
    operation_id uuid        NOT NULL UNIQUE REFERENCES minting_operations (id),
    owner        text        NOT NULL,
    name         text        NOT NULL,
    symbol       text        NOT NULL,
    uri          text        NOT NULL,
    signature    text        NOT NULL UNIQUE,
    slot         bigint      NOT NULL CHECK (slot >= 0),
    created_at   timestamptz NOT NULL DEFAULT now(),
    verified_at  timestamptz
);

CREATE INDEX nfts_owner ON nfts (owner);
