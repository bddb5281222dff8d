//! Tokens say who, the ledger says what they may. Who a login is and which
//! grants they hold is kept for half a second, so that a grant given or revoked
//! anywhere is in effect everywhere within a second; a command rests on its
//! grant's stream besides, so a revoked grant never writes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lastresort_domain::organisation::Organisation;
use lastresort_domain::person::{Person, PersonKind};
use lastresort_fact::{Decides as _, GrantId, OrganisationId, PersonId, ProgrammeId, Role, Scope};
use lastresort_ledger::append::{ClaimName, Digest};
use lastresort_ledger::desk::{Desk, DeskError};
use lastresort_ledger::follow::{Follower, Question};
use lastresort_ledger::rows::{Cell, Filter};
use lastresort_ledger::store::StoreError;
use lastresort_views::Ledgers;
use lastresort_views::grant::{GrantRow, Grants};
use lastresort_views::person::Persons;
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
    /// A machine, which must bring an idempotency key.
    pub machine: bool,
    /// They have left: their own record is all that is still theirs (rule 23).
    pub left: bool,
    /// Their grants, in whatever state.
    pub grants: Vec<GrantRow>,
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
    /// The grants that hold at this time.
    pub fn held(&self, at: lastresort_fact::Instant) -> impl Iterator<Item = Acting> + '_ {
        let stays = |role| !self.left || matches!(role, Role::Candidate | Role::Staff);
        let held = self.grants.iter().filter(move |grant| grant.holds(at) && stays(grant.role));
        held.map(|grant| Acting { role: grant.role, grant: grant.id, scope: grant.scope, version: grant.version })
    }

    /// The right to act in one of these roles, the first that is held; one that
    /// reaches the programme before one that does not.
    #[must_use]
    pub fn acting(&self, roles: &[Role], programme: Option<ProgrammeId>, at: lastresort_fact::Instant) -> Option<Acting> {
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
        let row = follower.row::<Persons>(organisation, &person.to_string()).await?;
        let now = desk.clock.now();
        let day = match desk.hold::<Organisation>(organisation, organisation.0).await {
            Ok((calendar, _)) => calendar.day(now),
            Err(DeskError::Store(error)) => return Err(error),
            Err(_) => now.date(),
        };
        if let Err(DeskError::Store(error)) = desk.hold::<Person>(organisation, person.0).await {
            return Err(error);
        }
        let machine = row.as_ref().is_some_and(|found| found.row.kind == PersonKind::Machine);
        let left = row.is_some_and(|found| found.row.left_by(day));
        let known = Arc::new(Known { person, machine, left, grants: grants.into_iter().map(|found| found.row).collect() });
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
