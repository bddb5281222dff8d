//! What is sent about a candidate. Texts are about the candidate, and sealed.

use chrono::NaiveDate;
use lastresort_domain::candidate::{
    Assess, Assign, CandidateCommand, CriterionResult, Decision, EvidenceKind, Met, ObservationKind, Observe, SubmitEvidence,
    SupervisionLevel,
};
use lastresort_domain::stage::Stage;
use lastresort_fact::{
    AssessmentId, CandidateId, CompetencyId, CriterionId, EventId, EvidenceId, Instant, ModuleId, ObservationId, PersonId, ProgrammeId,
    RemedialRequestId, RequiredActionId, SessionId,
};
use lastresort_ledger::ids;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::command::Asking;

/// A nomination.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NominateBody {
    /// Whom: somebody employed here, and not oneself.
    person: PersonId,
    /// For which programme.
    programme: ProgrammeId,
}

/// An assignment, with its dates.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignBody {
    /// Whom: somebody whom the provider's word lets act on the first day.
    person: PersonId,
    /// The first day: today or later.
    from_on: NaiveDate,
    /// The last day, where one is known.
    to_on: Option<NaiveDate>,
}

/// Progress in the pre-load.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreLoadBody {
    /// The module.
    module: ModuleId,
    /// How much of it is done.
    #[schema(minimum = 0, maximum = 100)]
    percent: u8,
    /// When it was so; now where absent, never in the future.
    occurred_at: Option<Instant>,
    /// The fact this corrects; its time is kept.
    supersedes: Option<EventId>,
}

/// A day somebody was there.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttendanceBody {
    /// In which stage: one they have entered.
    stage: Stage,
    /// On which day, today or before.
    on: NaiveDate,
    /// For how long, net of breaks; 0 only where that corrects what was recorded.
    #[schema(minimum = 0, maximum = 1_440)]
    minutes: u32,
    /// When that was so; now where absent, never in the future.
    occurred_at: Option<Instant>,
    /// The fact this corrects; its time is kept.
    supersedes: Option<EventId>,
}

/// The modules of the projects week.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllotmentBody {
    /// All of them, knowledge modules of the programme.
    #[schema(min_items = 1, max_items = 50)]
    modules: Vec<ModuleId>,
}

/// What was seen of one criterion.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CriterionResultBody {
    /// The criterion, of the competency observed.
    criterion: CriterionId,
    /// What was seen.
    met: Met,
}

/// An observation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservationBody {
    /// Its id; made here where absent, and that of the observation it corrects.
    id: Option<ObservationId>,
    /// Of which competency.
    competency: CompetencyId,
    /// In which module.
    module: Option<ModuleId>,
    /// How it was seen.
    kind: ObservationKind,
    /// In which session.
    session: Option<SessionId>,
    /// What was seen of each criterion.
    #[serde(default)]
    #[schema(max_items = 60)]
    results: Vec<CriterionResultBody>,
    /// The same in words.
    #[schema(min_length = 1, max_length = 4_000)]
    narrative: String,
    /// When it was seen; now where absent, never in the future.
    occurred_at: Option<Instant>,
    /// The fact this corrects; its time is kept.
    supersedes: Option<EventId>,
}

/// A piece of evidence, by reference and hash.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceBody {
    /// Its id; made here where absent, and that of the evidence it replaces.
    id: Option<EvidenceId>,
    /// What kind it is.
    kind: EvidenceKind,
    /// Of which competencies.
    #[schema(min_items = 1, max_items = 50)]
    competencies: Vec<CompetencyId>,
    /// Its title.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// Where it lies: a URI.
    #[schema(min_length = 1, max_length = 2_000, pattern = "^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$")]
    reference: String,
    /// The SHA-256 of its bytes, in lower-case hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// When it was handed in; now where absent, never in the future.
    occurred_at: Option<Instant>,
    /// The fact this replaces; its time is kept.
    supersedes: Option<EventId>,
}

/// A decision on a competency.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessmentBody {
    /// Its id; made here where absent.
    id: Option<AssessmentId>,
    /// On which competency.
    competency: CompetencyId,
    /// In which module.
    module: Option<ModuleId>,
    /// What is decided.
    decision: Decision,
    /// How much supervision is left.
    level: Option<SupervisionLevel>,
    /// The observations of the competency it rests on.
    #[serde(default)]
    #[schema(max_items = 60)]
    observations: Vec<ObservationId>,
    /// The evidence of the competency it rests on.
    #[serde(default)]
    #[schema(max_items = 60)]
    evidence: Vec<EvidenceId>,
    /// Why.
    #[schema(min_length = 1, max_length = 4_000)]
    reason: String,
    /// When it was decided; now where absent, never in the future.
    occurred_at: Option<Instant>,
}

/// Something that is demanded of a candidate.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequiredActionBody {
    /// Its id; made here where absent.
    id: Option<RequiredActionId>,
    /// About which competency.
    competency: CompetencyId,
    /// What they are to do.
    #[schema(min_length = 1, max_length = 2_000)]
    what: String,
    /// When it was demanded; now where absent, never in the future.
    occurred_at: Option<Instant>,
}

/// Something a candidate asks for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemedialRequestBody {
    /// Its id; made here where absent.
    id: Option<RemedialRequestId>,
    /// On what.
    #[schema(min_length = 1, max_length = 1_000)]
    topic: String,
    /// Which competencies it touches.
    #[serde(default)]
    #[schema(max_items = 50)]
    competencies: Vec<CompetencyId>,
    /// How urgent it is: 1 comes first.
    #[schema(minimum = 1, maximum = 1_000)]
    rank: u32,
    /// When it was asked; now where absent, never in the future.
    occurred_at: Option<Instant>,
}

/// What became of a request.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageBody {
    /// The workshop covered it.
    covered: bool,
    /// What is left of it for later.
    #[schema(min_length = 1, max_length = 1_000)]
    carries_over: Option<String>,
    /// When that was so; now where absent, never in the future.
    occurred_at: Option<Instant>,
}

/// A withdrawal.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalBody {
    /// Why.
    #[schema(min_length = 1, max_length = 1_000)]
    reason: String,
    /// When that was so; now where absent, never in the future.
    occurred_at: Option<Instant>,
}

type Asked = Asking<CandidateCommand>;

impl NominateBody {
    pub(super) fn asked(self) -> (Uuid, Asked) {
        let id = CandidateId(ids::new());
        (id.0, CandidateCommand::Nominate { id, person: self.person, programme: self.programme }.into())
    }
}

impl AssignBody {
    pub(super) const fn assign(self) -> Assign {
        Assign { person: self.person, from_on: self.from_on, to_on: self.to_on }
    }
}

impl PreLoadBody {
    pub(super) fn asked(self) -> Asked {
        let command = CandidateCommand::RecordPreLoad { module: self.module, percent: self.percent };
        Asking::told(command, self.occurred_at).correcting(self.supersedes)
    }
}

impl AttendanceBody {
    pub(super) fn asked(self) -> Asked {
        let command = CandidateCommand::RecordAttendance { stage: self.stage, on: self.on, minutes: self.minutes };
        Asking::told(command, self.occurred_at).correcting(self.supersedes)
    }
}

impl AllotmentBody {
    pub(super) fn asked(self) -> Asked {
        CandidateCommand::AllotModules { modules: self.modules }.into()
    }
}

impl ObservationBody {
    pub(super) fn asked(self) -> Asked {
        let Self { id, competency, module, kind, session, results, narrative, occurred_at, supersedes } = self;
        let observation = id.unwrap_or_else(|| ObservationId(ids::new()));
        let results = results.into_iter().map(|CriterionResultBody { criterion, met }| CriterionResult { criterion, met }).collect();
        let told = Observe { observation, competency, module, kind, session, results, narrative };
        Asking::told(CandidateCommand::Observe(told), occurred_at).correcting(supersedes)
    }
}

impl EvidenceBody {
    pub(super) fn asked(self) -> Asked {
        let Self { id, kind, competencies, title, reference, sha256, occurred_at, supersedes } = self;
        let evidence = id.unwrap_or_else(|| EvidenceId(ids::new()));
        let told = SubmitEvidence { evidence, kind, competencies, title, reference, sha256 };
        Asking::told(CandidateCommand::SubmitEvidence(told), occurred_at).correcting(supersedes)
    }
}

impl AssessmentBody {
    pub(super) fn asked(self) -> Asked {
        let Self { id, competency, module, decision, level, observations, evidence, reason, occurred_at } = self;
        let assessment = id.unwrap_or_else(|| AssessmentId(ids::new()));
        let told = Assess { assessment, competency, module, decision, level, observations, evidence, reason };
        Asking::told(CandidateCommand::Assess(told), occurred_at)
    }
}

impl RequiredActionBody {
    pub(super) fn asked(self) -> Asked {
        let action = self.id.unwrap_or_else(|| RequiredActionId(ids::new()));
        Asking::told(CandidateCommand::DemandAction { action, competency: self.competency, what: self.what }, self.occurred_at)
    }
}

impl RemedialRequestBody {
    pub(super) fn asked(self) -> Asked {
        let Self { id, topic, competencies, rank, occurred_at } = self;
        let request = id.unwrap_or_else(|| RemedialRequestId(ids::new()));
        Asking::told(CandidateCommand::RequestRemedial { request, topic, competencies, rank }, occurred_at)
    }
}

impl CoverageBody {
    pub(super) fn asked(self, request: RemedialRequestId) -> Asked {
        let Self { covered, carries_over, occurred_at } = self;
        Asking::told(CandidateCommand::CoverRemedial { request, covered, carries_over }, occurred_at)
    }
}

impl WithdrawalBody {
    pub(super) fn asked(self) -> Asked {
        Asking::told(CandidateCommand::Withdraw { reason: self.reason }, self.occurred_at)
    }
}
