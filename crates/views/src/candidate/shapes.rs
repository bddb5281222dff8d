//! The shapes in which a candidate is shown.

use lastresort_domain::candidate::{Capacity, CriterionResult, Decision, EvidenceKind, ObservationKind, SupervisionLevel};
use utoipa::ToSchema;

use super::{
    AssessmentId, CandidateId, CompetencyId, EventId, EvidenceId, Instant, ModuleId, NaiveDate, ObservationId, PersonId, PersonalText,
    ProgrammeId, RemedialRequestId, RequiredActionId, Serialize, SessionId, Stage,
};

/// How far an enrolment has come. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CandidateStatus {
    /// Nominated, and not enrolled yet.
    Nominated,
    /// Enrolled.
    Enrolled,
    /// The programme is completed.
    Completed,
    /// Withdrawn.
    Withdrawn,
}

/// What became of a remedial request. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemedialStatus {
    /// It waits for the workshop.
    Open,
    /// The workshop covered it.
    Covered,
    /// The workshop did not come to it.
    NotCovered,
}

/// A mentor's assignment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MentorShown {
    /// Who.
    pub person: PersonId,
    /// The first day.
    pub from_on: NaiveDate,
    /// The last day, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_on: Option<NaiveDate>,
}

/// An assessor's assignment: the dates last told of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AssessorShown {
    /// Who.
    pub person: PersonId,
    /// The first day.
    pub from_on: NaiveDate,
    /// The last day, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_on: Option<NaiveDate>,
    /// They had not been this candidate's mentor when they were assigned.
    pub independent: bool,
}

/// How far somebody is in a module of the pre-load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PreLoadShown {
    /// The module.
    pub module: ModuleId,
    /// How much of it is done, 0 to 100.
    #[schema(maximum = 100)]
    pub percent: u8,
    /// When it was so.
    pub progressed_at: Instant,
    /// The fact that says so: what a correction supersedes.
    pub fact: EventId,
}

/// A day somebody was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttendedDay {
    /// The day.
    pub on: NaiveDate,
    /// For how long, net of breaks.
    pub minutes: u32,
    /// The fact that says so: what a correction supersedes.
    pub fact: EventId,
}

/// A stage, as far as this candidate has come in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StageEntryShown {
    /// Which.
    pub stage: Stage,
    /// When they entered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entered_at: Option<Instant>,
    /// The days they were there.
    pub days: Vec<AttendedDay>,
}

/// An observation.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ObservationShown {
    /// Its id.
    pub id: ObservationId,
    /// The fact that says so: what a correction supersedes.
    pub fact: EventId,
    /// When it was seen.
    pub observed_at: Instant,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// In what capacity.
    pub capacity: Capacity,
    /// How.
    pub kind: ObservationKind,
    /// Of which competency.
    pub competency: CompetencyId,
    /// In which module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<ModuleId>,
    /// In which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// What was seen of each criterion.
    pub results: Vec<CriterionResult>,
    /// The same in words.
    pub narrative: PersonalText,
}

/// A piece of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EvidenceShown {
    /// Its id.
    pub id: EvidenceId,
    /// The fact that says so: what a replacement supersedes.
    pub fact: EventId,
    /// When it was handed in.
    pub submitted_at: Instant,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// What kind it is.
    pub kind: EvidenceKind,
    /// Of which competencies.
    pub competencies: Vec<CompetencyId>,
    /// Its title.
    pub title: PersonalText,
    /// Where it lies: a URI.
    pub reference: PersonalText,
    /// The SHA-256 of its bytes.
    pub sha256: String,
}

/// A decision on a competency.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AssessmentShown {
    /// Its id.
    pub id: AssessmentId,
    /// When it was made.
    pub decided_at: Instant,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// On which competency.
    pub competency: CompetencyId,
    /// In which module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<ModuleId>,
    /// What was decided.
    pub decision: Decision,
    /// How much supervision is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<SupervisionLevel>,
    /// The observations it rests on.
    pub observations: Vec<ObservationId>,
    /// The evidence it rests on.
    pub evidence: Vec<EvidenceId>,
    /// Why.
    pub reason: PersonalText,
}

/// Something an assessor demanded: it blocks until it is settled.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RequiredActionShown {
    /// Its id.
    pub id: RequiredActionId,
    /// When it was demanded.
    pub required_at: Instant,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// About which competency.
    pub competency: CompetencyId,
    /// What they are to do.
    pub what: PersonalText,
    /// When it was settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Instant>,
}

/// Something the candidate asked for: it never counts against them.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RemedialShown {
    /// Its id.
    pub id: RemedialRequestId,
    /// When they asked.
    pub requested_at: Instant,
    /// How urgent it is to them: 1 comes first.
    pub rank: u32,
    /// What became of it.
    pub status: RemedialStatus,
    /// On what.
    pub topic: PersonalText,
    /// Which competencies it touches.
    pub competencies: Vec<CompetencyId>,
    /// What is left of it for later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carries_over: Option<PersonalText>,
}

/// A candidate: one person's enrolment in one programme.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CandidateShown {
    /// The candidate's id.
    pub id: CandidateId,
    /// The version, as in `ETag`.
    pub version: u64,
    /// Who they are.
    pub person: PersonId,
    /// In which programme.
    pub programme: ProgrammeId,
    /// How far it has come.
    pub status: CandidateStatus,
    /// When they were nominated.
    pub nominated_at: Instant,
    /// When they were enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrolled_at: Option<Instant>,
    /// When they completed the programme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Instant>,
    /// When they were withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Instant>,
    /// Why they were withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawal_reason: Option<PersonalText>,
    /// Who mentors them today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentor: Option<PersonId>,
    /// Mentors, in the order assigned.
    pub mentors: Vec<MentorShown>,
    /// Assessors.
    pub assessors: Vec<AssessorShown>,
    /// The pre-load, as far as it was begun.
    pub pre_load: Vec<PreLoadShown>,
    /// The six stages, in the order they run.
    pub stages: Vec<StageEntryShown>,
    /// The modules they deliver in the projects week.
    pub allotted_modules: Vec<ModuleId>,
    /// What was seen of them, in the order it was.
    pub observations: Vec<ObservationShown>,
    /// What was handed in, in the order it was.
    pub evidence: Vec<EvidenceShown>,
    /// What was decided, in the order it was.
    pub assessments: Vec<AssessmentShown>,
    /// What was demanded, in the order it was.
    pub required_actions: Vec<RequiredActionShown>,
    /// What they asked for, the most urgent first.
    pub remedial_requests: Vec<RemedialShown>,
}

impl CandidateStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nominated => "nominated",
            Self::Enrolled => "enrolled",
            Self::Completed => "completed",
            Self::Withdrawn => "withdrawn",
        }
    }
}
