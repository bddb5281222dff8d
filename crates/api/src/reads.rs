//! Every read of an inspector is logged: gathered while requests are answered,
//! written about once a second, at the latest when the service ends.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use lastresort_domain::reads::{Read, Reads, ReadsCommand};
use lastresort_fact::{Actor, GrantId, OrganisationId, PersonId, Role, Scope};
use lastresort_ledger::append::CommandKey;
use lastresort_ledger::desk::{Desk, DeskError, Expect, Order};
use lastresort_ledger::ids;

use crate::problem::Problem;

/// How many reads one fact may hold.
const BATCH: usize = 200;
/// How many may wait; an inspector is not answered what could not be logged.
const WAITING: usize = 100_000;

/// Whose reads, under which grant.
type Reader = (OrganisationId, PersonId, GrantId);

/// Reads that are yet to be written.
#[derive(Debug, Default)]
pub struct ReadLog(Mutex<BTreeMap<Reader, Vec<Read>>>);

impl ReadLog {
    /// Notes a read.
    ///
    /// # Errors
    /// 503 where too many wait to be written.
    pub fn note(&self, reader: Reader, read: Read) -> Result<(), Problem> {
        let mut waiting = self.waiting();
        if waiting.values().map(Vec::len).sum::<usize>() >= WAITING {
            return Err(Problem::new("unavailable").detail("What inspectors read cannot be logged at the moment."));
        }
        waiting.entry(reader).or_default().push(read);
        Ok(())
    }

    /// Writes what waits; what could not be written waits on.
    pub async fn flush(&self, desk: &Desk) {
        let taken = std::mem::take(&mut *self.waiting());
        for (reader, reads) in taken {
            for batch in reads.chunks(BATCH) {
                if let Err(error) = write(desk, reader, batch).await {
                    tracing::error!(organisation = %reader.0, %error, "an inspector's reads could not be logged yet");
                    self.waiting().entry(reader).or_default().splice(0..0, batch.iter().cloned());
                }
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, BTreeMap<Reader, Vec<Read>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Written as the inspector's own, without resting on the grant still being
/// there: what was read under it was read.
async fn write(desk: &Desk, (organisation, person, grant): Reader, reads: &[Read]) -> Result<(), DeskError> {
    let once = desk.keys.digest(organisation, "reads", &[&ids::new().to_string()]);
    let order = Order {
        organisation,
        by: Actor::Person(person),
        role: Role::Inspector,
        grant: Some(grant),
        scope: Scope::Organisation,
        occurred_at: None,
        cause: None,
        supersedes: None,
        key: CommandKey { key: once, body: once },
        key_given: false,
        correlation: ids::new(),
        opens: false,
        status: 200,
    };
    let command = ReadsCommand::Log(reads.to_vec());
    desk.run(&order, async |work| work.decide::<Reads>(grant.0, Expect::Either, command.clone(), &()).await.map(|_| ())).await?;
    Ok(())
}
