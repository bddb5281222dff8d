//! The store that needs nothing: two SQLite files in one folder. `ledger.db`
//! holds what must never be lost (WAL, every commit synced), `views.db` what
//! can be folded again. One thread writes; read-only connections stand beside
//! it. A second writing server is refused by a lock on the folder.

mod ask;
mod checkpoints;
mod columns;
mod connections;
mod rows;
mod writer;

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Moment};

use async_trait::async_trait;
use lastresort_fact::{Instant, KeyId, OrganisationId, PersonId};
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::broadcast;
use uuid::Uuid;

use self::checkpoints::{Checkpoints, FRAMES_MAX};
use self::columns::{DATA_KEY, EVENT, data_key, event, head, signed, unsigned, uuid};
use self::connections::Connections;
use crate::append::{Append, ClaimName, CommandKey, Digest, Head, Outcome, StoredCommand, StreamRef};
use crate::rows::{Ask, Generation, Parked, Row, RowCommit, RowId, Table};
use crate::store::{DataKeyRow, Kind, Moved, Store, StoreError, StoredEvent, StreamEvent};

const LEDGER: &[&str] = &[include_str!("../migrations/sqlite/0001_ledger.sql")];
const VIEWS: &[&str] = &[include_str!("../migrations/sqlite/0002_views.sql")];
const READERS: usize = 4;
/// So many events or rows are a few: done with sooner than handed to another thread and back.
const FEW: u32 = 64;

/// A store in a folder.
#[derive(Debug)]
pub struct SqliteStore {
    moves: broadcast::Sender<Moved>,
    writer: writer::Writer,
    readers: Connections,
    rows: rows::Rows,
    leases: Mutex<HashMap<OrganisationId, (Uuid, Moment)>>,
    _lock: File,
}

impl SqliteStore {
    /// Opens the store in `folder`, making it where it is missing.
    ///
    /// # Errors
    /// Where another server writes to it, its schema is newer, or the files
    /// cannot be used.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|error| StoreError::Unavailable(format!("{}: {error}", folder.display())))?;
        let lock = lock(folder)?;
        let ledger = folder.join("ledger.db");
        let mut writing = Connection::open(&ledger).map_err(fault)?;
        prepare(&mut writing, LEDGER, "FULL")?;
        let moves = broadcast::channel(1024).0;
        Ok(Self {
            writer: writer::Writer::start(writing, Checkpoints::start(&ledger)?, moves.clone()),
            readers: Connections::new(ledger, READERS),
            rows: rows::Rows::open(&folder.join("views.db"))?,
            leases: Mutex::default(),
            moves,
            _lock: lock,
        })
    }

    async fn settled(&self, organisation: OrganisationId, key: CommandKey) -> Option<Outcome> {
        let stored = self.command(organisation, key.key).await.ok()??;
        (stored.body == key.body).then_some(Outcome::Applied(stored.receipt))
    }
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join("writer.lock");
    let file = File::create(&path).map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(format!(
            "another server writes to the store in {}; stop it, or use PostgreSQL, which several servers can share",
            folder.display()
        ))),
        Err(TryLockError::Error(error)) => Err(StoreError::Unavailable(format!("{}: {error}", path.display()))),
    }
}

/// The size of a page in a new database: of SQLite's usual 4 KiB an event leaves
/// a quarter unused, and a stream is on twice as many.
const PAGE: i64 = 8_192;

/// Sets a writing connection up and runs the migrations it lacks.
fn prepare(connection: &mut Connection, migrations: &[&str], synchronous: &str) -> Result<(), StoreError> {
    connection.pragma_update(None, "page_size", PAGE).map_err(fault)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(fault)?;
    connection.pragma_update(None, "synchronous", synchronous).map_err(fault)?;
    connection.pragma_update(None, "secure_delete", "ON").map_err(fault)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "wal_autocheckpoint", FRAMES_MAX).map_err(fault)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fault)?;
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    if version > known {
        return Err(StoreError::InUse(format!(
            "the store's schema is version {version}, newer than this program's {known}; use the newer program"
        )));
    }
    let transaction = connection.transaction().map_err(fault)?;
    for migration in migrations.iter().skip(usize::try_from(version).unwrap_or(0)) {
        transaction.execute_batch(migration).map_err(fault)?;
    }
    transaction.pragma_update(None, "user_version", known).map_err(fault)?;
    transaction.commit().map_err(fault)
}

/// What an error of SQLite means to whoever asked.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn fault(error: rusqlite::Error) -> StoreError {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    use rusqlite::ErrorCode::{ConstraintViolation, DatabaseCorrupt, NotADatabase, TypeMismatch};
    let unreadable = matches!(error, FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..));
    let refused = matches!(error.sqlite_error_code(), Some(ConstraintViolation | DatabaseCorrupt | NotADatabase | TypeMismatch));
    if unreadable || refused { StoreError::Corrupt(error.to_string()) } else { StoreError::Unavailable(error.to_string()) }
}

#[async_trait]
impl Store for SqliteStore {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn moves(&self) -> broadcast::Receiver<Moved> {
        self.moves.subscribe()
    }

    async fn append(&self, append: Append) -> Result<Outcome, StoreError> {
        let (organisation, key) = (append.organisation, append.key);
        match self.writer.append(append).await {
            Ok(outcome) => Ok(outcome),
            // Whatever failed may have failed at COMMIT: what is stored decides.
            Err(error) => self.settled(organisation, key).await.ok_or(error),
        }
    }

    async fn stream(&self, organisation: OrganisationId, kind: Kind, id: Uuid, after: u64) -> Result<Vec<StreamEvent>, StoreError> {
        self.readers
            .at_once(|connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT sequence, payload FROM events
                     WHERE organisation = ? AND aggregate_type = ? AND aggregate_id = ? AND sequence > ? ORDER BY sequence",
                )?;
                let found = statement.query_map(params![organisation.0.as_bytes(), kind.name(), id.as_bytes(), signed(after)], |row| {
                    Ok(StreamEvent { sequence: unsigned(row.get(0)?), payload: row.get(1)? })
                })?;
                found.collect()
            })
            .await
    }

    async fn read(&self, organisation: OrganisationId, after: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let read = move |connection: &Connection, limit: u32| {
            let sql = format!("SELECT {EVENT} FROM events WHERE organisation = ? AND position > ? ORDER BY position LIMIT ?");
            connection.prepare_cached(&sql)?.query_map(params![organisation.0.as_bytes(), signed(after), limit], event)?.collect()
        };
        // Whoever follows the ledger finds a few; whoever is far behind reads on a thread that may wait.
        let few: Vec<_> = self.readers.at_once(|connection| read(connection, limit.min(FEW))).await?;
        if limit <= FEW || few.len() < FEW as usize { Ok(few) } else { self.readers.with(move |connection| read(connection, limit)).await }
    }

    async fn read_stream(
        &self,
        organisation: OrganisationId,
        stream: &StreamRef,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let stream = stream.clone();
        self.readers
            .with(move |connection| {
                let sql = format!(
                    "SELECT {EVENT} FROM events WHERE organisation = ? AND aggregate_type = ? AND aggregate_id = ? AND position > ?
                     ORDER BY sequence LIMIT ?"
                );
                connection
                    .prepare_cached(&sql)?
                    .query_map(params![organisation.0.as_bytes(), stream.kind, stream.id.as_bytes(), signed(after), limit], event)?
                    .collect()
            })
            .await
    }

    async fn head(&self, organisation: OrganisationId) -> Result<Option<Head>, StoreError> {
        self.readers
            .at_once(|connection| {
                let mut statement = connection.prepare_cached("SELECT position, recorded_at FROM heads WHERE organisation = ?")?;
                statement.query_row([organisation.0.as_bytes()], head).optional()
            })
            .await
    }

    async fn heads(&self) -> Result<Vec<(OrganisationId, Head)>, StoreError> {
        self.readers
            .with(move |connection| {
                let mut statement =
                    connection.prepare_cached("SELECT position, recorded_at, organisation FROM heads ORDER BY organisation")?;
                statement.query_map([], |row| Ok((OrganisationId(uuid(row, 2)?), head(row)?)))?.collect()
            })
            .await
    }

    async fn command(&self, organisation: OrganisationId, key: Digest) -> Result<Option<StoredCommand>, StoreError> {
        self.readers.at_once(|connection| writer::command(connection, organisation, key)).await
    }

    async fn forget_commands(&self, before: Instant) -> Result<u64, StoreError> {
        self.writer.forget_commands(before).await
    }

    async fn claim(&self, organisation: OrganisationId, claim: &ClaimName) -> Result<Option<StreamRef>, StoreError> {
        self.readers.at_once(|connection| writer::claim(connection, organisation, claim)).await
    }

    async fn data_keys(&self, organisation: OrganisationId, ids: &[KeyId]) -> Result<Vec<DataKeyRow>, StoreError> {
        self.readers
            .at_once(|connection| {
                let mut statement =
                    connection.prepare_cached(&format!("SELECT {DATA_KEY} FROM data_keys WHERE organisation = ? AND id = ?"))?;
                let mut found = Vec::with_capacity(ids.len());
                for id in ids {
                    found.extend(statement.query_row(params![organisation.0.as_bytes(), id.0.as_bytes()], data_key).optional()?);
                }
                Ok(found)
            })
            .await
    }

    async fn keys_about(&self, organisation: OrganisationId, subject: PersonId) -> Result<Vec<DataKeyRow>, StoreError> {
        self.readers
            .at_once(|connection| {
                let sql = format!("SELECT {DATA_KEY} FROM data_keys WHERE organisation = ? AND subject = ? ORDER BY id");
                connection.prepare_cached(&sql)?.query_map(params![organisation.0.as_bytes(), subject.0.as_bytes()], data_key)?.collect()
            })
            .await
    }

    async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.readers
            .at_once(|connection| connection.query_row("SELECT value FROM settings WHERE name = ?", [name], |row| row.get(0)).optional())
            .await
    }

    async fn keep_setting(&self, name: &str, value: &str) -> Result<String, StoreError> {
        self.writer.keep_setting(name, value).await
    }

    async fn prepare_tables(&self, tables: &[Table]) -> Result<(), StoreError> {
        self.rows.prepare_tables(tables.to_vec()).await
    }

    async fn generations(&self, organisation: OrganisationId) -> Result<Vec<Generation>, StoreError> {
        self.rows.generations(organisation).await
    }

    async fn begin_generation(&self, organisation: OrganisationId, fingerprint: &str) -> Result<Generation, StoreError> {
        self.rows.begin_generation(organisation, fingerprint.to_owned()).await
    }

    async fn switch_generation(&self, organisation: OrganisationId, number: i64, tables: &[Table]) -> Result<bool, StoreError> {
        self.rows.switch_generation(organisation, number, tables.to_vec()).await
    }

    async fn commit_rows(&self, commit: RowCommit) -> Result<bool, StoreError> {
        self.rows.commit(commit).await
    }

    async fn rows(&self, organisation: OrganisationId, generation: i64, table: &Table, ids: &[RowId]) -> Result<Vec<Row>, StoreError> {
        self.rows.by_id(organisation, generation, table.clone(), ids.to_vec()).await
    }

    async fn ask(&self, ask: &Ask) -> Result<Vec<Row>, StoreError> {
        self.rows.ask(ask.clone()).await
    }

    async fn parked(&self, organisation: OrganisationId, generation: i64) -> Result<Vec<Parked>, StoreError> {
        self.rows.parked(organisation, generation).await
    }

    async fn lease(&self, organisation: OrganisationId, holder: Uuid, milliseconds: u32) -> Result<bool, StoreError> {
        // In memory: the folder's lock says that no other process is there.
        let now = Moment::now();
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let held = leases.entry(organisation).or_insert((holder, now));
        if held.0 != holder && held.1 > now {
            return Ok(false);
        }
        *held = (holder, now + Duration::from_millis(u64::from(milliseconds)));
        Ok(true)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.writer.ping().await
    }

    async fn durability(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.writer.durability().await
    }

    async fn close(&self) {
        self.writer.close().await;
    }
}
