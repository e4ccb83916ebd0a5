-- Which provider holds which content. No counters: who refers to a content is asked of the operations themselves.
CREATE TABLE pinned_content (
    cid           text        NOT NULL,
    provider      text        NOT NULL,
    size          bigint      NOT NULL CHECK (size >= 0),
    state         text        NOT NULL CHECK (state IN ('pending', 'pinned', 'unpinning', 'unpinned')),
    -- For pending: until then one process has the upload in hand.
    claimed_until timestamptz,
    pinned_at     timestamptz,
    PRIMARY KEY (cid, provider)
);
