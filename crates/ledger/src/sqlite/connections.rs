//! Read-only connections, lent one at a time: for a few rows by their key right
//! here, for whatever may take longer to the blocking pool.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;

use super::fault;
use crate::store::StoreError;

/// A bounded set of read-only connections to one file.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Connections {
    pub(super) fn new(path: PathBuf, most: usize) -> Self {
        Self { path, idle: Arc::default(), permits: Arc::new(Semaphore::new(most)) }
    }

    /// Runs a query on a connection of its own, on a thread that may wait.
    pub(super) async fn with<R: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        let _permit = self.permit().await?;
        let connections = self.clone();
        spawn_blocking(move || connections.lend(query)).await.map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    /// Looks up a few rows by their key: handing over to another thread and back
    /// takes longer than that.
    pub(super) async fn at_once<R>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<R>) -> Result<R, StoreError> {
        let _permit = self.permit().await?;
        self.lend(query)
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        self.permits.acquire().await.map_err(|_| StoreError::Unavailable("the store is closed".to_owned()))
    }

    fn lend<R>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<R>) -> Result<R, StoreError> {
        let lent = self.idle().pop();
        let connection = match lent {
            Some(connection) => connection,
            None => open(&self.path).map_err(fault)?,
        };
        let answer = query(&connection).map_err(fault);
        // A connection that failed is not lent again: it may hold a broken read.
        if answer.is_ok() {
            self.idle().push(connection);
        }
        answer
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(path: &PathBuf) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    // 16 MiB each: enough that of a ledger of some hundred thousand events the indexes stay in memory.
    connection.pragma_update(None, "cache_size", -16_384)?;
    Ok(connection)
}
