//! Read models in `views.db`. Commits are not synced: whatever a power cut
//! takes is folded again from the ledger.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use lastresort_fact::{Instant, OrganisationId};
use rusqlite::{Connection, OptionalExtension as _, ToSql, params, params_from_iter};
use tokio::task::spawn_blocking;

use super::ask::{column_name, question};
use super::checkpoints::Checkpoints;
use super::columns::{signed, unsigned};
use super::connections::Connections;
use super::{FEW, READERS, VIEWS, fault, prepare};
use crate::rows::{Ask, ColumnType, Generation, Parked, Row, RowChange, RowCommit, RowId, Table};
use crate::store::StoreError;

#[derive(Debug)]
pub(super) struct Rows {
    checkpoints: Checkpoints,
    writing: Arc<Mutex<Connection>>,
    readers: Connections,
}

impl Rows {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut writing = Connection::open(path).map_err(fault)?;
        prepare(&mut writing, VIEWS, "NORMAL")?;
        let checkpoints = Checkpoints::start(path)?;
        Ok(Self { checkpoints, writing: Arc::new(Mutex::new(writing)), readers: Connections::new(path.to_owned(), READERS) })
    }

    async fn write<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        let writing = Arc::clone(&self.writing);
        spawn_blocking(move || job(&mut writing.lock().unwrap_or_else(PoisonError::into_inner)))
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
            .map_err(fault)
    }

    pub(super) async fn prepare_tables(&self, tables: Vec<Table>) -> Result<(), StoreError> {
        self.write(move |connection| connection.execute_batch(&tables.iter().map(definition).collect::<String>())).await
    }

    pub(super) async fn generations(&self, organisation: OrganisationId) -> Result<Vec<Generation>, StoreError> {
        self.readers
            .at_once(|connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT number, fingerprint, bookmark, active FROM generations WHERE organisation = ? ORDER BY number",
                )?;
                statement.query_map([organisation.0.as_bytes()], generation)?.collect()
            })
            .await
    }

    pub(super) async fn begin_generation(&self, organisation: OrganisationId, fingerprint: String) -> Result<Generation, StoreError> {
        self.write(move |connection| {
            connection.query_row(
                "INSERT INTO generations (organisation, number, fingerprint, bookmark, active)
                 SELECT ?1, coalesce(max(number), 0) + 1, ?2, 0, count(*) = 0 FROM generations WHERE organisation = ?1
                 RETURNING number, fingerprint, bookmark, active",
                params![organisation.0.as_bytes(), fingerprint],
                generation,
            )
        })
        .await
    }

    pub(super) async fn switch_generation(
        &self,
        organisation: OrganisationId,
        number: i64,
        tables: Vec<Table>,
    ) -> Result<bool, StoreError> {
        let switched = self.write(move |connection| {
            let transaction = connection.transaction()?;
            let org = organisation.0.as_bytes();
            let behind = transaction
                .query_row(
                    "SELECT (SELECT max(bookmark) FROM generations WHERE organisation = ?1 AND active) > bookmark
                     FROM generations WHERE organisation = ?1 AND number = ?2",
                    params![org, number],
                    |row| row.get::<_, Option<bool>>(0),
                )
                .optional()?;
            match behind {
                None => return Ok(None),
                Some(Some(true)) => return Ok(Some(false)),
                Some(Some(false) | None) => {}
            }
            transaction.execute("DELETE FROM generations WHERE organisation = ? AND number <> ?", params![org, number])?;
            transaction.execute("UPDATE generations SET active = 1 WHERE organisation = ? AND number = ?", params![org, number])?;
            transaction.execute("DELETE FROM parked WHERE organisation = ? AND generation <> ?", params![org, number])?;
            for table in tables {
                let sql = format!("DELETE FROM {} WHERE organisation = ? AND generation <> ?", table.name);
                transaction.execute(&sql, params![org, number])?;
            }
            transaction.commit()?;
            Ok(Some(true))
        });
        switched.await?.ok_or_else(|| StoreError::Corrupt(format!("{organisation} has no generation {number}")))
    }

    /// A few rows are written right here, where nobody else is writing.
    pub(super) async fn commit(&self, commit: RowCommit) -> Result<bool, StoreError> {
        commit.changes.iter().try_for_each(RowChange::check)?;
        if commit.changes.len() <= FEW as usize
            && let Ok(mut connection) = self.writing.try_lock()
        {
            let moved = write_commit(&mut connection, &commit).map_err(fault)?;
            self.checkpoints.due();
            return Ok(moved);
        }
        let moved = self.write(move |connection| write_commit(connection, &commit)).await?;
        self.checkpoints.due();
        Ok(moved)
    }

    pub(super) async fn by_id(
        &self,
        organisation: OrganisationId,
        generation: i64,
        table: Table,
        ids: Vec<RowId>,
    ) -> Result<Vec<Row>, StoreError> {
        self.readers
            .at_once(|connection| {
                let sql = format!("SELECT id, position, body FROM {} WHERE organisation = ? AND generation = ? AND id = ?", table.name);
                let mut statement = connection.prepare_cached(&sql)?;
                let mut found = Vec::with_capacity(ids.len());
                for id in ids {
                    found.extend(statement.query_row(params![organisation.0.as_bytes(), generation, id], row).optional()?);
                }
                Ok(found)
            })
            .await
    }

    pub(super) async fn ask(&self, ask: Ask) -> Result<Vec<Row>, StoreError> {
        ask.check()?;
        self.readers
            .with(move |connection| {
                let (sql, values) = question(&ask);
                connection.prepare_cached(&sql)?.query_map(params_from_iter(values), row)?.collect()
            })
            .await
    }

    pub(super) async fn parked(&self, organisation: OrganisationId, generation: i64) -> Result<Vec<Parked>, StoreError> {
        self.readers
            .at_once(|connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT view, id, position, reason, parked_at FROM parked WHERE organisation = ? AND generation = ? ORDER BY view, id",
                )?;
                let parked = |row: &rusqlite::Row<'_>| {
                    Ok(Parked {
                        table: row.get(0)?,
                        id: row.get(1)?,
                        position: unsigned(row.get(2)?),
                        reason: row.get(3)?,
                        parked_at: Instant::from_micros(row.get(4)?),
                    })
                };
                statement.query_map(params![organisation.0.as_bytes(), generation], parked)?.collect()
            })
            .await
    }
}

fn generation(row: &rusqlite::Row<'_>) -> rusqlite::Result<Generation> {
    Ok(Generation { number: row.get(0)?, fingerprint: row.get(1)?, bookmark: unsigned(row.get(2)?), active: row.get(3)? })
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row { id: row.get(0)?, position: unsigned(row.get(1)?), body: row.get(2)? })
}

/// The SQL that makes a view's table, where it is missing.
fn definition(table: &Table) -> String {
    let name = &table.name;
    let mut sql = format!(
        "CREATE TABLE IF NOT EXISTS {name} (organisation BLOB NOT NULL, generation INTEGER NOT NULL, id TEXT NOT NULL,
         position INTEGER NOT NULL, body TEXT NOT NULL"
    );
    for column in table.columns {
        let holds = match column.holds {
            ColumnType::Text | ColumnType::Words => "TEXT",
            ColumnType::Integer => "INTEGER",
        };
        write!(sql, ", {} {holds}", column_name(column.name)).expect("writing to a String cannot fail");
    }
    sql.push_str(", PRIMARY KEY (organisation, generation, id)) WITHOUT ROWID;\n");
    for column in table.columns.iter().filter(|column| column.holds != ColumnType::Words) {
        let (plain, quoted) = (column.name, column_name(column.name));
        writeln!(sql, "CREATE INDEX IF NOT EXISTS {name}_{plain} ON {name} (organisation, generation, {quoted}, id);")
            .expect("writing to a String cannot fail");
    }
    sql
}

/// Moves the bookmark, and writes what was folded up to it.
fn write_commit(connection: &mut Connection, commit: &RowCommit) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    let org = commit.organisation.0.as_bytes();
    let moved = transaction
        .prepare_cached("UPDATE generations SET bookmark = ? WHERE organisation = ? AND number = ? AND bookmark = ?")?
        .execute(params![signed(commit.to), org, commit.generation, signed(commit.from)])?;
    if moved != 1 || !still_parked(&transaction, commit)? {
        return Ok(false);
    }
    write_changes(&transaction, commit)?;
    transaction.commit()?;
    Ok(true)
}

/// Whether every row that was passed over is parked yet.
fn still_parked(transaction: &rusqlite::Transaction<'_>, commit: &RowCommit) -> rusqlite::Result<bool> {
    let org = commit.organisation.0.as_bytes();
    let mut parked =
        transaction.prepare_cached("SELECT 1 FROM parked WHERE organisation = ? AND generation = ? AND view = ? AND id = ?")?;
    for (table, id) in &commit.skipped {
        if !parked.exists(params![org, commit.generation, table, id])? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn write_changes(transaction: &rusqlite::Transaction<'_>, commit: &RowCommit) -> rusqlite::Result<()> {
    let org = commit.organisation.0.as_bytes();
    for change in &commit.changes {
        let table = &change.table.name;
        let Some((body, cells)) = &change.body else {
            let sql = format!("DELETE FROM {table} WHERE organisation = ? AND generation = ? AND id = ?");
            transaction.prepare_cached(&sql)?.execute(params![org, commit.generation, change.id])?;
            continue;
        };
        let position = signed(change.position);
        let fixed: [&dyn ToSql; 5] = [&position, body, org, &commit.generation, &change.id];
        let values = || fixed.into_iter().chain(cells.iter().map(|cell| cell as &dyn ToSql));
        let names: Vec<String> = change.table.columns.iter().map(|column| column_name(column.name)).collect();
        // Most changes leave the declared columns as they were: then no index is touched.
        let same: String = names.iter().flat_map(|name| [" AND ", name, " IS ?"]).collect();
        let update = format!("UPDATE {table} SET position = ?, body = ? WHERE organisation = ? AND generation = ? AND id = ?{same}");
        if transaction.prepare_cached(&update)?.execute(params_from_iter(values()))? == 0 {
            let columns: String = names.iter().flat_map(|name| [", ", name]).collect();
            let marks = ", ?".repeat(names.len());
            let replace = format!(
                "INSERT OR REPLACE INTO {table} (position, body, organisation, generation, id{columns}) VALUES (?, ?, ?, ?, ?{marks})"
            );
            transaction.prepare_cached(&replace)?.execute(params_from_iter(values()))?;
        }
    }
    let mut park = transaction.prepare_cached(
        "INSERT OR REPLACE INTO parked (organisation, generation, view, id, position, reason, parked_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    for parked in &commit.parked {
        let position = signed(parked.position);
        park.execute(params![org, commit.generation, parked.table, parked.id, position, parked.reason, parked.parked_at.micros()])?;
    }
    let mut unpark = transaction.prepare_cached("DELETE FROM parked WHERE organisation = ? AND generation = ? AND view = ? AND id = ?")?;
    for (table, id) in &commit.unparked {
        unpark.execute(params![org, commit.generation, table, id])?;
    }
    Ok(())
}
