//! Candidates, in the client's ledger: one person's way through one programme,
//! from nomination to completion, and the gates they still have before them.

use actix_web::HttpResponse;
use chrono::NaiveDate;
use lastresort_domain::candidate::{Asker, Candidate, CandidateCommand, CandidateFacts, Named, Nominated};
use lastresort_domain::organisation::Organisation;
use lastresort_domain::person::Person;
use lastresort_domain::programme::Programme;
use lastresort_domain::session::Session;
use lastresort_domain::stage::Stage;
use lastresort_fact::{Instant, PersonId, ProgrammeId, Role, Unmet};
use lastresort_ledger::desk::{DeskError, Seen, States};
use lastresort_ledger::rows::Filter;
use lastresort_views::Moment;
use lastresort_views::candidate::{CandidateRow, CandidateShown, Candidates};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::call::{Answer, Call};
use crate::listing::{is, min_position};
use crate::resource::{At, Form, Resource, Sieve};
use crate::sight::{Part, reads_whole, refused};
use crate::table::{Callers, Entry, PREFIX, Table};

pub mod bodies;
mod operations;

pub use operations::operations;

/// The kind of claim that makes a person a candidate of a programme once; given back when they are withdrawn.
pub const CLAIM: &str = "candidate";

impl Resource for Candidates {
    type State = Candidate;
    type View = Self;
    type Shown = CandidateShown;
    const PATH: &'static str = "candidates";
    const ID: &'static str = "candidate";
    const READERS: &'static [Role] = &[Role::ProviderAdmin, Role::Verifier, Role::Manager, Role::GovernanceLead, Role::Inspector];
    const PARTS: &'static [Part<Self>] = &[
        // Status and dates of the training; never what anybody saw, said or decided.
        // Mentors and assessors read the whole of those they are assigned to.
        Part {
            roles: &[Role::HrSystem, Role::Mentor, Role::Assessor],
            shown: CandidateRow::progress,
            asks: &["person", "programme", "status", "stage", "sort"],
            hears: &["CandidateNominated", "CandidateEnrolled", "StageEntered", "CandidateCompleted", "CandidateWithdrawn"],
        },
        // What it needs to send its statements to the right place.
        Part {
            roles: &[Role::LearningPlatform],
            shown: CandidateRow::pre_load_alone,
            asks: &["person", "programme", "status"],
            hears: &[],
        },
    ];
    const ABOUT: Option<fn(PersonId) -> Filter> = Some(|person| is("person", &person.to_string()));
    const PROGRAMME: Option<&'static str> = Some("programme");
    const FILTERS: &'static [Sieve] = &[
        Sieve { name: "person", form: Form::Id, about: "Only those of this person.", filters: |person| vec![is("person", person)] },
        Sieve {
            name: "programme",
            form: Form::Id,
            about: "Only those of this programme.",
            filters: |programme| vec![is("programme", programme)],
        },
        Sieve {
            name: "status",
            form: Form::Word(&["nominated", "enrolled", "completed", "withdrawn"]),
            about: "Only those that have come so far.",
            filters: |status| vec![is("status", status)],
        },
        Sieve {
            name: "stage",
            form: Form::Word(&["pre_load", "introductions", "transfer_week", "projects_week", "co_delivery_week", "remedial_workshop"]),
            about: "Only those whose furthest stage entered is this.",
            filters: |stage| vec![is("stage", stage)],
        },
    ];
    const SORTS: &'static [&'static str] = &["nominated_at"];

    fn shown(row: &CandidateRow, moment: Moment) -> CandidateShown {
        row.shown(moment)
    }

    fn version(row: &CandidateRow) -> u64 {
        row.version
    }

    fn about(row: &CandidateRow) -> Option<PersonId> {
        Some(row.person)
    }

    fn assigned(row: &CandidateRow, person: PersonId, moment: Moment) -> bool {
        row.assigned(person, moment.day)
    }

    fn programme(row: &CandidateRow) -> Option<ProgrammeId> {
        Some(row.programme)
    }

    async fn facts(states: &mut impl States, at: &At<'_, Self>) -> Result<CandidateFacts, DeskError> {
        let (organisation, _) = states.state::<Organisation>(at.organisation.0).await?;
        let today = organisation.day(states.now());
        let mut facts = CandidateFacts { organisation, ..CandidateFacts::default() };
        let needs = Needs::of(at);
        if let Some(programme) = needs.programme {
            (facts.programme, _) = states.state::<Programme>(programme.0).await?;
        }
        if let Some(person) = needs.employed {
            facts.employed = states.state::<Person>(person.0).await?.0.employed_on(today);
        }
        let now = states.now();
        if let Some(person) = at.by.person() {
            let (asker, _) = states.state::<Person>(person.0).await?;
            facts.asker = Asker { employed: asker.employed_on(today), eligible: asker.eligible_on(today, now) };
        }
        if let Some((person, from_on)) = needs.named {
            let (named, version) = states.state::<Person>(person.0).await?;
            facts.named = Named { known: version > 0, eligible: named.eligible_on(from_on, now) };
        }
        if let Some(session) = needs.session {
            let (held, version) = states.state::<Session>(session).await?;
            let programme = held.planned.and_then(|planned| planned.programme);
            facts.session_known = version > 0 && (programme.is_none() || programme == needs.programme);
        }
        Ok(facts)
    }

    fn releases(command: &CandidateCommand, state: &Candidate) -> Vec<(&'static str, Vec<String>)> {
        let withdrawn = state.nominated.filter(|_| matches!(command, CandidateCommand::Withdraw { .. }));
        let held = |nominated: Nominated| (CLAIM, vec![nominated.person.to_string(), nominated.programme.to_string()]);
        withdrawn.map(held).into_iter().collect()
    }

    fn claims(command: &CandidateCommand, _: &Candidate) -> Vec<(&'static str, Vec<String>)> {
        match command {
            CandidateCommand::Nominate { person, programme, .. } => vec![(CLAIM, vec![person.to_string(), programme.to_string()])],
            CandidateCommand::Enrol
            | CandidateCommand::AssignMentor(_)
            | CandidateCommand::AssignAssessor(_)
            | CandidateCommand::RecordPreLoad { .. }
            | CandidateCommand::EnterStage { .. }
            | CandidateCommand::RecordAttendance { .. }
            | CandidateCommand::AllotModules { .. }
            | CandidateCommand::Observe(_)
            | CandidateCommand::SubmitEvidence(_)
            | CandidateCommand::Assess(_)
            | CandidateCommand::DemandAction { .. }
            | CandidateCommand::SettleAction { .. }
            | CandidateCommand::RequestRemedial { .. }
            | CandidateCommand::CoverRemedial { .. }
            | CandidateCommand::Complete
            | CandidateCommand::Withdraw { .. } => Vec::new(),
        }
    }
}

/// What a decision rests on beyond the candidate: nothing is loaded that it does not ask for.
#[derive(Default)]
struct Needs {
    programme: Option<ProgrammeId>,
    employed: Option<PersonId>,
    named: Option<(PersonId, NaiveDate)>,
    session: Option<Uuid>,
}

impl Needs {
    fn of(at: &At<'_, Candidates>) -> Self {
        let programme = at.state.nominated.map(|nominated| nominated.programme);
        let person = at.state.person();
        match at.command {
            None | Some(CandidateCommand::EnterStage { .. }) => Self { programme, employed: person, ..Self::default() },
            Some(CandidateCommand::Nominate { person, programme, .. }) => {
                Self { programme: Some(*programme), employed: Some(*person), ..Self::default() }
            }
            Some(CandidateCommand::Enrol | CandidateCommand::Complete) => Self { employed: person, ..Self::default() },
            Some(CandidateCommand::AssignMentor(told) | CandidateCommand::AssignAssessor(told)) => {
                Self { named: Some((told.person, told.from_on)), ..Self::default() }
            }
            Some(CandidateCommand::Observe(told)) => Self { programme, session: told.session.map(|session| session.0), ..Self::default() },
            Some(
                CandidateCommand::RecordPreLoad { .. }
                | CandidateCommand::AllotModules { .. }
                | CandidateCommand::SubmitEvidence(_)
                | CandidateCommand::Assess(_)
                | CandidateCommand::DemandAction { .. }
                | CandidateCommand::RequestRemedial { .. },
            ) => Self { programme, ..Self::default() },
            Some(
                CandidateCommand::RecordAttendance { .. }
                | CandidateCommand::SettleAction { .. }
                | CandidateCommand::CoverRemedial { .. }
                | CandidateCommand::Withdraw { .. },
            ) => Self::default(),
        }
    }
}

/// The gate of a stage, for one candidate.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GateShown {
    /// Which stage.
    pub stage: Stage,
    /// They have entered it.
    pub entered: bool,
    /// It would let them in now.
    pub open: bool,
    /// Everything that stands between them and the stage; nothing once they have entered it.
    pub unmet: Vec<Unmet>,
}

/// The gates of a candidate.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GatesShown {
    /// One for each stage, in the order they run.
    pub items: Vec<GateShown>,
}

/// Who reads gates: mentors and assessors those of whom they are assigned to.
const GATE_READERS: &[Role] =
    &[Role::ProviderAdmin, Role::Mentor, Role::Assessor, Role::Verifier, Role::Manager, Role::GovernanceLead, Role::Inspector];

fn gates(table: &mut Table) {
    let shape = table.shapes.of::<GatesShown>();
    let entry = Entry::get(
        &format!("{PREFIX}/candidates/{{candidate}}/gates"),
        "get_candidate_gates",
        Candidates::PATH,
        Callers::RolesAndOneself(GATE_READERS),
        shape,
        "Read what stands between a candidate and each stage.",
    );
    table.add(entry.query(vec![min_position()]), get_gates);
}

/// For those who read the whole of the candidate, and for the candidate.
async fn get_gates(call: Call) -> Answer {
    let id: Uuid = call.guest.id("candidate")?;
    call.fresh(&call.guest.query(&["min_position"])?).await?;
    let follower = &call.guest.service.follower;
    let position = follower.state(call.organisation).await.bookmark;
    let found = follower.row::<Candidates>(call.organisation, &id.to_string()).await?.ok_or_else(|| call.missing(GATE_READERS))?;
    let mut reader = call.reader(Seen::default());
    if !reads_whole::<Candidates>(&call, &found.row, call.moment(&mut reader).await?) {
        return Err(refused::<Candidates>());
    }
    let (candidate, _) = reader.state::<Candidate>(id).await?;
    let at = At { organisation: call.organisation, id, by: call.actor(), state: &candidate, command: None };
    let facts = Candidates::facts(&mut reader, &at).await?;
    let now = reader.now();
    let items = Stage::ALL.map(|stage| gate(&candidate, stage, &facts, now)).to_vec();
    Ok(HttpResponse::Ok().insert_header(("Ledger-Position", position.to_string())).json(GatesShown { items }))
}

fn gate(candidate: &Candidate, stage: Stage, facts: &CandidateFacts, now: Instant) -> GateShown {
    let entered = candidate.entered.contains_key(&stage);
    let unmet = if entered { Vec::new() } else { candidate.gate(stage, facts, now) };
    GateShown { stage, entered, open: !entered && unmet.is_empty(), unmet }
}
