//! One transaction of appends to one ledger: lock the head, read under the
//! lock, decide ([`sequence`]), write what was decided, move the head, commit.
//!
//! The reads come in statements *after* the one that locks: under READ
//! COMMITTED a statement that waits for a lock still sees the rest of the
//! database as it was before it waited. Every write says how many rows it
//! touched, and that number is compared with what was meant.

use lastresort_fact::{Instant, KeyId, OrganisationId};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Executor as _, PgConnection, Postgres, Row as _};
use uuid::Uuid;

use super::event::{EventColumns, aggregate_id};
use super::fault::{Fault, signed, unsigned};
use super::read;
use crate::append::{Append, ClaimName, Digest, Head, Outcome, StoredCommand, StreamRef};
use crate::sequence::{Known, Names, Sequenced, names, sequence};
use crate::store::StoreError;

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

const LOCK_HEAD: &str = "SELECT position, recorded_at FROM heads WHERE organisation = $1 FOR UPDATE";

// Everything that must be known, in one statement: versions, claims, commands
// and data keys, told apart by the first column.
//
// Each is sought name by name through the whole of its key: a join or an `= ANY`
// is, while the table is small, served by reading all that the organisation has,
// and the plan stays when the table has grown. A version is at the end of the
// primary key, however long the stream. The arrays stand in a SELECT of their
// own: were their lengths seen, a plan made for short ones would look cheaper
// than the general one, and be made anew each time.
const KNOW: &str = "SELECT 'v', s.nth, (SELECT max(sequence) FROM events AS e
    WHERE e.organisation = $1 AND e.aggregate_type = s.kind AND e.aggregate_id = s.id),
    NULL::bytea, NULL::bytea, NULL::text, NULL::text, NULL::uuid
FROM unnest((SELECT $2::text[]), (SELECT $3::text[])) WITH ORDINALITY AS s (kind, id, nth)
UNION ALL
SELECT 'h', NULL, NULL, c.digest, NULL, c.kind, c.stream_kind, c.stream_id
FROM unnest((SELECT $4::text[]), (SELECT $5::bytea[])) AS n (kind, digest)
CROSS JOIN LATERAL (SELECT * FROM claims WHERE organisation = $1 AND kind = n.kind AND digest = n.digest LIMIT 1) AS c
UNION ALL
SELECT 'c', NULL, NULL, c.key, c.body, NULL, c.receipt::text, NULL
FROM unnest((SELECT $6::bytea[])) AS n (key)
CROSS JOIN LATERAL (SELECT * FROM commands WHERE organisation = $1 AND key = n.key LIMIT 1) AS c
UNION ALL
SELECT 'k', NULL, NULL, NULL, NULL, NULL, NULL, k.id
FROM unnest((SELECT $7::uuid[])) AS n (id)
CROSS JOIN LATERAL (SELECT * FROM data_keys WHERE organisation = $1 AND id = n.id LIMIT 1) AS k
WHERE k.destroyed_at IS NULL";

const OPEN_HEAD: &str = "INSERT INTO heads (organisation, position, recorded_at) VALUES ($1, 0, $2)";

// What every batch writes, in one statement, which says of each part how many
// rows it touched. The arrays come before the head's columns, so that both
// parts number theirs alike.
const WRITE: &str = "WITH moved AS (
    UPDATE heads SET position = $18, recorded_at = $19 WHERE organisation = $1 AND position = $17 RETURNING 1
), written AS (
    INSERT INTO events (organisation, position, aggregate_type, aggregate_id, sequence,
        event_id, event_type, event_version, payload, metadata, recorded_at, leaf)
    SELECT $1, e.position, e.kind, e.id, e.sequence, e.event_id, e.event_type, e.event_version,
        e.payload::json, e.metadata::json, e.recorded_at, e.leaf
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::text[], $8::text[],
        $9::text[], $10::text[], $11::timestamptz[], $12::bytea[])
    AS e (position, kind, id, sequence, event_id, event_type, event_version, payload, metadata, recorded_at, leaf)
    RETURNING 1
), done AS (
    INSERT INTO commands (organisation, key, body, receipt, recorded_at)
    SELECT $1, c.key, c.body, c.receipt::json, c.recorded_at
    FROM unnest($13::bytea[], $14::bytea[], $15::text[], $16::timestamptz[]) AS c (key, body, receipt, recorded_at)
    RETURNING 1
)
SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM written), (SELECT count(*) FROM done)";

const DELETE_CLAIMS: &str = "DELETE FROM claims AS c USING unnest($2::text[], $3::bytea[]) AS n (kind, digest)
WHERE c.organisation = $1 AND c.kind = n.kind AND c.digest = n.digest";

const INSERT_CLAIMS: &str = "INSERT INTO claims (organisation, kind, digest, stream_kind, stream_id)
SELECT $1, c.kind, c.digest, c.stream_kind, c.stream_id
FROM unnest($2::text[], $3::bytea[], $4::text[], $5::uuid[]) AS c (kind, digest, stream_kind, stream_id)";

const INSERT_KEYS: &str = "INSERT INTO data_keys (organisation, id, subject, class, epoch, wrapped, destroyed_at)
SELECT $1, k.id, k.subject, k.class, k.epoch, k.wrapped, k.destroyed_at
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bytea[], $7::timestamptz[])
AS k (id, subject, class, epoch, wrapped, destroyed_at)";

/// Why a batch was not committed; only after [`Failure::Unknown`] may it have been.
#[derive(Debug)]
pub(super) enum Failure {
    /// Somebody else was there between our statements; the same again may well do.
    Raced(String),
    /// The connection was lost before COMMIT was sent.
    Lost(String),
    /// COMMIT was sent and not answered.
    Unknown(String),
    /// One of the commands holds what the database does not take.
    Data(String),
    /// It cannot be done now.
    Store(StoreError),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Lost(why) => Self::Lost(why),
            Fault::Twice(why) | Fault::Data(why) => Self::Data(why),
            Fault::Busy(_) | Fault::Corrupt(_) => Self::Store(fault.into()),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Fault::from(error).into()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a batch came to, short of COMMIT.
pub(super) struct Prepared {
    /// One outcome per append, in order.
    pub(super) outcomes: Vec<Outcome>,
    /// The head as it becomes; `None` where nothing was written.
    pub(super) head: Option<Head>,
}

/// Everything but COMMIT.
pub(super) async fn prepare(connection: &mut PgConnection, organisation: OrganisationId, batch: &[&Append]) -> Result<Prepared, Failure> {
    connection.execute(BEGIN).await?;
    let head = lock_head(connection, organisation).await?;
    let known = Known { head, ..know(connection, organisation, &names(batch)).await? };
    let done = sequence(batch, known);
    let writes = !done.is_empty();
    if writes {
        write(connection, organisation, &done).await?;
    }
    Ok(Prepared { outcomes: done.outcomes, head: writes.then_some(done.to) })
}

/// Ends what [`prepare`] began: with COMMIT where it wrote, with ROLLBACK where not.
pub(super) async fn finish(connection: &mut PgConnection, prepared: &Prepared) -> Result<(), Failure> {
    let end = if prepared.head.is_some() { "COMMIT" } else { "ROLLBACK" };
    match connection.execute(end).await {
        Ok(_) => Ok(()),
        Err(error) if prepared.head.is_some() => Err(Failure::Unknown(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

async fn lock_head(connection: &mut PgConnection, organisation: OrganisationId) -> Result<Option<Head>, Failure> {
    let row = sqlx::query(LOCK_HEAD).bind(organisation.0).fetch_optional(connection).await?;
    Ok(row.map(|row| read::head(&row)).transpose()?)
}

/// What is to be known before deciding; nobody else can change it while we hold the head.
async fn know(connection: &mut PgConnection, organisation: OrganisationId, names: &Names) -> Result<Known, Failure> {
    let streams: Vec<&StreamRef> = names.streams.iter().collect();
    let (claim_kinds, claim_digests) = columns(names.claims.iter());
    let query = sqlx::query(KNOW)
        .bind(organisation.0)
        .bind(streams.iter().map(|stream| stream.kind.as_str()).collect::<Vec<_>>())
        .bind(streams.iter().map(|stream| aggregate_id(organisation, stream.id)).collect::<Vec<_>>())
        .bind(claim_kinds)
        .bind(claim_digests)
        .bind(names.commands.iter().copied().collect::<Vec<Digest>>())
        .bind(names.keys.iter().map(|key| key.0).collect::<Vec<Uuid>>());
    let mut known = Known::default();
    for row in query.fetch_all(connection).await? {
        match row.try_get::<&str, _>(0)? {
            "v" => {
                let nth = usize::try_from(row.try_get::<i64, _>(1)?).unwrap_or(0).saturating_sub(1);
                if let (Some(stream), Some(version)) = (streams.get(nth), row.try_get::<Option<i64>, _>(2)?) {
                    known.versions.insert((*stream).clone(), unsigned(version)?);
                }
            }
            "h" => {
                let name = ClaimName { kind: row.try_get(5)?, digest: row.try_get(3)? };
                known.claims.insert(name, StreamRef { kind: row.try_get(6)?, id: row.try_get(7)? });
            }
            "c" => {
                let receipt = read::receipt(row.try_get(6)?)?;
                known.commands.insert(row.try_get(3)?, StoredCommand { body: row.try_get(4)?, receipt });
            }
            _ => {
                known.alive.insert(KeyId(row.try_get(7)?));
            }
        }
    }
    Ok(known)
}

async fn write(connection: &mut PgConnection, organisation: OrganisationId, done: &Sequenced) -> Result<(), Failure> {
    if done.opens {
        open_head(connection, organisation, done).await?;
    }
    write_events(connection, organisation, done).await?;
    if !done.releases.is_empty() {
        let (kinds, digests) = columns(done.releases.iter());
        let releases = sqlx::query(DELETE_CLAIMS).bind(organisation.0).bind(kinds).bind(digests);
        exactly(connection, releases, done.releases.len()).await?;
    }
    if !done.claims.is_empty() {
        let (kinds, digests) = columns(done.claims.iter().map(|claim| &claim.name));
        let holders: Vec<&str> = done.claims.iter().map(|claim| claim.stream.kind.as_str()).collect();
        let ids: Vec<Uuid> = done.claims.iter().map(|claim| claim.stream.id).collect();
        let claims = sqlx::query(INSERT_CLAIMS).bind(organisation.0).bind(kinds).bind(digests).bind(holders).bind(ids);
        exactly(connection, claims, done.claims.len()).await?;
    }
    if !done.new_keys.is_empty() {
        exactly(connection, insert_keys(organisation, done), done.new_keys.len()).await?;
    }
    Ok(())
}

/// First of the writes: where two open one ledger at once, the second waits
/// here for the first and then begins again.
async fn open_head(connection: &mut PgConnection, organisation: OrganisationId, done: &Sequenced) -> Result<(), Failure> {
    let opened = sqlx::query(OPEN_HEAD).bind(organisation.0).bind(done.to.recorded_at.utc()).execute(connection).await;
    opened.map(drop).map_err(raced)
}

/// The events and what their commands came to, and the head that moves.
async fn write_events(connection: &mut PgConnection, organisation: OrganisationId, done: &Sequenced) -> Result<(), Failure> {
    let query = EventColumns::of(organisation, &done.events).bind(sqlx::query(WRITE).bind(organisation.0));
    let query = bind_commands(query, &done.commands)?;
    let query = query.bind(signed(done.from.position)).bind(signed(done.to.position)).bind(done.to.recorded_at.utc());
    let row = query.fetch_one(connection).await.map_err(raced)?;
    let touched = [unsigned(row.try_get(0)?)?, unsigned(row.try_get(1)?)?, unsigned(row.try_get(2)?)?];
    let meant = [1, done.events.len() as u64, done.commands.len() as u64];
    if touched == meant {
        return Ok(());
    }
    Err(Failure::Raced(format!("head, events and commands: {touched:?} rows were written where {meant:?} were meant")))
}

/// Under the head's lock no key is there twice, unless somebody wrote without it.
fn raced(error: sqlx::Error) -> Failure {
    let fault = Fault::from(error);
    if let Fault::Twice(why) = fault { Failure::Raced(why) } else { fault.into() }
}

fn insert_keys(organisation: OrganisationId, done: &Sequenced) -> Query<'static, Postgres, PgArguments> {
    let keys = &done.new_keys;
    sqlx::query(INSERT_KEYS)
        .bind(organisation.0)
        .bind(keys.iter().map(|key| key.id.0).collect::<Vec<Uuid>>())
        .bind(keys.iter().map(|key| key.subject.0).collect::<Vec<Uuid>>())
        .bind(keys.iter().map(|key| key.class.name()).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| i64::from(key.epoch)).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.wrapped.clone()).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.destroyed_at.map(Instant::utc)).collect::<Vec<_>>())
}

fn bind_commands<'q>(
    query: Query<'q, Postgres, PgArguments>,
    commands: &[(Digest, StoredCommand)],
) -> Result<Query<'q, Postgres, PgArguments>, Failure> {
    let json = |receipt| serde_json::to_string(receipt).map_err(|error| Failure::Data(error.to_string()));
    let receipts: Vec<String> = commands.iter().map(|(_, command)| json(&command.receipt)).collect::<Result<_, _>>()?;
    Ok(query
        .bind(commands.iter().map(|(key, _)| *key).collect::<Vec<Digest>>())
        .bind(commands.iter().map(|(_, command)| command.body).collect::<Vec<Digest>>())
        .bind(receipts)
        .bind(commands.iter().map(|(_, command)| command.receipt.recorded_at.utc()).collect::<Vec<_>>()))
}

fn columns<'a>(names: impl Iterator<Item = &'a ClaimName>) -> (Vec<&'a str>, Vec<Digest>) {
    names.map(|name| (name.kind.as_str(), name.digest)).unzip()
}

/// Runs a write, and takes any other number of rows than was meant for a race lost.
async fn exactly(connection: &mut PgConnection, write: Query<'_, Postgres, PgArguments>, meant: usize) -> Result<(), Failure> {
    let touched = write.execute(connection).await?.rows_affected();
    if touched == meant as u64 {
        return Ok(());
    }
    Err(Failure::Raced(format!("{touched} rows were written where {meant} were meant")))
}
