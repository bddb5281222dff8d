-- Read models, in a file of their own: they can be folded again, so their
-- commits need no sync. The views' own tables are made as the views declare.
CREATE TABLE generations (
  organisation BLOB NOT NULL,
  number       INTEGER NOT NULL,
  fingerprint  TEXT NOT NULL,
  bookmark     INTEGER NOT NULL,
  active       INTEGER NOT NULL,
  PRIMARY KEY (organisation, number)
) WITHOUT ROWID;

CREATE TABLE parked (
  organisation BLOB NOT NULL,
  generation   INTEGER NOT NULL,
  view         TEXT NOT NULL,
  id           TEXT NOT NULL,
  position     INTEGER NOT NULL,
  reason       TEXT NOT NULL,
  parked_at    INTEGER NOT NULL,
  PRIMARY KEY (organisation, generation, view, id)
) WITHOUT ROWID;
