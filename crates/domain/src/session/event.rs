//! What can have happened to a session. Reasons are narratives, sealed: why
//! somebody else had to step in is often about somebody's health.

use lastresort_fact::{Instant, ModuleId, PersonId, PersonalText, ProgrammeId, SessionId, UnitId, happenings, parts, plain};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::stage::Stage;

/// What a session is. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// A day of a course.
    CourseDay,
    /// A day that candidate and mentor teach together.
    CoDelivery,
    /// A workshop.
    Workshop,
}

/// What somebody is in a session they teach. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrainerPart {
    /// Leads it.
    Lead,
    /// Teaches beside whoever leads.
    Second,
    /// Coaches a candidate in it.
    Mentor,
    /// Teaches in it as a candidate: does not count as a trainer.
    Candidate,
}

/// What is divided in co-delivery, each with one owner. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Responsibility {
    /// Keeping time.
    Timing,
    /// Designing the session.
    SessionDesign,
    /// Running practice.
    PracticeActivities,
    /// Working with small groups.
    SmallGroups,
    /// Motivating.
    Motivating,
    /// Giving feedback.
    Feedback,
    /// Judging what learners attained.
    AssessingAttainment,
}

/// What a learner attained in a module. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttainmentResult {
    /// It was shown.
    Attained,
    /// It was not shown yet.
    NotYet,
    /// It was not judged.
    NotJudged,
}

plain!(SessionKind, TrainerPart, Responsibility, AttainmentResult);

impl Responsibility {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Timing,
        Self::SessionDesign,
        Self::PracticeActivities,
        Self::SmallGroups,
        Self::Motivating,
        Self::Feedback,
        Self::AssessingAttainment,
    ];

    /// What it is called in a sentence.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Timing => "timing",
            Self::SessionDesign => "session design",
            Self::PracticeActivities => "practice activities",
            Self::SmallGroups => "small groups",
            Self::Motivating => "motivating",
            Self::Feedback => "feedback",
            Self::AssessingAttainment => "assessing attainment",
        }
    }
}

parts! {
    /// Somebody who teaches in a session.
    #[derive(Copy, Eq)]
    pub struct Trainer {
        /// Who.
        pub person: PersonId,
        /// As what.
        pub part: TrainerPart,
    }

    /// A risk assessment in the four domains: true where the risk is low.
    #[derive(Copy, Eq)]
    pub struct LowRisk {
        /// Safety.
        pub safety: bool,
        /// Risk factors of the people supported.
        pub client_risk_factors: bool,
        /// How well the content can be taught.
        pub trainability: bool,
        /// How effective it is.
        pub effectiveness: bool,
    }

    /// A module of a session, with its minutes net of breaks.
    #[derive(Copy, Eq)]
    pub struct ModuleMinutes {
        /// The module.
        pub module: ModuleId,
        /// Minutes of teaching.
        pub minutes: u32,
        /// Minutes of assessing, apart from them.
        pub assessment_minutes: u32,
    }

    /// Who owns a responsibility.
    #[derive(Copy, Eq)]
    pub struct Owner {
        /// The responsibility.
        pub responsibility: Responsibility,
        /// Its owner.
        pub owner: PersonId,
    }

    /// A learner's attendance of a module.
    #[derive(Copy, Eq)]
    pub struct Attended {
        /// The learner.
        pub person: PersonId,
        /// The module.
        pub module: ModuleId,
        /// For how long; 0 where they stayed away.
        pub minutes: u32,
    }

    /// What a learner attained in a module.
    #[derive(Copy, Eq)]
    pub struct Judged {
        /// The learner.
        pub person: PersonId,
        /// The module.
        pub module: ModuleId,
        /// What was attained.
        pub result: AttainmentResult,
    }

    /// A learner in a module.
    #[derive(Copy, Eq)]
    pub struct LearnerModule {
        /// The learner.
        pub person: PersonId,
        /// The module.
        pub module: ModuleId,
    }
}

happenings! {
    /// What can have happened to a session.
    pub enum SessionEvent {
        /// It was planned.
        SessionPlanned {
            /// Its id.
            session: SessionId,
            /// The programme whose modules it teaches.
            programme: Option<ProgrammeId>,
            /// The stage it belongs to.
            stage: Option<Stage>,
            /// What it is.
            kind: SessionKind,
            /// Its title.
            title: String,
            /// Its modules.
            modules: Vec<ModuleMinutes>,
            /// When it begins.
            starts_at: Instant,
            /// When it ends.
            ends_at: Instant,
            /// In which unit.
            unit: Option<UnitId>,
            /// Where.
            venue: String,
            /// Who teaches.
            trainers: Vec<Trainer>,
            /// How many learners it has places for.
            learners_max: u32,
            /// Physical skills are taught in it.
            physical: bool,
            /// The risk assessment, where one was made.
            low_risk: Option<LowRisk>,
        },
        /// An owner was proposed for a responsibility, by whoever is thereby agreed.
        ResponsibilityProposed {
            /// The responsibility.
            responsibility: Responsibility,
            /// Its owner.
            owner: PersonId,
        },
        /// Somebody agreed to the owner of a responsibility.
        ResponsibilityAgreed {
            /// The responsibility.
            responsibility: Responsibility,
            /// Its owner.
            owner: PersonId,
        },
        /// The owner of a responsibility was changed on record.
        ResponsibilityChanged {
            /// The responsibility.
            responsibility: Responsibility,
            /// Its owner from now on.
            owner: PersonId,
            /// Why.
            reason: PersonalText,
        },
        /// Other trainers were named.
        SessionTrainersChanged {
            /// Who teaches from now on: all of them.
            trainers: Vec<Trainer>,
            /// Why.
            reason: PersonalText,
        },
        /// It was said who the learners are.
        RosterSet {
            /// All of them.
            learners: Vec<PersonId>,
        },
        /// Attendance was recorded.
        AttendanceRecorded {
            /// Line by line.
            attendance: Vec<Attended>,
            /// Why, where it corrects what was recorded of a completed session.
            reason: Option<PersonalText>,
        },
        /// Attainment was judged.
        AttainmentRecorded {
            /// Line by line.
            attainment: Vec<Judged>,
            /// A candidate judged it in co-delivery: it waits for the mentor.
            provisional: bool,
            /// Why, where it corrects what was recorded of a completed session.
            reason: Option<PersonalText>,
        },
        /// The mentor stood for what a candidate judged.
        AttainmentCountersigned {
            /// Which of it.
            attainment: Vec<LearnerModule>,
        },
        /// It was completed.
        SessionCompleted {
            /// Who really owned each responsibility.
            owners: Vec<Owner>,
            /// The minutes each module really took.
            modules: Vec<ModuleMinutes>,
            /// Why, where it corrects what was recorded of a completed session.
            reason: Option<PersonalText>,
        },
        /// It was cancelled.
        SessionCancelled {
            /// Why.
            reason: PersonalText,
        },
    }
}
