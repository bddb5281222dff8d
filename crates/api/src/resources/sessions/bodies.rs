//! What is sent about a session.

use lastresort_domain::session::{
    AttainmentResult, Attended, Judged, LowRisk, ModuleMinutes, Owner, Plan, Record, Responsibility, SessionCommand, SessionKind, Trainer,
    TrainerPart,
};
use lastresort_domain::stage::Stage;
use lastresort_fact::{EventId, Instant, ModuleId, PersonId, ProgrammeId, Refusal, SessionId, UnitId};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::command::Asking;
use crate::problem::Problem;

/// A module, with its minutes net of breaks.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModuleMinutesBody {
    /// The module.
    module: ModuleId,
    /// Minutes of teaching.
    #[schema(minimum = 0, maximum = 1_440)]
    minutes: u32,
    /// Minutes of assessing, apart from them.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_440)]
    assessment_minutes: u32,
}

/// Somebody who teaches.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainerBody {
    /// Who.
    person: PersonId,
    /// As what.
    part: TrainerPart,
}

/// A risk assessment in the four domains: true where the risk is low.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "four domains, each low or not")]
pub struct LowRiskBody {
    /// Safety.
    safety: bool,
    /// Risk factors of the people supported.
    client_risk_factors: bool,
    /// How well the content can be taught.
    trainability: bool,
    /// How effective it is.
    effectiveness: bool,
}

/// A session to plan.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionPlanBody {
    /// The programme whose modules it teaches; only a workshop without modules needs none.
    programme: Option<ProgrammeId>,
    /// The stage it belongs to.
    stage: Option<Stage>,
    /// What it is: of a kind that is held in that stage.
    kind: SessionKind,
    /// Its title, without anything personal.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// Its modules, each once.
    #[serde(default)]
    #[schema(max_items = 50)]
    modules: Vec<ModuleMinutesBody>,
    /// When it begins.
    starts_at: Instant,
    /// When it ends: within a day.
    ends_at: Instant,
    /// In which unit.
    unit: Option<UnitId>,
    /// Where, without anything personal.
    #[schema(min_length = 1, max_length = 200)]
    venue: String,
    /// Who teaches: of a course day one lead, and seconds; of a co-delivery mentors and candidates.
    #[schema(min_items = 1, max_items = 10)]
    trainers: Vec<TrainerBody>,
    /// How many learners it has places for.
    #[schema(minimum = 1, maximum = 200)]
    learners_max: u32,
    /// Physical skills are taught in it: ratios apply.
    physical: bool,
    /// The risk assessment, where one was made: one trainer alone needs it.
    low_risk: Option<LowRiskBody>,
    /// When it was planned; now where absent, never in the future.
    occurred_at: Option<Instant>,
}

/// Who answers for something.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnerBody {
    /// For what.
    responsibility: Responsibility,
    /// Who: a mentor or candidate of the session.
    owner: PersonId,
}

/// Who answers for what.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnersBody {
    /// Each responsibility once.
    #[schema(min_items = 1, max_items = 7)]
    owners: Vec<OwnerBody>,
    /// When that was said; now where absent, never in the future.
    occurred_at: Option<Instant>,
}

/// A change of who answers for something.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnerChangeBody {
    /// For what.
    responsibility: Responsibility,
    /// Who, from now on.
    owner: PersonId,
    /// Why.
    #[schema(min_length = 1, max_length = 1_000)]
    reason: String,
    /// When that was so; now where absent, never in the future.
    occurred_at: Option<Instant>,
}

/// Other trainers.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainersBody {
    /// All who teach from now on.
    #[schema(min_items = 1, max_items = 10)]
    trainers: Vec<TrainerBody>,
    /// Why.
    #[schema(min_length = 1, max_length = 1_000)]
    reason: String,
}

/// The learners.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterBody {
    /// All of them.
    #[schema(min_items = 1, max_items = 200)]
    learners: Vec<PersonId>,
}

/// A learner's attendance of a module.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttendedBody {
    /// The learner.
    person: PersonId,
    /// The module.
    module: ModuleId,
    /// For how long; 0 where they stayed away.
    #[schema(minimum = 0, maximum = 1_440)]
    minutes: u32,
}

/// Attendance of a group.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionAttendanceBody {
    /// Line by line; a correction holds every line of the record it supersedes.
    #[schema(min_items = 1, max_items = 500)]
    attendance: Vec<AttendedBody>,
    /// When that was so; now where absent, never in the future.
    occurred_at: Option<Instant>,
    /// The fact this corrects; its time is kept.
    supersedes: Option<EventId>,
}

/// What a learner attained in a module.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JudgedBody {
    /// The learner.
    person: PersonId,
    /// The module, which they attended.
    module: ModuleId,
    /// What was attained.
    result: AttainmentResult,
}

/// Attainment of a group.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttainmentBody {
    /// Line by line.
    #[schema(min_items = 1, max_items = 500)]
    attainment: Vec<JudgedBody>,
    /// When it was judged; now where absent, never in the future.
    occurred_at: Option<Instant>,
}

/// That a session was held.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldBody {
    /// Who really answered for something, where it was not as agreed.
    #[serde(default)]
    #[schema(max_items = 7)]
    owners: Vec<OwnerBody>,
    /// The minutes a module really took, where it was not as planned.
    #[serde(default)]
    #[schema(max_items = 50)]
    modules: Vec<ModuleMinutesBody>,
    /// When it was completed; now where absent, never in the future.
    occurred_at: Option<Instant>,
}

/// That a session is not held.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancellationBody {
    /// Why.
    #[schema(min_length = 1, max_length = 1_000)]
    reason: String,
    /// When it was cancelled; now where absent, never in the future.
    occurred_at: Option<Instant>,
}

/// What a session came to.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompletionRecordBody {
    /// Who really answered for something, where it was not as agreed.
    #[serde(default)]
    #[schema(max_items = 7)]
    owners: Vec<OwnerBody>,
    /// The minutes a module really took, where it was not as planned.
    #[serde(default)]
    #[schema(max_items = 50)]
    modules: Vec<ModuleMinutesBody>,
}

/// A record of a completed session as it should have been told: exactly one of attendance, attainment and completion, the whole of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionCorrectionBody {
    /// Who was there: every line of the record it supersedes.
    #[schema(min_items = 1, max_items = 500)]
    attendance: Option<Vec<AttendedBody>>,
    /// What was attained: every line that the record it supersedes still holds.
    #[schema(min_items = 1, max_items = 500)]
    attainment: Option<Vec<JudgedBody>>,
    /// What it came to.
    completion: Option<CompletionRecordBody>,
    /// Why.
    #[schema(min_length = 1, max_length = 1_000)]
    reason: String,
    /// When what it corrects was so: the time of the fact it supersedes.
    occurred_at: Instant,
    /// The fact this corrects.
    supersedes: EventId,
}

type Asked = Asking<SessionCommand>;

fn owners(bodies: Vec<OwnerBody>) -> Vec<Owner> {
    bodies.into_iter().map(|OwnerBody { responsibility, owner }| Owner { responsibility, owner }).collect()
}

fn trainers(bodies: Vec<TrainerBody>) -> Vec<Trainer> {
    bodies.into_iter().map(|TrainerBody { person, part }| Trainer { person, part }).collect()
}

fn modules(bodies: Vec<ModuleMinutesBody>) -> Vec<ModuleMinutes> {
    let module = |ModuleMinutesBody { module, minutes, assessment_minutes }| ModuleMinutes { module, minutes, assessment_minutes };
    bodies.into_iter().map(module).collect()
}

fn attended(bodies: Vec<AttendedBody>) -> Vec<Attended> {
    bodies.into_iter().map(|AttendedBody { person, module, minutes }| Attended { person, module, minutes }).collect()
}

fn judged(bodies: Vec<JudgedBody>) -> Vec<Judged> {
    bodies.into_iter().map(|JudgedBody { person, module, result }| Judged { person, module, result }).collect()
}

impl SessionPlanBody {
    pub(super) fn asked(self) -> (Uuid, Asked) {
        let session = SessionId(lastresort_ledger::ids::new());
        let low_risk = self.low_risk.map(|LowRiskBody { safety, client_risk_factors, trainability, effectiveness }| LowRisk {
            safety,
            client_risk_factors,
            trainability,
            effectiveness,
        });
        let plan = Plan {
            session,
            programme: self.programme,
            stage: self.stage,
            kind: self.kind,
            title: self.title,
            modules: modules(self.modules),
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            unit: self.unit,
            venue: self.venue,
            trainers: trainers(self.trainers),
            learners_max: self.learners_max,
            physical: self.physical,
            low_risk,
        };
        (session.0, Asking::told(SessionCommand::Plan(plan), self.occurred_at))
    }
}

impl OwnersBody {
    pub(super) fn proposed(self) -> Asked {
        Asking::told(SessionCommand::Propose { owners: owners(self.owners) }, self.occurred_at)
    }

    pub(super) fn agreed(self) -> Asked {
        Asking::told(SessionCommand::Agree { owners: owners(self.owners) }, self.occurred_at)
    }
}

impl OwnerChangeBody {
    pub(super) fn asked(self) -> Asked {
        let Self { responsibility, owner, reason, occurred_at } = self;
        Asking::told(SessionCommand::Change { responsibility, owner, reason }, occurred_at)
    }
}

impl TrainersBody {
    pub(super) fn asked(self) -> Asked {
        SessionCommand::ChangeTrainers { trainers: trainers(self.trainers), reason: self.reason }.into()
    }
}

impl RosterBody {
    pub(super) fn asked(self) -> Asked {
        SessionCommand::SetRoster { learners: self.learners }.into()
    }
}

impl SessionAttendanceBody {
    pub(super) fn asked(self) -> Asked {
        let attendance = attended(self.attendance);
        Asking::told(SessionCommand::RecordAttendance { attendance }, self.occurred_at).correcting(self.supersedes)
    }
}

impl AttainmentBody {
    pub(super) fn asked(self) -> Asked {
        let attainment = judged(self.attainment);
        Asking::told(SessionCommand::RecordAttainment { attainment }, self.occurred_at)
    }
}

impl HeldBody {
    pub(super) fn asked(self) -> Asked {
        let command = SessionCommand::Complete { owners: owners(self.owners), modules: modules(self.modules) };
        Asking::told(command, self.occurred_at)
    }
}

impl SessionCorrectionBody {
    pub(super) fn asked(self) -> Result<Asked, Problem> {
        let attendance = self.attendance.map(|lines| Record::Attendance(attended(lines)));
        let attainment = self.attainment.map(|lines| Record::Attainment(judged(lines)));
        let completion = self.completion.map(|told| Record::Completion { owners: owners(told.owners), modules: modules(told.modules) });
        let mut records = [attendance, attainment, completion].into_iter().flatten();
        let (Some(record), None) = (records.next(), records.next()) else {
            return Err(Problem::from_refusal(Refusal::one(
                "invalid",
                "Exactly one of attendance, attainment and completion is corrected at once.",
            )));
        };
        let command = SessionCommand::Correct { record, reason: self.reason };
        Ok(Asking::told(command, Some(self.occurred_at)).correcting(Some(self.supersedes)))
    }
}

impl CancellationBody {
    pub(super) fn asked(self) -> Asked {
        Asking::told(SessionCommand::Cancel { reason: self.reason }, self.occurred_at)
    }
}
