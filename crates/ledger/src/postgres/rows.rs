//! Rows of views: their tables, their generations, and the one transaction
//! that moves a bookmark and writes what was folded up to it.

use std::collections::HashMap;

use lastresort_fact::{Instant, OrganisationId};
use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::{Connection as _, Executor as _, PgConnection, Postgres, Row as _};
use uuid::Uuid;

use super::ask::{quoted, row};
use super::fault::{Fault, signed, unsigned};
use super::schema::SCHEMA_LOCK;
use crate::rows::{ColumnType, Generation, Parked, Row, RowChange, RowCommit, RowId, Table};
use crate::store::StoreError;

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

const MOVE_BOOKMARK: &str = "UPDATE generations SET bookmark = $4 WHERE organisation = $1 AND number = $2 AND bookmark = $3";

const UNPARK: &str = "DELETE FROM parked AS p USING unnest($3::text[], $4::text[]) AS n (table_name, id)
WHERE p.organisation = $1 AND p.generation = $2 AND p.table_name = n.table_name AND p.id = n.id";

const STILL_PARKED: &str = "SELECT count(*) FROM parked AS p JOIN unnest($3::text[], $4::text[]) AS n (table_name, id)
ON p.table_name = n.table_name AND p.id = n.id WHERE p.organisation = $1 AND p.generation = $2";

const PARK: &str = "INSERT INTO parked (organisation, generation, table_name, id, position, reason, parked_at)
SELECT $1, $2, n.table_name, n.id, n.position, n.reason, n.parked_at
FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[]) AS n (table_name, id, position, reason, parked_at)
ON CONFLICT (organisation, generation, table_name, id)
DO UPDATE SET position = excluded.position, reason = excluded.reason, parked_at = excluded.parked_at";

/// Makes the tables that are missing, with their indexes.
pub(super) async fn prepare_tables(pool: &PgPool, tables: &[Table]) -> Result<(), StoreError> {
    let mut transaction = pool.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(SCHEMA_LOCK).execute(&mut *transaction).await?;
    for table in tables {
        let name = quoted(&table.name)?;
        let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&name).fetch_one(&mut *transaction).await?;
        if !there {
            transaction.execute(definition(table)?.as_str()).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Without statistics on the organisation, for the reason given in the first migration.
fn definition(table: &Table) -> Result<String, StoreError> {
    let name = quoted(&table.name)?;
    let (mut declared, mut indexes) = (Vec::new(), Vec::new());
    for column in table.columns {
        let column_name = quoted(column.name)?;
        let holds = match column.holds {
            ColumnType::Text | ColumnType::Words => "text COLLATE \"C\"",
            ColumnType::Integer => "bigint",
        };
        declared.push(format!("{column_name} {holds}, "));
        if column.holds != ColumnType::Words {
            indexes.push(format!("; CREATE INDEX ON {name} (organisation, generation, {column_name} NULLS FIRST, id)"));
        }
    }
    let (declared, indexes) = (declared.concat(), indexes.concat());
    Ok(format!(
        "CREATE TABLE {name} (organisation uuid NOT NULL, generation bigint NOT NULL, id text COLLATE \"C\" NOT NULL,
         position bigint NOT NULL, body text NOT NULL, {declared}PRIMARY KEY (organisation, generation, id)) WITH (fillfactor = 70){indexes};
         ALTER TABLE {name} ALTER COLUMN organisation SET STATISTICS 0"
    ))
}

/// The generations of a ledger, oldest first.
pub(super) async fn generations(connection: &mut PgConnection, organisation: OrganisationId) -> Result<Vec<Generation>, StoreError> {
    let sql = "SELECT number, fingerprint, bookmark, active FROM generations WHERE organisation = $1 ORDER BY number";
    sqlx::query(sql).bind(organisation.0).fetch_all(connection).await?.iter().map(generation).collect()
}

fn generation(row: &PgRow) -> Result<Generation, StoreError> {
    Ok(Generation { number: row.try_get(0)?, fingerprint: row.try_get(1)?, bookmark: unsigned(row.try_get(2)?)?, active: row.try_get(3)? })
}

/// Begins a generation. Where two begin one at once, the key lets one of them
/// through and the other counts again.
pub(super) async fn begin_generation(pool: &PgPool, organisation: OrganisationId, fingerprint: &str) -> Result<Generation, StoreError> {
    loop {
        let last = generations(&mut *pool.acquire().await?, organisation).await?.last().map(|last| last.number);
        let begun = Generation { number: last.unwrap_or(0) + 1, fingerprint: fingerprint.to_owned(), bookmark: 0, active: last.is_none() };
        let insert =
            sqlx::query("INSERT INTO generations (organisation, number, fingerprint, bookmark, active) VALUES ($1, $2, $3, 0, $4)");
        let insert = insert.bind(organisation.0).bind(begun.number).bind(fingerprint).bind(begun.active);
        match insert.execute(pool).await.map_err(Fault::from) {
            Ok(_) => return Ok(begun),
            Err(Fault::Twice(_)) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
}

/// Makes a generation the active one, and removes the others with their rows.
pub(super) async fn switch_generation(
    pool: &PgPool,
    organisation: OrganisationId,
    number: i64,
    tables: &[Table],
) -> Result<bool, StoreError> {
    let mut transaction = pool.begin().await?;
    let lock = "SELECT number, fingerprint, bookmark, active FROM generations WHERE organisation = $1 ORDER BY number FOR UPDATE";
    let rows = sqlx::query(lock).bind(organisation.0).fetch_all(&mut *transaction).await?;
    let all = rows.iter().map(generation).collect::<Result<Vec<_>, _>>()?;
    let chosen = all.iter().find(|generation| generation.number == number);
    let chosen = chosen.ok_or_else(|| StoreError::Corrupt(format!("{organisation} has no generation {number}")))?;
    if all.iter().any(|generation| generation.active && generation.bookmark > chosen.bookmark) {
        return Ok(false);
    }
    let delete = "DELETE FROM generations WHERE organisation = $1 AND number <> $2";
    sqlx::query(delete).bind(organisation.0).bind(number).execute(&mut *transaction).await?;
    let activate = "UPDATE generations SET active = TRUE WHERE organisation = $1 AND number = $2";
    sqlx::query(activate).bind(organisation.0).bind(number).execute(&mut *transaction).await?;
    let names = tables.iter().map(|table| quoted(&table.name)).chain([Ok("parked".to_owned())]);
    for name in names {
        let sql = format!("DELETE FROM {} WHERE organisation = $1 AND generation <> $2", name?);
        sqlx::query(&sql).bind(organisation.0).bind(number).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// Moves the bookmark and writes rows; `false` where the bookmark was elsewhere,
/// or a row that was passed over is parked no more.
pub(super) async fn commit(connection: &mut PgConnection, commit: &RowCommit) -> Result<bool, StoreError> {
    commit.changes.iter().try_for_each(RowChange::check)?;
    let mut tables: HashMap<&Table, Vec<&RowChange>> = HashMap::new();
    for change in &commit.changes {
        tables.entry(&change.table).or_default().push(change);
    }
    let plain = commit.skipped.is_empty() && commit.parked.is_empty() && commit.unparked.is_empty();
    let all_stay = commit.changes.iter().all(|change| change.body.is_some());
    if let (true, 1, Some((table, changes))) = (plain && all_stay, tables.len(), tables.iter().next()) {
        return commit_at_once(connection, commit, table, changes).await;
    }
    let mut transaction = connection.begin_with(BEGIN).await?;
    let place = (commit.organisation.0, commit.generation);
    let bookmark = sqlx::query(MOVE_BOOKMARK).bind(place.0).bind(place.1).bind(signed(commit.from)).bind(signed(commit.to));
    if bookmark.execute(&mut *transaction).await?.rows_affected() != 1 {
        return Ok(false);
    }
    // In a statement of its own: the lock that was just waited for may have shown more.
    if !commit.skipped.is_empty() {
        let (names, ids) = columns(&commit.skipped);
        let parked: i64 =
            sqlx::query_scalar(STILL_PARKED).bind(place.0).bind(place.1).bind(names).bind(ids).fetch_one(&mut *transaction).await?;
        if unsigned(parked)? != commit.skipped.len() as u64 {
            return Ok(false);
        }
    }
    for (table, changes) in tables {
        write(&mut transaction, place, table, &changes).await?;
    }
    if !commit.parked.is_empty() {
        exactly(&mut transaction, park(place, &commit.parked), commit.parked.len()).await?;
    }
    if !commit.unparked.is_empty() {
        let (names, ids) = columns(&commit.unparked);
        sqlx::query(UNPARK).bind(place.0).bind(place.1).bind(names).bind(ids).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// The usual commit, in one statement: rows of one table, none of them gone or parked.
async fn commit_at_once(
    connection: &mut PgConnection,
    commit: &RowCommit,
    table: &Table,
    changes: &[&RowChange],
) -> Result<bool, StoreError> {
    let (from, to) = (table.columns.len() + 6, table.columns.len() + 7);
    let sql = format!(
        "WITH moved AS (UPDATE generations SET bookmark = ${to} WHERE organisation = $1 AND number = $2 AND bookmark = ${from} RETURNING 1)
         {}",
        upsert(table, ", moved")?
    );
    let query = bind_rows(sqlx::query(&sql).bind(commit.organisation.0).bind(commit.generation), table, changes);
    let touched = query.bind(signed(commit.from)).bind(signed(commit.to)).execute(connection).await?.rows_affected();
    match touched {
        0 => Ok(false),
        _ if touched == changes.len() as u64 => Ok(true),
        _ => Err(miscounted(touched, changes.len())),
    }
}

/// Writes and removes the rows of one table.
async fn write(connection: &mut PgConnection, place: (Uuid, i64), table: &Table, changes: &[&RowChange]) -> Result<(), StoreError> {
    let (stay, go): (Vec<&RowChange>, Vec<&RowChange>) = changes.iter().partition(|change| change.body.is_some());
    if !go.is_empty() {
        let sql = format!("DELETE FROM {} WHERE organisation = $1 AND generation = $2 AND id = ANY($3)", quoted(&table.name)?);
        let ids: Vec<&str> = go.iter().map(|change| change.id.as_str()).collect();
        sqlx::query(&sql).bind(place.0).bind(place.1).bind(ids).execute(&mut *connection).await?;
    }
    if stay.is_empty() {
        return Ok(());
    }
    let sql = upsert(table, "")?;
    exactly(connection, bind_rows(sqlx::query(&sql).bind(place.0).bind(place.1), table, &stay), stay.len()).await
}

/// Binds rows as arrays, column by column, as [`upsert`] numbers them.
fn bind_rows<'q>(query: Query<'q, Postgres, PgArguments>, table: &Table, changes: &[&'q RowChange]) -> Query<'q, Postgres, PgArguments> {
    let (mut ids, mut positions, mut bodies, mut cells) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        if let Some((body, row)) = &change.body {
            ids.push(change.id.as_str());
            positions.push(signed(change.position));
            bodies.push(body.as_str());
            cells.push(row.as_slice());
        }
    }
    let mut query = query.bind(ids).bind(positions).bind(bodies);
    for (nth, column) in table.columns.iter().enumerate() {
        query = match column.holds {
            ColumnType::Text | ColumnType::Words => query.bind(cells.iter().map(|row| row[nth].text()).collect::<Vec<_>>()),
            ColumnType::Integer => query.bind(cells.iter().map(|row| row[nth].integer()).collect::<Vec<_>>()),
        };
    }
    query
}

fn columns(rows: &[(String, RowId)]) -> (Vec<&str>, Vec<&str>) {
    rows.iter().map(|(table, id)| (table.as_str(), id.as_str())).unzip()
}

/// Rows of one table, written or overwritten, `with` whatever else the statement reads.
fn upsert(table: &Table, with: &str) -> Result<String, StoreError> {
    let name = quoted(&table.name)?;
    let (mut columns, mut arrays, mut updates) = (Vec::new(), Vec::new(), Vec::new());
    for (nth, column) in table.columns.iter().enumerate() {
        let column_name = quoted(column.name)?;
        let holds = match column.holds {
            ColumnType::Text | ColumnType::Words => "text",
            ColumnType::Integer => "bigint",
        };
        columns.push(format!(", {column_name}"));
        arrays.push(format!(", ${}::{holds}[]", nth + 6));
        updates.push(format!(", {column_name} = excluded.{column_name}"));
    }
    let (columns, arrays, updates) = (columns.concat(), arrays.concat(), updates.concat());
    Ok(format!(
        "INSERT INTO {name} (organisation, generation, id, position, body{columns})
         SELECT $1, $2, n.* FROM unnest($3::text[], $4::bigint[], $5::text[]{arrays}) AS n{with}
         ON CONFLICT (organisation, generation, id) DO UPDATE SET position = excluded.position, body = excluded.body{updates}"
    ))
}

fn park(place: (Uuid, i64), parked: &[Parked]) -> Query<'_, Postgres, PgArguments> {
    sqlx::query(PARK)
        .bind(place.0)
        .bind(place.1)
        .bind(parked.iter().map(|row| row.table.as_str()).collect::<Vec<_>>())
        .bind(parked.iter().map(|row| row.id.as_str()).collect::<Vec<_>>())
        .bind(parked.iter().map(|row| signed(row.position)).collect::<Vec<_>>())
        .bind(parked.iter().map(|row| row.reason.as_str()).collect::<Vec<_>>())
        .bind(parked.iter().map(|row| row.parked_at.utc()).collect::<Vec<_>>())
}

async fn exactly(connection: &mut PgConnection, write: Query<'_, Postgres, PgArguments>, meant: usize) -> Result<(), StoreError> {
    let touched = write.execute(connection).await?.rows_affected();
    if touched == meant as u64 {
        return Ok(());
    }
    Err(miscounted(touched, meant))
}

fn miscounted(touched: u64, meant: usize) -> StoreError {
    StoreError::Unavailable(format!("{touched} rows were written where {meant} were meant"))
}

/// Rows by id, in the order asked; sought as the reads under the lock are.
pub(super) async fn by_id(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    generation: i64,
    table: &Table,
    ids: &[RowId],
) -> Result<Vec<Row>, StoreError> {
    let sql = format!(
        "SELECT r.id, r.position, r.body FROM unnest((SELECT $3::text[])) WITH ORDINALITY AS n (id, nth)
         CROSS JOIN LATERAL (SELECT * FROM {} WHERE organisation = $1 AND generation = $2 AND id = n.id LIMIT 1) AS r ORDER BY n.nth",
        quoted(&table.name)?
    );
    sqlx::query(&sql).bind(organisation.0).bind(generation).bind(ids).fetch_all(connection).await?.iter().map(row).collect()
}

/// The parked rows of a generation.
pub(super) async fn parked(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    generation: i64,
) -> Result<Vec<Parked>, StoreError> {
    let sql = "SELECT table_name, id, position, reason, parked_at FROM parked
        WHERE organisation = $1 AND generation = $2 ORDER BY table_name, id";
    let rows = sqlx::query(sql).bind(organisation.0).bind(generation).fetch_all(connection).await?;
    let parked = |row: &PgRow| {
        Ok(Parked {
            table: row.try_get(0)?,
            id: row.try_get(1)?,
            position: unsigned(row.try_get(2)?)?,
            reason: row.try_get(3)?,
            parked_at: Instant::from(row.try_get::<chrono::DateTime<chrono::Utc>, _>(4)?),
        })
    };
    rows.iter().map(parked).collect()
}

/// Takes or renews the right to fold a ledger. The time is read first and given
/// back as a parameter: a database cluster takes no clock inside an upsert.
pub(super) async fn lease(pool: &PgPool, organisation: OrganisationId, holder: Uuid, milliseconds: u32) -> Result<bool, StoreError> {
    let now: chrono::DateTime<chrono::Utc> = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(pool).await?;
    let until = now + chrono::TimeDelta::milliseconds(i64::from(milliseconds));
    let sql = "INSERT INTO leases AS held (organisation, holder, expires_at) VALUES ($1, $2, $3)
        ON CONFLICT (organisation) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
        WHERE held.holder = excluded.holder OR held.expires_at <= $4";
    let taken = sqlx::query(sql).bind(organisation.0).bind(holder).bind(until).bind(now).execute(pool).await?;
    Ok(taken.rows_affected() == 1)
}
