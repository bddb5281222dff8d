//! What may be asked of a candidate. Texts stand in the open here; they become
//! narratives about the candidate on their way into a fact.

use chrono::NaiveDate;
use lastresort_fact::{
    AssessmentId, CandidateId, CompetencyId, EvidenceId, ModuleId, ObservationId, PersonId, ProgrammeId, RemedialRequestId,
    RequiredActionId, SessionId,
};

use super::action::CandidateAction;
use super::event::{CriterionResult, Decision, EvidenceKind, ObservationKind, SupervisionLevel};
use crate::stage::Stage;

/// What may be asked of a candidate.
#[derive(Clone, Debug)]
pub enum CandidateCommand {
    /// Nominate a person for a programme.
    Nominate {
        /// The candidate's id, new.
        id: CandidateId,
        /// Whom.
        person: PersonId,
        /// For which programme.
        programme: ProgrammeId,
    },
    /// Enrol them.
    Enrol,
    /// Assign their mentor; where dates overlap, the one assigned last is their mentor.
    AssignMentor(Assign),
    /// Assign an assessor; told again of the same person, the dates told last hold.
    AssignAssessor(Assign),
    /// Record how far they came in a module of the pre-load.
    RecordPreLoad {
        /// The module.
        module: ModuleId,
        /// How much of it is done, 0 to 100.
        percent: u8,
    },
    /// Enter a stage.
    EnterStage {
        /// Which.
        stage: Stage,
    },
    /// Record that they were there.
    RecordAttendance {
        /// In which stage.
        stage: Stage,
        /// On which day.
        on: NaiveDate,
        /// For how long, net of breaks.
        minutes: u32,
    },
    /// Say which modules they deliver in the projects week: all of them, each time.
    AllotModules {
        /// The modules.
        modules: Vec<ModuleId>,
    },
    /// Record what was seen of them.
    Observe(Observe),
    /// Submit evidence, by reference and hash.
    SubmitEvidence(SubmitEvidence),
    /// Decide on a competency.
    Assess(Assess),
    /// Demand that they do something.
    DemandAction {
        /// The demand's id, new.
        action: RequiredActionId,
        /// About which competency.
        competency: CompetencyId,
        /// What they are to do.
        what: String,
    },
    /// Say that they did it.
    SettleAction {
        /// Which demand.
        action: RequiredActionId,
    },
    /// Ask for more on a topic: never counts against them.
    RequestRemedial {
        /// The request's id, new.
        request: RemedialRequestId,
        /// On what.
        topic: String,
        /// Which competencies it touches.
        competencies: Vec<CompetencyId>,
        /// How urgent it is to them: 1 comes first.
        rank: u32,
    },
    /// Say whether the workshop covered a request.
    CoverRemedial {
        /// Which request.
        request: RemedialRequestId,
        /// It was covered.
        covered: bool,
        /// What is left of it for later.
        carries_over: Option<String>,
    },
    /// Say that they have completed the programme.
    Complete,
    /// Withdraw them from it.
    Withdraw {
        /// Why.
        reason: String,
    },
}

/// An assignment, with its dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assign {
    /// Whom.
    pub person: PersonId,
    /// The first day.
    pub from_on: NaiveDate,
    /// The last day, where one is known.
    pub to_on: Option<NaiveDate>,
}

/// An observation on its way into a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observe {
    /// Its id; new, or that of the observation it corrects.
    pub observation: ObservationId,
    /// Of which competency.
    pub competency: CompetencyId,
    /// In which module.
    pub module: Option<ModuleId>,
    /// How it was seen.
    pub kind: ObservationKind,
    /// In which session.
    pub session: Option<SessionId>,
    /// What was seen of each criterion.
    pub results: Vec<CriterionResult>,
    /// The same in words.
    pub narrative: String,
}

/// Evidence on its way into a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmitEvidence {
    /// Its id; new, or that of the evidence it replaces.
    pub evidence: EvidenceId,
    /// What kind it is.
    pub kind: EvidenceKind,
    /// Of which competencies.
    pub competencies: Vec<CompetencyId>,
    /// Its title.
    pub title: String,
    /// Where it lies: a URI.
    pub reference: String,
    /// The SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// A decision on its way into a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assess {
    /// Its id, new.
    pub assessment: AssessmentId,
    /// On which competency.
    pub competency: CompetencyId,
    /// In which module.
    pub module: Option<ModuleId>,
    /// What is decided.
    pub decision: Decision,
    /// How much supervision is left.
    pub level: Option<SupervisionLevel>,
    /// The observations it rests on.
    pub observations: Vec<ObservationId>,
    /// The evidence it rests on.
    pub evidence: Vec<EvidenceId>,
    /// Why.
    pub reason: String,
}

impl CandidateCommand {
    /// What is done by it.
    #[must_use]
    pub const fn action(&self) -> CandidateAction {
        match self {
            Self::Nominate { .. } => CandidateAction::Nominate,
            Self::Enrol => CandidateAction::Enrol,
            Self::AssignMentor(_) => CandidateAction::AssignMentor,
            Self::AssignAssessor(_) => CandidateAction::AssignAssessor,
            Self::RecordPreLoad { .. } => CandidateAction::RecordPreLoad,
            Self::EnterStage { stage } => CandidateAction::EnterStage(*stage),
            Self::RecordAttendance { .. } => CandidateAction::RecordAttendance,
            Self::AllotModules { .. } => CandidateAction::AllotModules,
            Self::Observe(_) => CandidateAction::Observe,
            Self::SubmitEvidence(_) => CandidateAction::SubmitEvidence,
            Self::Assess(_) => CandidateAction::Assess,
            Self::DemandAction { .. } => CandidateAction::DemandAction,
            Self::SettleAction { action } => CandidateAction::SettleAction(*action),
            Self::RequestRemedial { .. } => CandidateAction::RequestRemedial,
            Self::CoverRemedial { request, .. } => CandidateAction::CoverRemedial(*request),
            Self::Complete => CandidateAction::Complete,
            Self::Withdraw { .. } => CandidateAction::Withdraw,
        }
    }

    /// Whether it may supersede what was recorded before.
    pub(super) const fn may_correct(&self) -> bool {
        matches!(self, Self::RecordPreLoad { .. } | Self::RecordAttendance { .. } | Self::Observe(_) | Self::SubmitEvidence(_))
    }
}
