//! Carries what stands in a write-ahead log into its database, on a thread and
//! a connection of its own, so that nobody who writes waits for its two syncs.
//! Where writing is so steady that it never catches up, the writer's own
//! checkpoint, after [`FRAMES_MAX`] frames, finds little left to do.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use super::fault;
use crate::store::StoreError;

/// After so many frames of a page each a log is checkpointed by whoever writes: 64 MiB.
pub(super) const FRAMES_MAX: i64 = 8_192;
/// From a write to the next checkpoint; what is written meanwhile goes with it.
const PAUSE: Duration = Duration::from_millis(250);

/// The thread; it ends with this.
#[derive(Debug)]
pub(super) struct Checkpoints {
    word: Arc<Word>,
    thread: Option<JoinHandle<()>>,
}

/// What whoever writes and the thread tell each other.
#[derive(Debug, Default)]
struct Word {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    due: bool,
    ends: bool,
}

impl Checkpoints {
    /// Begins, for the database in this file.
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path).map_err(fault)?;
        let word = Arc::<Word>::default();
        let heard = Arc::clone(&word);
        Ok(Self { word, thread: Some(thread::spawn(move || run(&connection, &heard))) })
    }

    /// Says that something was written.
    pub(super) fn due(&self) {
        let mut state = self.word.state();
        if !std::mem::replace(&mut state.due, true) {
            self.word.changed.notify_one();
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.word.state().ends = true;
        self.word.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // Its connection is closed before the writer's, which so is the last.
            drop(thread.join());
        }
    }
}

impl Word {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a checkpoint is due, and has been for a pause; `false` at the end.
    fn comes_due(&self) -> bool {
        let state = self.changed.wait_while(self.state(), |state| !state.due && !state.ends).unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(state, PAUSE, |state| !state.ends).unwrap_or_else(PoisonError::into_inner);
        let mut state = waited.0;
        state.due = false;
        !state.ends
    }
}

fn run(connection: &Connection, word: &Word) {
    while word.comes_due() {
        // It takes what it can without keeping anybody waiting; what fails here fails again where it matters.
        if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            tracing::debug!(%error, "a checkpoint was not made");
        }
    }
}
