//! Grants: who may act in what role, how far and how long.

use lastresort_domain::grant::{Grant, GrantAction, GrantCommand, GrantFacts, Grantee};
use lastresort_domain::organisation::Organisation;
use lastresort_domain::person::Person;
use lastresort_domain::programme::Programme;
use lastresort_fact::{Instant, PersonId, ProgrammeId, Role, Scope};
use lastresort_ledger::desk::{DeskError, States};
use lastresort_ledger::rows::Filter;
use lastresort_views::Moment;
use lastresort_views::grant::{GrantRow, GrantShown, Grants};
use serde::Deserialize;
use utoipa::ToSchema;

use super::persons::ReasonBody;
use crate::command::Version;
use crate::listing::is;
use crate::resource::{At, Form, Resource, Sieve};
use crate::table::Table;

impl Resource for Grants {
    type State = Grant;
    type View = Self;
    type Shown = GrantShown;
    const PATH: &'static str = "grants";
    const ID: &'static str = "grant";
    const READERS: &'static [Role] = &[Role::Manager, Role::GovernanceLead, Role::ProviderAdmin, Role::Inspector];
    const ABOUT: Option<fn(PersonId) -> Filter> = Some(|person| is("person", &person.to_string()));
    const FILTERS: &'static [Sieve] = &[
        Sieve { name: "person", form: Form::Id, about: "Only this person's.", filters: |person| vec![is("person", person)] },
        Sieve {
            name: "role",
            form: Form::Word(&[
                "provider_admin",
                "mentor",
                "assessor",
                "verifier",
                "appeal_reviewer",
                "candidate",
                "staff",
                "manager",
                "governance_lead",
                "hr_system",
                "incident_system",
                "learning_platform",
                "inspector",
            ]),
            about: "Only those of this role.",
            filters: |role| vec![is("role", role)],
        },
    ];
    const SORTS: &'static [&'static str] = &["role"];

    fn shown(row: &GrantRow, moment: Moment) -> GrantShown {
        row.shown(moment)
    }

    fn version(row: &GrantRow) -> u64 {
        row.version
    }

    fn about(row: &GrantRow) -> Option<PersonId> {
        Some(row.person)
    }

    fn programme(row: &GrantRow) -> Option<ProgrammeId> {
        match row.scope {
            Scope::Organisation => None,
            Scope::Programme(id) => Some(id),
        }
    }

    async fn facts(states: &mut impl States, at: &At<'_, Self>) -> Result<GrantFacts, DeskError> {
        let (organisation, _) = states.state::<Organisation>(at.organisation.0).await?;
        let Some(GrantCommand::Give { person, scope, from, .. }) = at.command else {
            return Ok(GrantFacts { kind: organisation.kind, person: Grantee::Registered, ..GrantFacts::default() });
        };
        let (known, _) = states.state::<Person>(person.0).await?;
        let programme = match scope {
            Scope::Organisation => None,
            Scope::Programme(id) => Some(*id),
        };
        let programme_known = match programme {
            Some(programme) => states.state::<Programme>(programme.0).await?.1 > 0,
            None => false,
        };
        let today = organisation.day(states.now());
        let begins_in_the_past = from.is_some_and(|from| organisation.day(from) < today);
        let kind = organisation.kind;
        let person = match known.id {
            None => Grantee::Unknown,
            Some(_) if known.left_by(today) => Grantee::Left,
            Some(_) => Grantee::Registered,
        };
        Ok(GrantFacts { kind, person, programme, programme_known, begins_in_the_past })
    }
}

/// A right to give.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveBody {
    /// To whom.
    person: PersonId,
    /// In what role.
    role: Role,
    /// How far it reaches; the whole organisation where absent.
    #[serde(default)]
    scope: Scope,
    /// From when, today or later; at once where absent.
    from: Option<Instant>,
    /// Until when; without end where absent. An inspector's has an end.
    to: Option<Instant>,
}

/// The operations.
pub fn operations(table: &mut Table) {
    table
        .resource::<Grants>()
        .many("List grants.")
        .one("Read a grant.")
        .create::<GiveBody>(GrantAction::Give, "Give somebody the right to act in a role.", |body, _| {
            let GiveBody { person, role, scope, from, to } = body;
            Ok((lastresort_ledger::ids::new(), GrantCommand::Give { person, role, scope, from, to }.into()))
        })
        .act::<ReasonBody>(GrantAction::Revoke, "revocation", Version::Required, "Take a grant back, at once.", |body, _| {
            Ok(GrantCommand::Revoke { reason: body.reason }.into())
        });
}
