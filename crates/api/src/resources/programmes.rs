//! Programmes, in the client's ledger: planned on a needs analysis and on a
//! provider's curriculum, which is copied; then moved on stage by stage.

use actix_web::http::{Method, StatusCode};
use chrono::NaiveDate;
use lastresort_domain::Action as _;
use lastresort_domain::curriculum::{Content, Curriculum};
use lastresort_domain::guard::not_permitted;
use lastresort_domain::needs_analysis::NeedsAnalysis;
use lastresort_domain::organisation::Organisation;
use lastresort_domain::programme::{CurriculumPin, NeedsAnalysisPin, Plan, Programme, ProgrammeAction, ProgrammeCommand, ProgrammeFacts};
use lastresort_domain::stage::Stage;
use lastresort_fact::{CurriculumId, NeedsAnalysisId, OrganisationId, ProgrammeId, Role, StageId};
use lastresort_ledger::desk::{DeskError, Expect, States};
use lastresort_ledger::ids;
use lastresort_views::Moment;
use lastresort_views::curriculum::Curricula;
use lastresort_views::programme::{ProgrammeRow, ProgrammeShown, Programmes};
use serde::Deserialize;
use utoipa::ToSchema;

use super::needs_analyses::ToldBody;
use crate::call::{Answer, Call};
use crate::command::{Asking, Ready, Version};
use crate::listing::is;
use crate::problem::Problem;
use crate::resource::{At, Form, Resource, Sieve};
use crate::table::{Callers, Entry, Ids, PREFIX, Table};

impl Resource for Programmes {
    type State = Programme;
    type View = Self;
    type Shown = ProgrammeShown;
    const PATH: &'static str = "programmes";
    const ID: &'static str = "programme";
    const READERS: &'static [Role] = &[
        Role::ProviderAdmin,
        Role::Mentor,
        Role::Assessor,
        Role::Verifier,
        Role::AppealReviewer,
        Role::Candidate,
        Role::Manager,
        Role::GovernanceLead,
        Role::Inspector,
    ];
    const PROGRAMME: Option<&'static str> = Some("id");
    const FILTERS: &'static [Sieve] = &[
        Sieve {
            name: "status",
            form: Form::Word(&["planned", "running", "completed"]),
            about: "Only those that have come so far.",
            filters: |status| vec![is("status", status)],
        },
        Sieve {
            name: "needs_analysis",
            form: Form::Id,
            about: "Only those that rest on this needs analysis.",
            filters: |id| vec![is("needs_analysis", id)],
        },
        Sieve {
            name: "curriculum",
            form: Form::Id,
            about: "Only those that rest on this curriculum.",
            filters: |id| vec![is("curriculum", id)],
        },
    ];
    const SORTS: &'static [&'static str] = &["planned_at"];

    fn shown(row: &ProgrammeRow, _: Moment) -> ProgrammeShown {
        row.shown()
    }

    fn version(row: &ProgrammeRow) -> u64 {
        row.version
    }

    fn programme(row: &ProgrammeRow) -> Option<ProgrammeId> {
        Some(row.id)
    }

    async fn facts(states: &mut impl States, at: &At<'_, Self>) -> Result<ProgrammeFacts, DeskError> {
        let (organisation, _) = states.state::<Organisation>(at.organisation.0).await?;
        let pin = match at.command {
            Some(ProgrammeCommand::Plan(plan)) => Some(plan.needs_analysis),
            Some(_) | None => at.state.needs_analysis,
        };
        let needs_analysis = match pin {
            Some(pin) => Some(states.state::<NeedsAnalysis>(pin.needs_analysis.0).await?).filter(|(_, version)| *version > 0),
            None => None,
        };
        Ok(ProgrammeFacts { organisation, needs_analysis: needs_analysis.map(|(state, _)| state) })
    }
}

/// A programme to plan.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanBody {
    /// Its title.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// The version of a needs analysis it rests on.
    needs_analysis: AnalysisChoice,
    /// The version of a provider's curriculum it rests on.
    curriculum: CurriculumChoice,
}

/// A version of a needs analysis.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalysisChoice {
    /// Which analysis.
    needs_analysis: NeedsAnalysisId,
    /// Which version of it.
    #[schema(minimum = 1)]
    version: u32,
}

/// A published version of a provider's curriculum.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CurriculumChoice {
    /// The provider; whoever plans reads curricula there too.
    organisation: OrganisationId,
    /// Its curriculum.
    curriculum: CurriculumId,
    /// Which version of it.
    #[schema(minimum = 1)]
    version: u32,
}

/// The dates of a stage.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowBody {
    /// The first day it may be started; not before the stage before closes.
    opens_on: NaiveDate,
    /// The day it is meant to end; not after the stage after opens.
    closes_on: NaiveDate,
}

/// A stage to be put off.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeferBody {
    /// Why, without anything personal.
    #[schema(min_length = 1, max_length = 1_000)]
    reason: String,
    /// The first day it may be started now; later than it was.
    opens_on: NaiveDate,
    /// The day it is meant to end now; not after the stage after opens.
    closes_on: NaiveDate,
}

/// The operations.
pub fn operations(table: &mut Table) {
    plan(table);
    table
        .resource::<Programmes>()
        .many("List programmes.")
        .one("Read a programme: what it pinned, and how far its stages have come.")
        .act::<WindowBody>(
            ProgrammeAction::ScheduleStage(Stage::PreLoad),
            "stages/{stage}/schedule",
            Version::Optional,
            "Give a stage its dates.",
            |WindowBody { opens_on, closes_on }, ids| {
                let (stage, id) = (stage(ids)?, StageId(lastresort_ledger::ids::new()));
                Ok(ProgrammeCommand::ScheduleStage { stage, id, opens_on, closes_on }.into())
            },
        )
        .act::<ToldBody>(
            ProgrammeAction::StartStage(Stage::PreLoad),
            "stages/{stage}/start",
            Version::Required,
            "Start a stage: the first on an authorised needs analysis, each other after the one before.",
            |body, ids| Ok(Asking::told(ProgrammeCommand::StartStage(stage(ids)?), body.occurred_at)),
        )
        .act::<ToldBody>(
            ProgrammeAction::CompleteStage(Stage::PreLoad),
            "stages/{stage}/completion",
            Version::Required,
            "Complete a stage.",
            |body, ids| Ok(Asking::told(ProgrammeCommand::CompleteStage(stage(ids)?), body.occurred_at)),
        )
        .act::<DeferBody>(
            ProgrammeAction::DeferStage(Stage::PreLoad),
            "stages/{stage}/deferral",
            Version::Required,
            "Put a stage off that has not started, to later dates and with a reason.",
            |DeferBody { reason, opens_on, closes_on }, ids| {
                Ok(ProgrammeCommand::DeferStage { stage: stage(ids)?, reason, opens_on, closes_on }.into())
            },
        )
        .act::<ToldBody>(
            ProgrammeAction::Complete,
            "completion",
            Version::Required,
            "Complete a programme whose stages are all completed.",
            |body, _| Ok(Asking::told(ProgrammeCommand::Complete, body.occurred_at)),
        );
}

fn stage(ids: &Ids<'_>) -> Result<Stage, Problem> {
    ids.get("stage")
}

fn plan(table: &mut Table) {
    let (body, answer) = (table.shapes.of::<PlanBody>(), table.shapes.answer::<Programmes>());
    let entry = Entry {
        method: Method::POST,
        body: Some(body),
        answer: (StatusCode::CREATED, answer.clone()),
        command: Some(None),
        ..Entry::get(
            &format!("{PREFIX}/programmes"),
            "programme_plan",
            Programmes::PATH,
            Callers::Roles(ProgrammeAction::Plan.roles()),
            answer,
            "Plan a programme on a needs analysis and on a provider's curriculum, which is copied.",
        )
    };
    table.add(entry, post_programme);
}

/// For the provider's administrator, who reads curricula in the provider's own
/// ledger as well: a programme lives here and copies what lives there.
async fn post_programme(mut call: Call) -> Answer {
    let acting = call.right_to::<Programmes>(ProgrammeAction::Plan, None).await?;
    let body = call.guest.body::<PlanBody>().await?;
    let PlanBody { title, needs_analysis, curriculum } = body.value;
    let AnalysisChoice { needs_analysis, version } = needs_analysis;
    let needs_analysis = NeedsAnalysisPin { needs_analysis, version };
    let (curriculum, content) = copy(&call, curriculum).await?;
    let id = ProgrammeId(ids::new());
    let asking = Asking::from(ProgrammeCommand::Plan(Plan { id, title, needs_analysis, curriculum, content }));
    call.perform::<Programmes>(Ready { id: id.0, expect: Expect::New, asking, acting, body: body.canonical, status: StatusCode::CREATED })
        .await
}

/// What a version of a provider's curriculum holds, and where it was copied
/// from; nothing where there is no such version, or none for this caller.
async fn copy(call: &Call, choice: CurriculumChoice) -> Result<(CurriculumPin, Content), Problem> {
    let CurriculumChoice { organisation, curriculum, version } = choice;
    let mut pin = CurriculumPin { organisation, curriculum, version, position: 0 };
    let Some(known) = call.guest.known(organisation, true).await? else { return Ok((pin, Content::default())) };
    let desk = &call.guest.service.desk;
    if known.acting(Curricula::READERS, None, desk.clock.now()).is_none() {
        let unmet = not_permitted(Curricula::READERS);
        let detail = format!("In the provider's organisation: {}", unmet.detail);
        return Err(Problem::new("not_permitted").detail(detail).errors(vec![unmet.at("/curriculum/organisation")]));
    }
    let (state, _) = desk.load::<Curriculum>(organisation, curriculum.0).await?;
    let Some(content) = state.version(version).cloned() else { return Ok((pin, Content::default())) };
    // Read after the version was seen: what is published stays, so it holds at this position too.
    pin.position = desk.store.head(organisation).await?.map_or(0, |head| head.position);
    Ok((pin, content))
}
