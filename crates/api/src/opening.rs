//! How a ledger begins: one append registers the organisation, its first
//! administrator with a login, and the grant they act by. The command line and
//! the operator's request both come here.

use lastresort_domain::grant::{Grant, GrantCommand, GrantFacts, Grantee};
use lastresort_domain::organisation::{Organisation, OrganisationCommand, OrganisationKind};
use lastresort_domain::person::{Person, PersonCommand, PersonFacts, PersonKind, Profile};
use lastresort_fact::{Actor, Decides as _, OrganisationId, PersonId, Role, Scope};
use lastresort_ledger::append::CommandKey;
use lastresort_ledger::desk::{Desk, DeskError, Done, Expect, Order};

use crate::access::LOGIN;

/// What a ledger begins with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Its id.
    pub organisation: OrganisationId,
    /// Provider or client.
    pub kind: OrganisationKind,
    /// Its name.
    pub name: String,
    /// Whose law applies.
    pub jurisdiction: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// The first administrator's id.
    pub administrator: PersonId,
    /// Their names.
    pub profile: Profile,
    /// Issuer and subject they come in by.
    pub login: (String, String),
}

/// Opens a ledger.
///
/// # Errors
/// Where there is one already, or what is told cannot be.
pub async fn open(desk: &Desk, by: Actor, opening: &Opening, key: CommandKey, key_given: bool) -> Result<Done, DeskError> {
    let role = if by == Actor::Operator { Role::Operator } else { Role::Bootstrap };
    let order = Order {
        organisation: opening.organisation,
        by,
        role,
        grant: None,
        scope: Scope::Organisation,
        occurred_at: None,
        cause: None,
        supersedes: None,
        key,
        key_given,
        correlation: lastresort_ledger::ids::new(),
        opens: true,
        status: 201,
    };
    let grant = lastresort_ledger::ids::new();
    desk.run(&order, async |work| {
        let Opening { organisation, kind, name, jurisdiction, time_zone, administrator, profile, login } = opening.clone();
        let (issuer, subject) = login;
        let demonstration = desk.clock.is_moved();
        let register = OrganisationCommand::Register { id: organisation, kind, name, jurisdiction, time_zone, demonstration };
        work.decide::<Organisation>(organisation.0, Expect::New, register, &()).await?;
        work.claim(LOGIN, &[&issuer, &subject], Person::TYPE, administrator.0);
        let register = PersonCommand::Register { id: administrator, kind: PersonKind::Human, profile, employer: None };
        let person = PersonCommand::All(vec![register, PersonCommand::AddLogin { issuer, subject }]);
        work.decide::<Person>(administrator.0, Expect::New, person, &PersonFacts { kind, ..PersonFacts::default() }).await?;
        let role = if kind == OrganisationKind::Client { Role::Manager } else { Role::ProviderAdmin };
        let give = GrantCommand::Give { person: administrator, role, scope: Scope::Organisation, from: None, to: None };
        let facts = GrantFacts { kind, person: Grantee::Registered, ..GrantFacts::default() };
        work.decide::<Grant>(grant, Expect::New, give, &facts).await?;
        Ok(())
    })
    .await
}
