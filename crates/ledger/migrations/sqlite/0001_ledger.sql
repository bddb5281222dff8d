-- The ledgers: events, and what an append must check under the lock.
-- Ids are the 16 bytes of a UUID; instants are microseconds since 1970.
CREATE TABLE heads (
  organisation BLOB PRIMARY KEY,
  position     INTEGER NOT NULL CHECK (position >= 0),
  recorded_at  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE events (
  organisation   BLOB NOT NULL,
  position       INTEGER NOT NULL CHECK (position > 0),
  aggregate_type TEXT NOT NULL,
  aggregate_id   BLOB NOT NULL,
  sequence       INTEGER NOT NULL CHECK (sequence > 0),
  event_id       BLOB NOT NULL,
  event_type     TEXT NOT NULL,
  event_version  TEXT NOT NULL,
  payload        TEXT NOT NULL,
  metadata       TEXT NOT NULL,
  recorded_at    INTEGER NOT NULL,
  leaf           BLOB NOT NULL,
  UNIQUE (organisation, position),
  UNIQUE (organisation, aggregate_type, aggregate_id, sequence)
);

CREATE TABLE claims (
  organisation   BLOB NOT NULL,
  kind           TEXT NOT NULL,
  digest         BLOB NOT NULL,
  aggregate_type TEXT NOT NULL,
  aggregate_id   BLOB NOT NULL,
  PRIMARY KEY (organisation, kind, digest)
) WITHOUT ROWID;

CREATE TABLE commands (
  organisation BLOB NOT NULL,
  key          BLOB NOT NULL,
  body         BLOB NOT NULL,
  receipt      TEXT NOT NULL,
  recorded_at  INTEGER NOT NULL,
  PRIMARY KEY (organisation, key)
) WITHOUT ROWID;

CREATE TABLE data_keys (
  organisation BLOB NOT NULL,
  id           BLOB NOT NULL,
  subject      BLOB NOT NULL,
  class        TEXT NOT NULL,
  epoch        INTEGER NOT NULL,
  wrapped      BLOB NOT NULL,
  destroyed_at INTEGER,
  PRIMARY KEY (organisation, id)
) WITHOUT ROWID;
CREATE INDEX data_keys_by_subject ON data_keys (organisation, subject, class);

CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
