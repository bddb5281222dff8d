//! The few connections that appends go through, kept apart from those that
//! read: nobody who reads waits for a ledger whose head is locked. Not sqlx's
//! pool, which asks the server for a sign of life whenever a connection comes
//! back; here one that failed is dropped, and the next is made anew.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::fault::Fault;

/// How long an append waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every connection of this driver is told first. To the first only Citus
/// listens. Every statement has its index, so none shall read a table from end
/// to end because it was small when the plan was made; and none is worth compiling.
pub(super) const GREETING: &str = "SET citus.propagate_set_commands = 'local'; SET enable_seqscan = off; SET jit = off";

/// At most so many connections at once; those at rest are kept.
pub(super) struct Lines {
    options: PgConnectOptions,
    resting: Mutex<Vec<PgConnection>>,
    permits: Semaphore,
}

/// A connection on loan; closed where it is dropped, so that whatever it had
/// begun is rolled back.
pub(super) struct Line<'a> {
    lines: &'a Lines,
    connection: PgConnection,
    _permit: SemaphorePermit<'a>,
}

impl Lines {
    pub(super) fn new(options: PgConnectOptions, most: u32) -> Self {
        let permits = Semaphore::new(most.max(1) as usize);
        Self { options, resting: Mutex::default(), permits }
    }

    /// A connection, as soon as there is one.
    pub(super) async fn take(&self) -> Result<Line<'_>, Fault> {
        let late = |_| Fault::Busy("no connection became free in time".to_owned());
        let closed = |_| Fault::Busy("the store is closing".to_owned());
        let permit = timeout(PATIENCE, self.permits.acquire()).await.map_err(late)?.map_err(closed)?;
        let rested = self.resting().pop();
        let connection = match rested {
            Some(connection) => connection,
            None => timeout(PATIENCE, self.open()).await.map_err(late)??,
        };
        Ok(Line { lines: self, connection, _permit: permit })
    }

    async fn open(&self) -> Result<PgConnection, Fault> {
        let unreachable = |error: sqlx::Error| Fault::Busy(error.to_string());
        let mut connection = PgConnection::connect_with(&self.options).await.map_err(unreachable)?;
        connection.execute(GREETING).await?;
        Ok(connection)
    }

    /// Forgets every connection at rest: after one was lost, so may be the others.
    pub(super) fn forget(&self) {
        self.resting().clear();
    }

    /// Closes for good.
    pub(super) async fn close(&self) {
        self.permits.close();
        let resting = std::mem::take(&mut *self.resting());
        for connection in resting {
            // Already answered, whatever happens to the socket now.
            connection.close().await.ok();
        }
    }

    fn resting(&self) -> MutexGuard<'_, Vec<PgConnection>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line<'_> {
    /// The connection itself.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Gives it back for the next; only outside a transaction.
    pub(super) fn keep(self) {
        self.lines.resting().push(self.connection);
    }
}
