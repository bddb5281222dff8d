//! What may be done to a candidate, and in which roles. Written out rather than
//! declared: a stage is entered, a request covered and a demand settled each by
//! itself, so that each is listed with what stands in its own way.

use lastresort_fact::{RemedialRequestId, RequiredActionId, Role};

use crate::guard::Action;
use crate::stage::Stage;

/// What may be done to a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateAction {
    /// Nominate.
    Nominate,
    /// Enrol.
    Enrol,
    /// Assign a mentor.
    AssignMentor,
    /// Assign an assessor.
    AssignAssessor,
    /// Record progress in the pre-load.
    RecordPreLoad,
    /// Enter this stage.
    EnterStage(Stage),
    /// Record attendance.
    RecordAttendance,
    /// Allot the modules of the projects week.
    AllotModules,
    /// Record an observation.
    Observe,
    /// Submit evidence.
    SubmitEvidence,
    /// Decide on a competency.
    Assess,
    /// Demand an action.
    DemandAction,
    /// Settle this demand.
    SettleAction(RequiredActionId),
    /// Ask for more on a topic.
    RequestRemedial,
    /// Say what became of this request.
    CoverRemedial(RemedialRequestId),
    /// Complete.
    Complete,
    /// Withdraw.
    Withdraw,
}

impl CandidateAction {
    /// Whether it judges the candidate or lets them through, which nobody does for themselves.
    pub(super) const fn judges(self) -> bool {
        match self {
            Self::EnterStage(_)
            | Self::RecordAttendance
            | Self::Observe
            | Self::Assess
            | Self::DemandAction
            | Self::SettleAction(_)
            | Self::Complete => true,
            Self::Nominate
            | Self::Enrol
            | Self::AssignMentor
            | Self::AssignAssessor
            | Self::RecordPreLoad
            | Self::AllotModules
            | Self::SubmitEvidence
            | Self::RequestRemedial
            | Self::CoverRemedial(_)
            | Self::Withdraw => false,
        }
    }
}

impl Action for CandidateAction {
    fn name(self) -> &'static str {
        match self {
            Self::Nominate => "nominate",
            Self::Enrol => "enrol",
            Self::AssignMentor => "assign_mentor",
            Self::AssignAssessor => "assign_assessor",
            Self::RecordPreLoad => "record_pre_load",
            Self::EnterStage(_) => "enter_stage",
            Self::RecordAttendance => "record_attendance",
            Self::AllotModules => "allot_modules",
            Self::Observe => "observe",
            Self::SubmitEvidence => "submit_evidence",
            Self::Assess => "assess",
            Self::DemandAction => "demand_action",
            Self::SettleAction(_) => "settle_action",
            Self::RequestRemedial => "request_remedial",
            Self::CoverRemedial(_) => "cover_remedial",
            Self::Complete => "complete",
            Self::Withdraw => "withdraw",
        }
    }

    fn roles(self) -> &'static [Role] {
        match self {
            Self::Nominate => &[Role::Manager],
            Self::Enrol | Self::AssignMentor | Self::AssignAssessor | Self::Complete => &[Role::ProviderAdmin],
            Self::RecordPreLoad => &[Role::LearningPlatform, Role::Candidate],
            Self::EnterStage(_) | Self::RecordAttendance | Self::AllotModules | Self::CoverRemedial(_) => {
                &[Role::ProviderAdmin, Role::Mentor]
            }
            Self::Observe => &[Role::Mentor, Role::Assessor],
            Self::SubmitEvidence => &[Role::Candidate, Role::Mentor],
            Self::Assess | Self::DemandAction | Self::SettleAction(_) => &[Role::Assessor],
            Self::RequestRemedial => &[Role::Candidate],
            Self::Withdraw => &[Role::Manager, Role::ProviderAdmin, Role::Candidate],
        }
    }

    fn part(self) -> Option<(&'static str, String)> {
        match self {
            Self::EnterStage(stage) => Some(("stage", stage.name().to_owned())),
            Self::SettleAction(action) => Some(("action", action.to_string())),
            Self::CoverRemedial(request) => Some(("request", request.to_string())),
            Self::Nominate
            | Self::Enrol
            | Self::AssignMentor
            | Self::AssignAssessor
            | Self::RecordPreLoad
            | Self::RecordAttendance
            | Self::AllotModules
            | Self::Observe
            | Self::SubmitEvidence
            | Self::Assess
            | Self::DemandAction
            | Self::RequestRemedial
            | Self::Complete
            | Self::Withdraw => None,
        }
    }
}
