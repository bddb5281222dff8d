//! Curricula, in the provider's ledger: a draft that is worked on, and the
//! versions it was published in, which programmes copy.

use actix_web::HttpResponse;
use lastresort_domain::curriculum::{
    Competency, Criterion, Curriculum, CurriculumAction, CurriculumCommand, CurriculumFacts, Module, ModuleKind, Strand,
};
use lastresort_domain::guard::not_permitted;
use lastresort_domain::organisation::Organisation;
use lastresort_fact::{CompetencyId, CriterionId, CurriculumId, ModuleId, Role};
use lastresort_ledger::desk::{DeskError, States};
use lastresort_ledger::ids;
use lastresort_ledger::rows::{Cell, Filter};
use lastresort_views::Moment;
use lastresort_views::curriculum::{Curricula, CurriculumRow, CurriculumShown, CurriculumVersion};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::Nothing;
use crate::call::{Answer, Call};
use crate::command::Version;
use crate::listing::min_position;
use crate::problem::Problem;
use crate::resource::{At, Form, Resource, Sieve};
use crate::table::{Callers, Entry, PREFIX, Table};

impl Resource for Curricula {
    type State = Curriculum;
    type View = Self;
    type Shown = CurriculumShown;
    const PATH: &'static str = "curricula";
    const ID: &'static str = "curriculum";
    const READERS: &'static [Role] =
        &[Role::ProviderAdmin, Role::Mentor, Role::Assessor, Role::Verifier, Role::AppealReviewer, Role::Inspector];
    const FILTERS: &'static [Sieve] = &[Sieve {
        name: "published",
        form: Form::Word(&["yes", "no"]),
        about: "Only those with a published version, or only those without.",
        filters: |word| {
            vec![if word == "yes" { Filter::AtLeast("latest", Cell::Integer(1)) } else { Filter::Below("latest", Cell::Integer(1)) }]
        },
    }];
    const SORTS: &'static [&'static str] = &["title", "latest"];

    fn shown(row: &CurriculumRow, _: Moment) -> CurriculumShown {
        row.shown()
    }

    fn version(row: &CurriculumRow) -> u64 {
        row.version
    }

    async fn facts(states: &mut impl States, at: &At<'_, Self>) -> Result<CurriculumFacts, DeskError> {
        let (organisation, _) = states.state::<Organisation>(at.organisation.0).await?;
        Ok(CurriculumFacts { kind: organisation.kind })
    }
}

/// A curriculum to begin.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftBody {
    /// Its title.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
}

/// A criterion: one observable part of a competency.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CriterionBody {
    /// Its id, where it is one of those there were; made here where absent.
    id: Option<CriterionId>,
    /// What is to be seen.
    #[schema(min_length = 1, max_length = 300)]
    text: String,
}

/// A competency.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompetencyBody {
    /// A short name for reading, unique in the curriculum.
    #[schema(min_length = 1, max_length = 30, pattern = "^[A-Za-z0-9][A-Za-z0-9.-]*$")]
    code: String,
    /// Its title.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// A trainer's authority cannot be had without it.
    must_pass: bool,
    /// Its observable parts.
    #[schema(min_items = 1, max_items = 40)]
    criteria: Vec<CriterionBody>,
}

/// A competency of the draft, stated anew.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompetencyRevisionBody {
    /// Which competency.
    id: CompetencyId,
    /// A short name for reading, unique in the curriculum.
    #[schema(min_length = 1, max_length = 30, pattern = "^[A-Za-z0-9][A-Za-z0-9.-]*$")]
    code: String,
    /// Its title.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// A trainer's authority cannot be had without it.
    must_pass: bool,
    /// Its observable parts, all of them.
    #[schema(min_items = 1, max_items = 40)]
    criteria: Vec<CriterionBody>,
}

/// A module.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModuleBody {
    /// A short name for reading, unique in the curriculum.
    #[schema(min_length = 1, max_length = 30, pattern = "^[A-Za-z0-9][A-Za-z0-9.-]*$")]
    code: String,
    /// Its title.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// What it helps with.
    strand: Strand,
    /// Knowledge or skill.
    kind: ModuleKind,
    /// How long it is taught, net of breaks.
    #[schema(minimum = 1, maximum = 10_000)]
    minutes: u32,
    /// It is learnt in the pre-load, before anything else.
    #[serde(default)]
    pre_load: bool,
    /// The competencies it serves, of this curriculum.
    #[serde(default)]
    #[schema(max_items = 50)]
    competencies: Vec<CompetencyId>,
}

/// A module of the draft, stated anew.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModuleRevisionBody {
    /// Which module.
    id: ModuleId,
    /// A short name for reading, unique in the curriculum.
    #[schema(min_length = 1, max_length = 30, pattern = "^[A-Za-z0-9][A-Za-z0-9.-]*$")]
    code: String,
    /// Its title.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// What it helps with.
    strand: Strand,
    /// Knowledge or skill.
    kind: ModuleKind,
    /// How long it is taught, net of breaks.
    #[schema(minimum = 1, maximum = 10_000)]
    minutes: u32,
    /// It is learnt in the pre-load, before anything else.
    #[serde(default)]
    pre_load: bool,
    /// The competencies it serves, of this curriculum.
    #[serde(default)]
    #[schema(max_items = 50)]
    competencies: Vec<CompetencyId>,
}

fn criteria(bodies: Vec<CriterionBody>) -> Vec<Criterion> {
    let criterion = |CriterionBody { id, text }| Criterion { id: id.unwrap_or_else(|| CriterionId(ids::new())), text };
    bodies.into_iter().map(criterion).collect()
}

impl CompetencyBody {
    fn added(self) -> Competency {
        let Self { code, title, must_pass, criteria: seen } = self;
        Competency { id: CompetencyId(ids::new()), code, title, must_pass, criteria: criteria(seen) }
    }
}

impl CompetencyRevisionBody {
    fn revised(self) -> Competency {
        let Self { id, code, title, must_pass, criteria: seen } = self;
        Competency { id, code, title, must_pass, criteria: criteria(seen) }
    }
}

impl ModuleBody {
    fn added(self) -> Module {
        let Self { code, title, strand, kind, minutes, pre_load, competencies } = self;
        Module { id: ModuleId(ids::new()), code, title, strand, kind, minutes, pre_load, competencies }
    }
}

impl ModuleRevisionBody {
    fn revised(self) -> Module {
        let Self { id, code, title, strand, kind, minutes, pre_load, competencies } = self;
        Module { id, code, title, strand, kind, minutes, pre_load, competencies }
    }
}

/// The operations.
pub fn operations(table: &mut Table) {
    table
        .resource::<Curricula>()
        .many("List curricula.")
        .one("Read a curriculum: its draft, and which versions were published.")
        .create::<DraftBody>(CurriculumAction::Draft, "Begin a curriculum.", |body, _| {
            let id = CurriculumId(ids::new());
            Ok((id.0, CurriculumCommand::Draft { id, title: body.title }.into()))
        })
        .act::<CompetencyBody>(
            CurriculumAction::AddCompetency,
            "competencies",
            Version::Optional,
            "Add a competency to the draft.",
            |body, _| Ok(CurriculumCommand::AddCompetency(body.added()).into()),
        )
        .act::<CompetencyRevisionBody>(
            CurriculumAction::ReviseCompetency,
            "competency-revisions",
            Version::Required,
            "State a competency of the draft anew; published versions stay as they are.",
            |body, _| Ok(CurriculumCommand::ReviseCompetency(body.revised()).into()),
        )
        .act::<ModuleBody>(CurriculumAction::AddModule, "modules", Version::Optional, "Add a module to the draft.", |body, _| {
            Ok(CurriculumCommand::AddModule(body.added()).into())
        })
        .act::<ModuleRevisionBody>(
            CurriculumAction::ReviseModule,
            "module-revisions",
            Version::Required,
            "State a module of the draft anew; published versions stay as they are.",
            |body, _| Ok(CurriculumCommand::ReviseModule(body.revised()).into()),
        )
        .act::<Nothing>(
            CurriculumAction::Publish,
            "publication",
            Version::Required,
            "Publish the draft as the next version, which never changes.",
            |_, _| Ok(CurriculumCommand::Publish.into()),
        );
    let answer = table.shapes.of::<CurriculumVersion>();
    let entry = Entry::get(
        &format!("{PREFIX}/curricula/{{curriculum}}/versions/{{number}}"),
        "get_curriculum_version",
        Curricula::PATH,
        Callers::Roles(Curricula::READERS),
        answer,
        "Read a published version of a curriculum, as programmes copy it.",
    );
    table.add(entry.query(vec![min_position()]), get_version);
}

/// For whoever reads curricula.
async fn get_version(call: Call) -> Answer {
    let query = call.guest.query(&["min_position"])?;
    let (id, number): (Uuid, u32) = (call.guest.id("curriculum")?, call.guest.id("number")?);
    call.fresh(&query).await?;
    if !call.reads(Curricula::READERS, None) {
        return Err(Problem::from_refusal(not_permitted(Curricula::READERS).into()));
    }
    let follower = &call.guest.service.follower;
    let position = follower.state(call.organisation).await.bookmark;
    let found = follower.row::<Curricula>(call.organisation, &id.to_string()).await?;
    let version = found.and_then(|found| found.row.published(number)).ok_or_else(|| Problem::new("not_found"))?;
    Ok(HttpResponse::Ok().insert_header(("Ledger-Position", position.to_string())).json(version))
}
