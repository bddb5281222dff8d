//! Persons: staff of the organisation, people of the other party, machines.
//! HR systems know them by ids of their own.

use std::collections::BTreeSet;

use actix_web::http::{Method, StatusCode};
use chrono::NaiveDate;
use lastresort_domain::Action as _;
use lastresort_domain::organisation::Organisation;
use lastresort_domain::person::{Person, PersonAction, PersonCommand, PersonFacts};
use lastresort_fact::{PersonId, Role};
use lastresort_ledger::append::ClaimName;
use lastresort_ledger::desk::{DeskError, Expect, States};
use lastresort_ledger::rows::{Cell, Filter};
use lastresort_views::Moment;
use lastresort_views::person::{PersonRow, PersonShown, Persons};
use uuid::Uuid;

use crate::access::LOGIN;
use crate::body::Body;
use crate::call::{Answer, Call};
use crate::command::{Version, decide, rest_on_right};
use crate::listing::{is, min_position};
use crate::problem::Problem;
use crate::resource::{At, Form, Resource, Sieve, read};
use crate::sight::{Part, refused};
use crate::table::{Callers, Entry, PREFIX, Table};

mod bodies;
mod seen;

use self::bodies::{
    EmploymentBody, EndBody, ExternalIdBody, HrPersonBody, LifeSupportBody, MoveBody, ProfileBody, RegisterBody, StandingBody,
};
pub use self::bodies::{LoginBody, ReasonBody};

/// The kind of claim that makes an id of another system one person's.
const EXTERNAL_ID: &str = "external_id";

const BY_EXTERNAL: &str = "/persons/by-external/{source}/{external_id}";

impl Resource for Persons {
    type State = Person;
    type View = Self;
    type Shown = PersonShown;
    const PATH: &'static str = "persons";
    const ID: &'static str = "person";
    const READERS: &'static [Role] = &[Role::Manager, Role::GovernanceLead, Role::HrSystem, Role::ProviderAdmin, Role::Inspector];
    const PARTS: &'static [Part<Self>] = &[seen::NAME];
    const ABOUT: Option<fn(PersonId) -> Filter> = Some(|person| is("id", &person.to_string()));
    const FILTERS: &'static [Sieve] = &[
        Sieve {
            name: "kind",
            form: Form::Word(&["human", "machine"]),
            about: "Only human beings, or only machines.",
            filters: |word| vec![is("kind", word)],
        },
        Sieve {
            name: "unit",
            form: Form::Id,
            about: "Only those whose latest employment is, or by the latest move will be, in this unit.",
            filters: |unit| vec![is("unit", unit)],
        },
        Sieve { name: "employed_on", form: Form::Date, about: "Only those whose latest employment covers this day.", filters: employed_on },
        Sieve {
            name: "life_support_expires_before",
            form: Form::Date,
            about: "Only those whose immediate life support runs out before this day.",
            filters: |day| vec![Filter::Below("life_support_expires_on", Cell::Text(day.to_owned()))],
        },
    ];
    const SORTS: &'static [&'static str] = &["employed_from", "employed_until", "life_support_expires_on"];
    const SEARCH: Option<&'static str> = Some("name");

    fn shown(row: &PersonRow, moment: Moment) -> PersonShown {
        row.shown(moment)
    }

    fn version(row: &PersonRow) -> u64 {
        row.version
    }

    fn about(row: &PersonRow) -> Option<PersonId> {
        Some(row.id)
    }

    async fn entrusted(call: &Call, people: &[PersonId], moment: Moment) -> Result<BTreeSet<PersonId>, Problem> {
        seen::assigned(call, people, moment).await
    }

    async fn facts(states: &mut impl States, at: &At<'_, Self>) -> Result<PersonFacts, DeskError> {
        let (organisation, _) = states.state::<Organisation>(at.organisation.0).await?;
        let asker_employer = match at.by.person() {
            Some(person) => states.state::<Person>(person.0).await?.0.employer,
            None => None,
        };
        let today = organisation.day(states.now());
        let units = organisation.units.into_keys().collect();
        Ok(PersonFacts { kind: organisation.kind, units, today, asker_employer, registering: false })
    }

    fn claims(command: &PersonCommand, _: &Person) -> Vec<(&'static str, Vec<String>)> {
        match command {
            PersonCommand::All(all) => all.iter().flat_map(|command| Self::claims(command, &Person::default())).collect(),
            PersonCommand::AddExternalId { source, external_id } => vec![(EXTERNAL_ID, vec![source.clone(), external_id.clone()])],
            PersonCommand::AddLogin { issuer, subject } => vec![(LOGIN, vec![issuer.clone(), subject.clone()])],
            PersonCommand::Register { .. }
            | PersonCommand::StateProfile(_)
            | PersonCommand::StartEmployment(_)
            | PersonCommand::Move { .. }
            | PersonCommand::EndEmployment { .. }
            | PersonCommand::ReinstateEmployment { .. }
            | PersonCommand::RecordLifeSupport { .. }
            | PersonCommand::StateStanding { .. } => Vec::new(),
        }
    }
}

fn employed_on(day: &str) -> Vec<Filter> {
    let next = day.parse::<NaiveDate>().ok().and_then(|day| day.succ_opt()).map_or_else(|| day.to_owned(), |day| day.to_string());
    vec![Filter::Below("employed_from", Cell::Text(next.clone())), Filter::AtLeast("employed_until", Cell::Text(next))]
}

/// The operations.
pub fn operations(table: &mut Table) {
    by_external(table);
    table
        .resource::<Persons>()
        .many("List persons, whom to find by name, unit or employment.")
        .one("Read a person, with what the caller may do.")
        .create::<RegisterBody>(PersonAction::Register, "Register a person, or a machine.", |body, _| Ok(body.asked()))
        .act::<ProfileBody>(
            PersonAction::StateProfile,
            "profile",
            Version::Required,
            "State names and contact as they are now.",
            |body, _| Ok(PersonCommand::StateProfile(body.profile()).into()),
        )
        .act::<ExternalIdBody>(PersonAction::AddExternalId, "external-ids", Version::Optional, "Add an id of another system.", |body, _| {
            Ok(body.command().into())
        })
        .act::<LoginBody>(PersonAction::AddLogin, "logins", Version::Optional, "Let a person in under a login.", |body, _| {
            Ok(body.command().into())
        })
        .act::<EmploymentBody>(
            PersonAction::StartEmployment,
            "employments",
            Version::Optional,
            "Begin an employment: a starter, or a re-hire.",
            |body, _| Ok(PersonCommand::StartEmployment(body.employment()).into()),
        )
        .act::<MoveBody>(PersonAction::Move, "moves", Version::Optional, "Move a person to another unit.", |body, _| {
            Ok(PersonCommand::Move { unit: body.unit, effective_on: body.effective_on }.into())
        })
        .act::<EndBody>(PersonAction::EndEmployment, "leaving", Version::Optional, "End an employment: a leaver.", |body, _| {
            Ok(PersonCommand::EndEmployment { effective_on: body.effective_on }.into())
        })
        .act::<ReasonBody>(
            PersonAction::ReinstateEmployment,
            "reinstatement",
            Version::Required,
            "Undo a leaver that was sent by mistake.",
            |body, _| Ok(PersonCommand::ReinstateEmployment { reason: body.reason }.into()),
        )
        .act::<LifeSupportBody>(
            PersonAction::RecordLifeSupport,
            "life-support",
            Version::Optional,
            "Record immediate life support training.",
            |body, _| Ok(PersonCommand::RecordLifeSupport { expires_on: body.expires_on }.into()),
        )
        .act::<StandingBody>(
            PersonAction::StateStanding,
            "standing",
            Version::Optional,
            "State what the provider says of its own person.",
            |body, _| {
                let StandingBody { standing, provider_position, valid_until } = body;
                Ok(PersonCommand::StateStanding { standing, provider_position, valid_until }.into())
            },
        );
}

fn by_external(table: &mut Table) {
    let path = format!("{PREFIX}{BY_EXTERNAL}");
    let answer = table.shapes.answer::<Persons>();
    let read_one = Entry::get(
        &path,
        "get_person_by_external_id",
        Persons::PATH,
        Callers::RolesAndOneself(Persons::READERS),
        answer.clone(),
        "Read the person an id of another system names.",
    );
    table.add(read_one.query(vec![min_position()]), get_by_external);
    let body = table.shapes.of::<HrPersonBody>();
    let state = Entry {
        method: Method::PUT,
        body: Some(body),
        command: Some(Some(Version::Optional)),
        ..Entry::get(
            &path,
            "put_person_by_external_id",
            Persons::PATH,
            Callers::Roles(PersonAction::Register.roles()),
            answer,
            "State a person as an HR system has them; the same message twice changes nothing.",
        )
    };
    table.add(state, put_by_external);
}

/// The id of another system that a path names, held to what holds in a body.
fn external(call: &Call) -> Result<ExternalIdBody, Problem> {
    let (source, external_id): (String, String) = (call.guest.id("source")?, call.guest.id("external_id")?);
    let told = serde_json::json!({"source": source, "external_id": external_id});
    let held = Body::<ExternalIdBody>::parse(told.to_string().into());
    let detail = "The path names no id of another system.";
    held.map(|body| body.value).map_err(|problem| Problem::new("malformed").detail(detail).errors(problem.faults().to_vec()))
}

async fn holder(call: &Call) -> Result<Option<Uuid>, Problem> {
    let ExternalIdBody { source, external_id } = external(call)?;
    let desk = &call.guest.service.desk;
    let digest = desk.keys.digest(call.organisation, EXTERNAL_ID, &[&source, &external_id]);
    let claim = ClaimName { kind: EXTERNAL_ID.to_owned(), digest };
    Ok(desk.store.claim(call.organisation, &claim).await?.map(|stream| stream.id))
}

async fn get_by_external(call: Call) -> Answer {
    let found = holder(&call).await?;
    // Whether an id names anybody is said to those who read all persons, and to whom it names.
    if found != Some(call.known.person.0) && !call.reads(Persons::READERS, None) {
        return Err(refused::<Persons>());
    }
    let id = found.ok_or_else(|| Problem::new("not_found"))?;
    read::<Persons>(&call, id).await
}

/// Registers or restates. Two messages for the same new person at once: the
/// one that loses the claim is decided again, on the person the other made.
async fn put_by_external(mut call: Call) -> Answer {
    let acting = call.right_to::<Persons>(PersonAction::Register, None).await?;
    let body = call.guest.body::<HrPersonBody>().await?;
    let ExternalIdBody { source, external_id } = external(&call)?;
    let order = call.order(acting, &body.canonical, None, StatusCode::OK)?;
    let new = lastresort_ledger::ids::new();
    let seen = call.guest.if_match()?;
    let known = &call.known;
    let attempt = async || {
        call.guest
            .service
            .desk
            .run(&order, async |work| {
                rest_on_right(work, acting, known).await?;
                let stated = work.holder(EXTERNAL_ID, &[&source, &external_id]).await?.map(|stream| stream.id);
                let command = body.value.clone().asked(stated.is_none().then_some(PersonId(new)), &source, &external_id);
                let expect = match (stated, seen) {
                    (_, Some(version)) => Expect::Version(version),
                    (Some(_), None) => Expect::Exists,
                    (None, None) => Expect::New,
                };
                decide::<Persons>(work, stated.unwrap_or(new), expect, &command).await
            })
            .await
    };
    let done = match attempt().await {
        Err(DeskError::ClaimTaken { .. }) => attempt().await?,
        other => other?,
    };
    call.settle::<Persons>(&done, new).await
}
