//! The shapes in which a session is shown.

use lastresort_fact::EventId;
use utoipa::ToSchema;

use super::{
    AttainmentResult, Instant, LowRisk, ModuleId, PersonId, PersonalText, ProgrammeId, Responsibility, Serialize, SessionId, SessionKind,
    Stage, Trainer, UnitId,
};

/// How far a session has come. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// It is planned.
    Planned,
    /// It was held.
    Completed,
    /// It was cancelled.
    Cancelled,
}

/// Whether the owner of a responsibility stands. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponsibilityStatus {
    /// Nobody was proposed.
    Unowned,
    /// Somebody was proposed, or named by a change beforehand, and not everybody has agreed.
    Proposed,
    /// Every mentor and candidate agreed.
    Agreed,
    /// It was changed on record once the session had begun.
    Changed,
}

/// Whether what was judged stands. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttainmentStatus {
    /// A candidate judged it, and it waits for the mentor.
    Provisional,
    /// A candidate judged it, and the mentor stood for it.
    Countersigned,
    /// A trainer judged it.
    Judged,
}

/// A module of a session, planned and actual. Minutes are net of breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionModuleShown {
    /// The module.
    pub module: ModuleId,
    /// Minutes of teaching, as planned.
    pub minutes: u32,
    /// Minutes of assessing, as planned.
    pub assessment_minutes: u32,
    /// Minutes of teaching, as they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_minutes: Option<u32>,
    /// Minutes of assessing, as they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_assessment_minutes: Option<u32>,
}

/// A responsibility of a co-delivery: agreed beforehand, kept beside what was done.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ResponsibilityShown {
    /// Which.
    pub responsibility: Responsibility,
    /// Whether its owner stands.
    pub status: ResponsibilityStatus,
    /// Its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// Who agreed to that.
    pub agreed_by: Vec<PersonId>,
    /// Why it was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<PersonalText>,
    /// Who really answered for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_owner: Option<PersonId>,
}

/// A learner's attendance of a module.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AttendanceShown {
    /// The learner.
    pub person: PersonId,
    /// The module.
    pub module: ModuleId,
    /// For how long; 0 where they stayed away.
    pub minutes: u32,
    /// When that was so: a correction keeps it.
    pub occurred_at: Instant,
    /// The fact that says so: what a correction supersedes.
    pub fact: EventId,
    /// Why it was corrected once the session was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<PersonalText>,
}

/// What a learner attained in a module.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AttainmentShown {
    /// The learner.
    pub person: PersonId,
    /// The module.
    pub module: ModuleId,
    /// What was attained.
    pub result: AttainmentResult,
    /// Whether that stands.
    pub status: AttainmentStatus,
    /// When it was judged: a correction keeps it.
    pub judged_at: Instant,
    /// The fact that says so: what a correction supersedes.
    pub fact: EventId,
    /// Why it was corrected once the session was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<PersonalText>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged_by: Option<PersonId>,
    /// When the mentor stood for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub countersigned_at: Option<Instant>,
    /// Which mentor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub countersigned_by: Option<PersonId>,
}

/// A session: a course day, a co-delivered day or a workshop.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SessionShown {
    /// Its id.
    pub id: SessionId,
    /// The version, as in `ETag`.
    pub version: u64,
    /// The programme whose modules it teaches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub programme: Option<ProgrammeId>,
    /// The stage it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// What it is.
    pub kind: SessionKind,
    /// How far it has come.
    pub status: SessionStatus,
    /// Its title.
    pub title: String,
    /// Its modules.
    pub modules: Vec<SessionModuleShown>,
    /// When it begins.
    pub starts_at: Instant,
    /// When it ends.
    pub ends_at: Instant,
    /// In which unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
    /// Where.
    pub venue: String,
    /// Who teaches.
    pub trainers: Vec<Trainer>,
    /// When other trainers than planned were named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trainers_changed_at: Option<Instant>,
    /// Why they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trainers_changed_because: Option<PersonalText>,
    /// How many learners it has places for.
    pub learners_max: u32,
    /// Physical skills are taught in it: ratios apply.
    pub physical: bool,
    /// The risk assessment, where one was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_risk: Option<LowRisk>,
    /// Who answers for what, in co-delivery.
    pub responsibilities: Vec<ResponsibilityShown>,
    /// The learners.
    pub roster: Vec<PersonId>,
    /// Who was there.
    pub attendance: Vec<AttendanceShown>,
    /// What was attained.
    pub attainment: Vec<AttainmentShown>,
    /// When it was planned.
    pub planned_at: Instant,
    /// When the plan was put on record: later than that where it was told late.
    pub recorded_at: Instant,
    /// When it was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Instant>,
    /// The fact that says so and what it came to: what a correction supersedes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_fact: Option<EventId>,
    /// Why what it came to was corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_reason: Option<PersonalText>,
    /// When it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<Instant>,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation_reason: Option<PersonalText>,
}

impl SessionStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}
