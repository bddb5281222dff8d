//! What can have happened to a candidate. Free text is a narrative about the
//! candidate, sealed under a key of its own.

use chrono::NaiveDate;
use lastresort_fact::{
    AssessmentId, CandidateId, CompetencyId, CriterionId, EvidenceId, ModuleId, ObservationId, PersonId, PersonalText, ProgrammeId,
    RemedialRequestId, RequiredActionId, SessionId, happenings, parts, plain,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::stage::Stage;

/// How somebody was observed. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObservationKind {
    /// By somebody who was there.
    Direct,
    /// From a recording.
    Recorded,
    /// In a simulation.
    Simulated,
}

/// In what capacity somebody observed. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// As their mentor.
    Mentor,
    /// As their assessor.
    Assessor,
    /// As a mentor who is not theirs: describes, and does not judge.
    Witness,
}

/// What was seen of a criterion. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// It was met.
    Met,
    /// In part.
    Partly,
    /// It was not.
    NotMet,
}

/// What a piece of evidence is. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A written piece: an essay, a lesson plan.
    Document,
    /// A recording.
    Recording,
    /// A reflection of their own.
    Reflection,
    /// Somebody else's certificate.
    Certificate,
    /// Anything else.
    Other,
}

/// A decision on a competency. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// They can do it.
    Competent,
    /// They cannot do it yet.
    NotYetCompetent,
    /// It cannot be told from what there is.
    InsufficientEvidence,
}

/// How much supervision somebody needs. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupervisionLevel {
    /// They watch.
    Observe,
    /// They teach beside somebody.
    CoTeach,
    /// They lead and are watched.
    LeadWatched,
    /// They lead alone.
    LeadAlone,
}

plain!(ObservationKind, Capacity, Met, EvidenceKind, Decision, SupervisionLevel);

parts! {
    /// What was seen of one criterion.
    #[derive(Copy, Eq)]
    pub struct CriterionResult {
        /// The criterion.
        pub criterion: CriterionId,
        /// What was seen.
        pub met: Met,
    }
}

happenings! {
    /// What can have happened to a candidate.
    pub enum CandidateEvent {
        /// They were nominated.
        CandidateNominated {
            /// The candidate's id.
            candidate: CandidateId,
            /// Who they are.
            person: PersonId,
            /// For which programme.
            programme: ProgrammeId,
        },
        /// They were enrolled.
        CandidateEnrolled {
            /// In which programme.
            programme: ProgrammeId,
        },
        /// A mentor was assigned.
        MentorAssigned {
            /// Who.
            person: PersonId,
            /// The first day.
            from_on: NaiveDate,
            /// The last day.
            to_on: Option<NaiveDate>,
        },
        /// An assessor was assigned.
        AssessorAssigned {
            /// Who.
            person: PersonId,
            /// The first day.
            from_on: NaiveDate,
            /// The last day.
            to_on: Option<NaiveDate>,
            /// They have not been this candidate's mentor.
            independent: bool,
        },
        /// They came on in a module of the pre-load.
        PreLoadProgressed {
            /// The module.
            module: ModuleId,
            /// How much of it is done, 0 to 100.
            percent: u8,
        },
        /// They entered a stage.
        StageEntered {
            /// Which.
            stage: Stage,
        },
        /// They were there.
        StageAttended {
            /// In which stage.
            stage: Stage,
            /// On which day.
            on: NaiveDate,
            /// For how long, net of breaks.
            minutes: u32,
        },
        /// It was said which modules they deliver in the projects week.
        ModulesAllotted {
            /// All of them.
            modules: Vec<ModuleId>,
        },
        /// They were observed.
        ObservationRecorded {
            /// The observation.
            observation: ObservationId,
            /// Of which competency.
            competency: CompetencyId,
            /// In which module.
            module: Option<ModuleId>,
            /// How it was seen.
            kind: ObservationKind,
            /// In which session.
            session: Option<SessionId>,
            /// In what capacity the observer saw it.
            capacity: Capacity,
            /// What was seen of each criterion.
            results: Vec<CriterionResult>,
            /// The same in words.
            narrative: PersonalText,
        },
        /// Evidence was submitted.
        EvidenceSubmitted {
            /// The evidence.
            evidence: EvidenceId,
            /// What kind it is.
            kind: EvidenceKind,
            /// Of which competencies.
            competencies: Vec<CompetencyId>,
            /// Its title.
            title: PersonalText,
            /// Where it lies: a URI.
            reference: PersonalText,
            /// The SHA-256 of its bytes, in lower-case hexadecimal.
            sha256: String,
        },
        /// It was decided on a competency.
        CompetencyAssessed {
            /// The decision.
            assessment: AssessmentId,
            /// On which competency.
            competency: CompetencyId,
            /// In which module.
            module: Option<ModuleId>,
            /// What was decided.
            decision: Decision,
            /// How much supervision is left.
            level: Option<SupervisionLevel>,
            /// The observations it rests on.
            observations: Vec<ObservationId>,
            /// The evidence it rests on.
            evidence: Vec<EvidenceId>,
            /// Why.
            reason: PersonalText,
        },
        /// An assessor demanded something.
        ActionRequired {
            /// The demand.
            action: RequiredActionId,
            /// About which competency.
            competency: CompetencyId,
            /// What they are to do.
            what: PersonalText,
        },
        /// They did what was demanded.
        ActionSettled {
            /// The demand.
            action: RequiredActionId,
        },
        /// They asked for more on a topic.
        RemedialRequested {
            /// The request.
            request: RemedialRequestId,
            /// On what.
            topic: PersonalText,
            /// Which competencies it touches.
            competencies: Vec<CompetencyId>,
            /// How urgent it is to them: 1 comes first.
            rank: u32,
        },
        /// The workshop covered a request.
        RemedialCovered {
            /// The request.
            request: RemedialRequestId,
            /// What is left of it for later.
            carries_over: Option<PersonalText>,
        },
        /// The workshop did not come to a request.
        RemedialNotCovered {
            /// The request.
            request: RemedialRequestId,
            /// What is left of it for later.
            carries_over: Option<PersonalText>,
        },
        /// They completed the programme.
        CandidateCompleted {
            /// Which programme.
            programme: ProgrammeId,
        },
        /// They were withdrawn from it.
        CandidateWithdrawn {
            /// Why.
            reason: PersonalText,
        },
    }
}
