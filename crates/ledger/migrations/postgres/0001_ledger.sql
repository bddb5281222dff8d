-- The ledgers, and what stands beside them.
-- Every key begins with the organisation, so that a database cluster can be
-- distributed by it. Key columns of text sort by bytes ("C"): no index depends
-- on the collations of an operating system.

-- The end of each ledger. Locked first by every append: it is what makes
-- positions follow the order of commits. Rewritten often, hence the free space.
CREATE TABLE heads (
    organisation uuid        NOT NULL PRIMARY KEY,
    position     bigint      NOT NULL CHECK (position >= 0),
    recorded_at  timestamptz NOT NULL
) WITH (fillfactor = 50);

-- What happened. The columns from aggregate_type to metadata are read by
-- postgres-es 0.5, which panics where their types differ. `json`, not `jsonb`:
-- it keeps the text to the letter. `leaf` is made once, before the insert.
CREATE TABLE events (
    organisation   uuid        NOT NULL,
    position       bigint      NOT NULL CHECK (position > 0),
    aggregate_type text        COLLATE "C" NOT NULL,
    aggregate_id   text        COLLATE "C" NOT NULL,
    sequence       bigint      NOT NULL CHECK (sequence > 0),
    event_id       uuid        NOT NULL,
    event_type     text        NOT NULL,
    event_version  text        NOT NULL,
    payload        json        NOT NULL,
    metadata       json        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    leaf           bytea       NOT NULL,
    PRIMARY KEY (organisation, aggregate_type, aggregate_id, sequence),
    UNIQUE (organisation, position)
);

-- Values that at most one stream may hold, by their keyed hash.
CREATE TABLE claims (
    organisation uuid  NOT NULL,
    kind         text  COLLATE "C" NOT NULL,
    digest       bytea NOT NULL,
    stream_kind  text  NOT NULL,
    stream_id    uuid  NOT NULL,
    PRIMARY KEY (organisation, kind, digest)
);

-- What each command key was used for: keyed hashes and a receipt, never a body.
CREATE TABLE commands (
    organisation uuid        NOT NULL,
    key          bytea       NOT NULL,
    body         bytea       NOT NULL,
    receipt      json        NOT NULL,
    recorded_at  timestamptz NOT NULL,
    PRIMARY KEY (organisation, key)
);

-- Wrapped data keys; destroyed ones keep their row and lose their bytes.
CREATE TABLE data_keys (
    organisation uuid   NOT NULL,
    id           uuid   NOT NULL,
    subject      uuid   NOT NULL,
    class        text   NOT NULL,
    epoch        bigint NOT NULL,
    wrapped      bytea  NOT NULL,
    destroyed_at timestamptz,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX ON data_keys (organisation, subject);

-- Small values kept beside the ledgers.
CREATE TABLE settings (
    name  text COLLATE "C" NOT NULL PRIMARY KEY,
    value text NOT NULL
);

-- No statistics on the organisation. With them, one that is newer than they
-- are counts as having no rows, every index looks as good as any other, and a
-- stream may be sought by reading its whole ledger.
ALTER TABLE events ALTER COLUMN organisation SET STATISTICS 0;
ALTER TABLE claims ALTER COLUMN organisation SET STATISTICS 0;
ALTER TABLE commands ALTER COLUMN organisation SET STATISTICS 0;
ALTER TABLE data_keys ALTER COLUMN organisation SET STATISTICS 0;
