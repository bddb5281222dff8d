-- Where the folding of rows is. The views' own tables are made as the views declare.

-- Rows at one stage of the shape of views, with the bookmark of their folding.
CREATE TABLE generations (
    organisation uuid    NOT NULL,
    number       bigint  NOT NULL CHECK (number > 0),
    fingerprint  text    NOT NULL,
    bookmark     bigint  NOT NULL CHECK (bookmark >= 0),
    active       boolean NOT NULL,
    PRIMARY KEY (organisation, number)
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX ON generations (organisation) WHERE active;

-- Rows that could not be folded and wait for somebody to retry.
CREATE TABLE parked (
    organisation uuid        NOT NULL,
    generation   bigint      NOT NULL,
    table_name   text        COLLATE "C" NOT NULL,
    id           text        COLLATE "C" NOT NULL,
    position     bigint      NOT NULL,
    reason       text        NOT NULL,
    parked_at    timestamptz NOT NULL,
    PRIMARY KEY (organisation, generation, table_name, id)
);

-- Who folds a ledger, by the database's clock.
CREATE TABLE leases (
    organisation uuid        NOT NULL PRIMARY KEY,
    holder       uuid        NOT NULL,
    expires_at   timestamptz NOT NULL
) WITH (fillfactor = 50);

-- As for the ledgers: no statistics on the organisation.
ALTER TABLE parked ALTER COLUMN organisation SET STATISTICS 0;
