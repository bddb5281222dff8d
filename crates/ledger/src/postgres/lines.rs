//! Connections: a few that appends go through, and others for what is read, so
//! that nobody who reads waits for a ledger whose head is locked. Not sqlx's
//! pool, which asks the server for a sign of life whenever a connection comes
//! back; here one that failed is dropped, one that has rested is asked before
//! it is used, and the next is made anew.
//!
//! A connection hears from its server through the runtime it was made on, and
//! web servers have one for each of their threads. So it goes, where that can
//! be, to whoever asks from the same one: an answer then wakes one thread, not two.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::fault::Fault;
use crate::store::StoreError;

/// How long an append waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every connection of this driver is told first. To the first only Citus
/// listens. Every statement has its index, so none shall read a table from end
/// to end because it was small when the plan was made; and none is worth compiling.
pub(super) const GREETING: &str = "SET citus.propagate_set_commands = 'local'; SET enable_seqscan = off; SET jit = off";

/// A connection that has rested longer is asked for a sign of life before it is used.
pub(super) const RESTED: Duration = Duration::from_secs(1);

/// At most so many connections at once; those at rest are kept.
pub(super) struct Lines {
    options: PgConnectOptions,
    most: usize,
    greeting: &'static str,
    resting: Mutex<Vec<Resting>>,
    permits: Semaphore,
}

/// A connection at rest.
struct Resting {
    connection: PgConnection,
    since: Instant,
    home: Home,
}

/// The thread of a runtime that has but one; none of others.
pub(super) type Home = Option<ThreadId>;

/// Where this runs.
pub(super) fn home() -> Home {
    let here = Handle::try_current().ok()?;
    (here.runtime_flavor() == RuntimeFlavor::CurrentThread).then(|| thread::current().id())
}

/// A connection on loan; closed where it is dropped, so that whatever it had
/// begun is rolled back.
pub(super) struct Line<'a> {
    lines: &'a Lines,
    connection: PgConnection,
    home: Home,
    _permit: SemaphorePermit<'a>,
}

impl Lines {
    /// For appends: a lock that is not had in five seconds is not waited for;
    /// and where this server vanishes in mid-transaction, the ledger is not
    /// locked for long.
    pub(super) fn for_appends(options: PgConnectOptions, most: u32) -> Self {
        Self::new(options, most, "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '20s'")
    }

    /// For reading, and for rows: what can be folded again need not be on disk
    /// when it is committed.
    pub(super) fn for_reading(options: PgConnectOptions, most: u32) -> Self {
        Self::new(options, most, "SET lock_timeout = '5s'; SET synchronous_commit = off")
    }

    fn new(options: PgConnectOptions, most: u32, greeting: &'static str) -> Self {
        let most = most.max(1) as usize;
        Self { options, most, greeting, resting: Mutex::default(), permits: Semaphore::new(most) }
    }

    /// A connection, as soon as there is one.
    pub(super) async fn take(&self) -> Result<Line<'_>, Fault> {
        let late = |_| Fault::Busy("no connection became free in time".to_owned());
        let closed = |_| Fault::Busy("the store is closing".to_owned());
        let permit = timeout(PATIENCE, self.permits.acquire()).await.map_err(late)?.map_err(closed)?;
        while let Some(Resting { mut connection, since, home }) = self.rested() {
            if since.elapsed() < RESTED || connection.ping().await.is_ok() {
                return Ok(Line { lines: self, connection, home, _permit: permit });
            }
        }
        let connection = timeout(PATIENCE, self.open()).await.map_err(late)??;
        Ok(Line { lines: self, connection, home: home(), _permit: permit })
    }

    /// One at rest: the last that was used from here; another where there may be no more.
    fn rested(&self) -> Option<Resting> {
        let (here, mut resting) = (home(), self.resting());
        let others = self.most - self.permits.available_permits().min(self.most) - 1;
        match resting.iter().rposition(|one| one.home == here) {
            Some(at) => Some(resting.remove(at)),
            None if resting.len() + others >= self.most => resting.pop(),
            None => None,
        }
    }

    async fn open(&self) -> Result<PgConnection, Fault> {
        let unreachable = |error: sqlx::Error| Fault::Busy(error.to_string());
        let mut connection = PgConnection::connect_with(&self.options).await.map_err(unreachable)?;
        connection.execute(GREETING).await?;
        connection.execute(self.greeting).await?;
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
        for one in resting {
            // Already answered, whatever happens to the socket now.
            one.connection.close().await.ok();
        }
    }

    fn resting(&self) -> MutexGuard<'_, Vec<Resting>> {
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
        let Self { lines, connection, home, .. } = self;
        lines.resting().push(Resting { connection, since: Instant::now(), home });
    }

    /// The answer that came through it; it is given back where that is one.
    pub(super) fn answered<T>(self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if answer.is_ok() {
            self.keep();
        }
        answer
    }
}
