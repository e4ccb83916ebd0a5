-- What happened to each operation, in order: what an incident report is made of. Rows are added and never changed.
CREATE TABLE operation_events (
    -- No foreign key: a row is written by the statement that writes the operation's own row, and a lookup for each
    -- would cost as much as the insert.
    operation_id uuid        NOT NULL,
    id           bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    kind         text        NOT NULL,
    version      bigint      NOT NULL,
    from_state   text,
    to_state     text,
    at           timestamptz NOT NULL DEFAULT now(),
    detail       jsonb       NOT NULL DEFAULT '{}',
    PRIMARY KEY (operation_id, id)
);

-- "What happened between … and …": append-only rows lie in the order of time.
CREATE INDEX operation_events_at ON operation_events USING brin (at);

CREATE FUNCTION refuse_rewriting_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: no %', TG_TABLE_NAME, TG_OP;
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON operation_events
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();
