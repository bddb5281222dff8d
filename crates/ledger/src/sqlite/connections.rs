//! Read-only connections, lent one at a time to the blocking pool.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;
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

    /// Runs a query on a connection of its own.
    pub(super) async fn with<R: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        let _permit = self.permits.acquire().await.map_err(|_| StoreError::Unavailable("the store is closed".to_owned()))?;
        let (idle, path) = (Arc::clone(&self.idle), self.path.clone());
        spawn_blocking(move || {
            let lent = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match lent {
                Some(connection) => connection,
                None => open(&path).map_err(fault)?,
            };
            let answer = query(&connection).map_err(fault);
            // A connection that failed is not lent again: it may hold a broken read.
            if answer.is_ok() {
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            }
            answer
        })
        .await
        .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }
}

fn open(path: &PathBuf) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
