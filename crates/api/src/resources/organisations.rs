//! Organisations: the operator opens their ledgers; each has units and policy.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use chrono::NaiveDate;
use lastresort_domain::Action as _;
use lastresort_domain::organisation::{Organisation, OrganisationAction, OrganisationCommand, OrganisationKind, PolicyName, Setting};
use lastresort_domain::person::Profile;
use lastresort_fact::{Actor, OrganisationId, PersonId, Role, UnitId};
use lastresort_ledger::desk::{DeskError, States};
use lastresort_views::Moment;
use lastresort_views::organisation::{OrganisationRow, OrganisationShown, Organisations};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::persons::LoginBody;
use crate::call::{Answer, Call, Guest};
use crate::command::{Asking, Ready, Version};
use crate::listing::min_position;
use crate::opening::{Opening, open};
use crate::problem::Problem;
use crate::resource::{At, Resource, read};
use crate::service::WAIT;
use crate::table::{Callers, Entry, PREFIX, Table};

const ALL: &[Role] = &Role::GRANTABLE;

impl Resource for Organisations {
    type State = Organisation;
    type View = Self;
    type Shown = OrganisationShown;
    const PATH: &'static str = "organisations";
    const ID: &'static str = "org";
    const READERS: &'static [Role] = ALL;

    fn shown(row: &OrganisationRow, moment: Moment) -> OrganisationShown {
        row.shown(moment)
    }

    fn version(row: &OrganisationRow) -> u64 {
        row.version
    }

    async fn facts(_: &mut impl States, _: &At<'_, Self>) -> Result<(), DeskError> {
        Ok(())
    }
}

/// An organisation to open a ledger for, and its first administrator.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenBody {
    /// Provider or client.
    kind: OrganisationKind,
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Whose law applies: `scotland`, `england`.
    #[schema(min_length = 2, max_length = 50, pattern = "^[a-z_]+$")]
    jurisdiction: String,
    /// Its IANA time zone.
    #[schema(min_length = 1, max_length = 64)]
    time_zone: String,
    /// Who administers it first: `manager` of a client, `provider_admin` of a provider.
    administrator: AdministratorBody,
}

/// A first administrator.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdministratorBody {
    /// Their id where another ledger knows them already; made here where absent.
    id: Option<PersonId>,
    /// Given name.
    #[schema(min_length = 1, max_length = 200)]
    given_name: String,
    /// Family name.
    #[schema(min_length = 1, max_length = 200)]
    family_name: String,
    /// The login they come in by.
    login: LoginBody,
}

/// A ledger as opened.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Opened {
    /// The organisation.
    pub id: OrganisationId,
    /// Its first administrator.
    pub administrator: PersonId,
    /// The ledger's position.
    #[schema(minimum = 1)]
    pub position: u64,
}

/// A unit.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitBody {
    /// A short name, unique in the organisation.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9][a-z0-9-]*$")]
    code: String,
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What kind of service it is.
    setting: Setting,
    /// How many people it can support.
    #[schema(minimum = 1, maximum = 10_000)]
    places: u32,
}

/// A policy.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyBody {
    /// Which setting.
    policy: PolicyName,
    /// Its value.
    #[schema(minimum = 1, maximum = 10_000)]
    value: u32,
    /// From which day: today or later.
    effective_on: NaiveDate,
    /// Where the value comes from.
    #[schema(min_length = 1, max_length = 500)]
    source: String,
}

/// The operations.
pub fn operations(table: &mut Table) {
    table.told.resource::<Organisations>();
    let body = table.shapes.of::<OpenBody>();
    let answer = table.shapes.of::<Opened>();
    let entry = Entry {
        method: Method::PUT,
        body: Some(body),
        answer: (StatusCode::CREATED, answer),
        command: Some(None),
        ..Entry::get(
            PREFIX,
            "open_organisation",
            Organisations::PATH,
            Callers::Operator,
            crate::schema::Shape::nothing(),
            "Open an organisation's ledger, with its first administrator.",
        )
    };
    table.add(entry, open_organisation);
    let answer = table.shapes.answer::<Organisations>();
    let entry = Entry::get(
        PREFIX,
        "get_organisation",
        Organisations::PATH,
        Callers::Roles(ALL),
        answer,
        "Read an organisation: its units and the policy in force.",
    );
    table.add(entry.query(vec![min_position()]), |call: Call| async move { read::<Organisations>(&call, call.organisation.0).await });
    act::<UnitBody>(table, OrganisationAction::OpenUnit, "units", Version::Optional, "Open a unit.", |body| {
        OrganisationCommand::OpenUnit {
            unit: UnitId(lastresort_ledger::ids::new()),
            code: body.code,
            name: body.name,
            setting: body.setting,
            places: body.places,
        }
    });
    act::<PolicyBody>(table, OrganisationAction::SetPolicy, "policies", Version::Required, "Set a policy.", |body| {
        let PolicyBody { policy, value, effective_on, source } = body;
        OrganisationCommand::SetPolicy { policy, value, effective_on, source }
    });
}

fn act<B: serde::de::DeserializeOwned + ToSchema + 'static>(
    table: &mut Table,
    action: OrganisationAction,
    suffix: &str,
    version: Version,
    summary: &'static str,
    asked: fn(B) -> OrganisationCommand,
) {
    let path = format!("{PREFIX}/{suffix}");
    table.places.say(Organisations::ID, action, Method::POST, &path);
    let (body, answer) = (table.shapes.of::<B>(), table.shapes.answer::<Organisations>());
    let entry = Entry {
        method: Method::POST,
        body: Some(body),
        command: Some(Some(version)),
        ..Entry::get(
            &path,
            &format!("organisation_{}", action.name()),
            Organisations::PATH,
            Callers::Roles(action.roles()),
            answer,
            summary,
        )
    };
    table.add(entry, move |mut call: Call| async move {
        let id = call.organisation.0;
        let acting = call.right_to::<Organisations>(action, None).await?;
        let body = call.guest.body::<B>().await?;
        let expect = call.guest.expect(version)?;
        let asking = Asking::from(asked(body.value));
        call.perform::<Organisations>(Ready { id, expect, asking, acting, body: body.canonical, status: StatusCode::OK }).await
    });
}

async fn open_organisation(mut guest: Guest) -> Answer {
    if !guest.is_operator() {
        return Err(Problem::new("not_permitted").detail("Only the configured operator opens ledgers."));
    }
    let organisation: OrganisationId = guest.id("org")?;
    let body = guest.body::<OpenBody>().await?;
    let OpenBody { kind, name, jurisdiction, time_zone, administrator } = body.value;
    let (key, key_given) = guest.key(organisation, "operator", false, &body.canonical)?;
    let opening = Opening {
        organisation,
        kind,
        name,
        jurisdiction,
        time_zone,
        administrator: administrator.id.unwrap_or_else(|| PersonId(lastresort_ledger::ids::new())),
        profile: Profile { given_name: administrator.given_name, family_name: Some(administrator.family_name), email: None },
        login: administrator.login.pair(),
    };
    let service = &guest.service;
    let done = open(&service.desk, Actor::Operator, &opening, key, key_given).await?;
    service.follower.wait_for(organisation, done.receipt.position, WAIT).await;
    let person = done.receipt.streams.iter().find(|(stream, _)| stream.kind == "person");
    let mut answer = HttpResponse::Created();
    if done.replayed {
        answer.insert_header(("Idempotent-Replayed", "true"));
    }
    answer.insert_header(("Ledger-Position", done.receipt.position.to_string()));
    let administrator = person.map_or(opening.administrator.0, |(stream, _)| stream.id);
    Ok(answer.json(json!(Opened { id: organisation, administrator: PersonId(administrator), position: done.receipt.position })))
}
