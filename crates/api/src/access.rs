//! Tokens say who, the ledger says what they may. Who a login is and which
//! grants they hold is kept for half a second, so that a grant given or revoked
//! anywhere is in effect everywhere within a second; a command rests on the
//! streams of its grant and of whoever holds it besides, so neither a revoked
//! grant nor a leaver ever writes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::NaiveDate;
use lastresort_domain::grant::outlives_employment;
use lastresort_domain::organisation::Organisation;
use lastresort_domain::person::{Person, PersonKind};
use lastresort_fact::{Decides as _, GrantId, Instant, OrganisationId, PersonId, ProgrammeId, Role, Scope};
use lastresort_ledger::append::{ClaimName, Digest};
use lastresort_ledger::desk::{Desk, DeskError};
use lastresort_ledger::follow::{Follower, Question};
use lastresort_ledger::rows::{Cell, Filter};
use lastresort_ledger::store::StoreError;
use lastresort_views::Ledgers;
use lastresort_views::grant::{GrantRow, Grants};
use tokio::time::Instant as Moment;

use crate::service::WAIT;

/// For how long what is known of somebody is believed.
const BELIEVED: Duration = Duration::from_millis(500);
/// Of how many logins it is kept.
const KEPT: usize = 10_000;
/// How many grants of one person count.
const GRANTS: u32 = 200;

/// The kind of claim that makes a login one person's.
pub const LOGIN: &str = "login";

/// Somebody known to a ledger, with every grant they were given.
#[derive(Clone, Debug)]
pub struct Known {
    /// Who.
    pub person: PersonId,
    /// The version of their stream that this is believed of.
    pub version: u64,
    /// A machine, which must bring an idempotency key.
    pub machine: bool,
    /// From which day they are employed no more.
    leaves_on: Option<NaiveDate>,
    /// The organisation, whose days these are.
    calendar: Organisation,
    /// Their grants, in whatever state.
    grants: Vec<GrantRow>,
}

/// The right somebody acts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acting {
    /// In what role.
    pub role: Role,
    /// By which grant.
    pub grant: GrantId,
    /// How far it reaches.
    pub scope: Scope,
    /// The version of the grant's stream that this is believed of.
    pub version: u64,
}

impl Known {
    /// Whether they have left by this time.
    #[must_use]
    pub fn left(&self, at: Instant) -> bool {
        self.leaves_on.is_some_and(|on| on <= self.calendar.day(at))
    }

    /// The grants that hold at this time; of a leaver's, those that stay theirs.
    pub fn holding(&self, at: Instant) -> impl Iterator<Item = &GrantRow> {
        let left = self.left(at);
        self.grants.iter().filter(move |grant| grant.holds(at) && (!left || outlives_employment(grant.role)))
    }

    /// The rights to act by them.
    pub fn held(&self, at: Instant) -> impl Iterator<Item = Acting> {
        self.holding(at).map(|grant| Acting { role: grant.role, grant: grant.id, scope: grant.scope, version: grant.version })
    }

    /// The right to act in one of these roles, the first that is held; one that
    /// reaches the programme before one that does not.
    #[must_use]
    pub fn acting(&self, roles: &[Role], programme: Option<ProgrammeId>, at: Instant) -> Option<Acting> {
        let place = |acting: &Acting| roles.iter().position(|role| *role == acting.role);
        let candidates = self.held(at).filter(|acting| place(acting).is_some());
        candidates.min_by_key(|acting| (!acting.scope.reaches(programme), place(acting), acting.grant))
    }
}

/// What is known of whom.
#[derive(Debug, Default)]
pub struct Access(Mutex<Believed>);

/// By organisation and login: since when, and what.
type Believed = HashMap<(OrganisationId, Digest), (Moment, Arc<Known>)>;

impl Access {
    /// Who a login is in a ledger; none where the ledger does not know it.
    /// `fresh` looks again, whatever is believed, once the rows have caught up.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn known(
        &self,
        desk: &Desk,
        follower: &Follower<Ledgers>,
        organisation: OrganisationId,
        login: (&str, &str),
        fresh: bool,
    ) -> Result<Option<Arc<Known>>, StoreError> {
        let digest = desk.keys.digest(organisation, LOGIN, &[login.0, login.1]);
        let believed =
            self.kept().get(&(organisation, digest)).filter(|(since, _)| since.elapsed() < BELIEVED).map(|(_, known)| Arc::clone(known));
        if let Some(known) = believed.filter(|_| !fresh) {
            return Ok(Some(known));
        }
        let claim = ClaimName { kind: LOGIN.to_owned(), digest };
        let Some(stream) = desk.store.claim(organisation, &claim).await?.filter(|stream| stream.kind == Person::TYPE) else {
            return Ok(None);
        };
        let person = PersonId(stream.id);
        if fresh && let Some(head) = desk.store.head(organisation).await? {
            // Nobody is refused for want of a grant that the rows do not show yet.
            follower.wait_for(organisation, head.position, WAIT).await;
        }
        let filters = vec![Filter::Is("person", Cell::Text(person.to_string()))];
        let grants = follower.ask::<Grants>(organisation, Question { filters, limit: GRANTS, ..Question::default() }).await?;
        desk.hold::<Person>(organisation, person.0);
        desk.hold::<Organisation>(organisation, organisation.0);
        let (who, version) = seen(desk.confirmed::<Person>(organisation, person.0).await)?;
        let (calendar, _) = seen(desk.current::<Organisation>(organisation, organisation.0).await)?;
        let known = Arc::new(Known {
            person,
            version,
            machine: who.kind == PersonKind::Machine,
            leaves_on: who.leaves_on(),
            calendar,
            grants: grants.into_iter().map(|found| found.row).collect(),
        });
        let mut kept = self.kept();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert((organisation, digest), (Moment::now(), Arc::clone(&known)));
        Ok(Some(known))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Believed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was loaded; loading only fails where the store does.
fn seen<T>(loaded: Result<T, DeskError>) -> Result<T, StoreError> {
    loaded.map_err(|error| if let DeskError::Store(error) = error { error } else { StoreError::Corrupt(error.to_string()) })
}
