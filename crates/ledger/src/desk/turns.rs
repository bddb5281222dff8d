//! Turns: commands of a ledger that are decided again take them one after the
//! other. Were all to try at once, one would be done and the rest be late again.

use std::array;

use lastresort_fact::OrganisationId;
use tokio::sync::{Mutex, MutexGuard};

/// So many ledgers have turns of their own; more share them.
const APART: usize = 64;

/// The turns of all ledgers.
#[derive(Debug)]
pub struct Turns([Mutex<()>; APART]);

impl Default for Turns {
    fn default() -> Self {
        Self(array::from_fn(|_| Mutex::default()))
    }
}

impl Turns {
    /// Waits for a turn; it lasts until it is dropped.
    pub(super) async fn take(&self, organisation: OrganisationId) -> MutexGuard<'_, ()> {
        let [.., last] = organisation.0.into_bytes();
        self.0[usize::from(last) % APART].lock().await
    }
}
