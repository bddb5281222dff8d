//! What every handler stands on, shared by all of them.

use std::sync::Arc;
use std::time::Duration;

use lastresort_domain::organisation::Organisation;
use lastresort_fact::OrganisationId;
use lastresort_ledger::desk::{Desk, DeskError, States};
use lastresort_ledger::follow::Follower;
use lastresort_views::{Ledgers, Moment};

use crate::access::Access;
use crate::care::Operations;
use crate::limits::RateLimiter;
use crate::names::Names;
use crate::reads::ReadLog;
use crate::sight::Told;
use crate::table::Places;
use crate::token::Verifier;

/// How long an answer waits until what it was told is in the rows.
pub const WAIT: Duration = Duration::from_secs(2);

/// The service: one per process.
pub struct Service {
    /// Runs commands.
    pub desk: Desk,
    /// Answers questions.
    pub follower: Follower<Ledgers>,
    /// Says whose a token is.
    pub verifier: Verifier,
    /// The subjects, by issuer, that may open ledgers.
    pub operators: Vec<(String, String)>,
    /// How often one may ask; without bound where absent.
    pub limiter: Option<RateLimiter>,
    /// Who may do what, for half a second.
    pub access: Access,
    /// Names of persons, opened and searched in memory.
    pub names: Names,
    /// Where each action is done.
    pub places: Arc<Places>,
    /// Whom the feed tells of what.
    pub told: Arc<Told>,
    /// What inspectors read, on its way into their ledgers.
    pub reads: ReadLog,
    /// Long work under way.
    pub operations: Operations,
    /// The contract, as printed.
    pub contract: Arc<str>,
}

/// The moment it is for these states, in the organisation's own calendar.
///
/// # Errors
/// Where the store fails.
pub async fn moment(states: &mut impl States, organisation: OrganisationId) -> Result<Moment, DeskError> {
    let (state, _) = states.state::<Organisation>(organisation.0).await?;
    let at = states.now();
    Ok(Moment { at, day: state.day(at) })
}
