//! What may be asked of a session, and who may ask it. Roster, attendance and
//! attainment of a whole group are one call each.

use lastresort_fact::{Instant, PersonId, ProgrammeId, SessionId, UnitId};

use super::event::{Attended, Judged, LowRisk, ModuleMinutes, Owner, Responsibility, SessionKind, Trainer};
use crate::guard::actions;
use crate::stage::Stage;

/// What may be asked of a session.
#[derive(Clone, Debug)]
pub enum SessionCommand {
    /// Plan it.
    Plan(Plan),
    /// Propose who owns what; whoever teaches in it agrees by proposing.
    Propose {
        /// Owners, each responsibility once.
        owners: Vec<Owner>,
    },
    /// Agree to who owns what.
    Agree {
        /// Owners, as they were proposed.
        owners: Vec<Owner>,
    },
    /// Change the owner of a responsibility on record.
    Change {
        /// The responsibility.
        responsibility: Responsibility,
        /// Its owner from now on.
        owner: PersonId,
        /// Why.
        reason: String,
    },
    /// Name other trainers: all of them, each time.
    ChangeTrainers {
        /// Who teaches from now on.
        trainers: Vec<Trainer>,
        /// Why.
        reason: String,
    },
    /// Say who the learners are: all of them, each time.
    SetRoster {
        /// The learners.
        learners: Vec<PersonId>,
    },
    /// Record attendance.
    RecordAttendance {
        /// Line by line.
        attendance: Vec<Attended>,
    },
    /// Judge attainment.
    RecordAttainment {
        /// Line by line.
        attainment: Vec<Judged>,
    },
    /// Stand for everything a candidate judged so far.
    Countersign,
    /// Say that it was held.
    Complete {
        /// Who really owned a responsibility; as agreed, where nothing is said.
        owners: Vec<Owner>,
        /// The minutes a module really took; as planned, where nothing is said.
        modules: Vec<ModuleMinutes>,
    },
    /// Cancel it.
    Cancel {
        /// Why.
        reason: String,
    },
    /// Correct a record of it, once it is completed.
    Correct {
        /// The record as it should have been told.
        record: Record,
        /// Why.
        reason: String,
    },
}

/// A whole record of a session, told anew in place of what a fact says.
#[derive(Clone, Debug)]
pub enum Record {
    /// Who was there.
    Attendance(Vec<Attended>),
    /// What was attained.
    Attainment(Vec<Judged>),
    /// What it came to: as agreed and planned, where nothing is said.
    Completion {
        /// Who really owned a responsibility.
        owners: Vec<Owner>,
        /// The minutes a module really took.
        modules: Vec<ModuleMinutes>,
    },
}

/// A plan on its way into a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The session's id, new.
    pub session: SessionId,
    /// The programme whose modules it teaches.
    pub programme: Option<ProgrammeId>,
    /// The stage it belongs to.
    pub stage: Option<Stage>,
    /// What it is.
    pub kind: SessionKind,
    /// Its title.
    pub title: String,
    /// Its modules.
    pub modules: Vec<ModuleMinutes>,
    /// When it begins.
    pub starts_at: Instant,
    /// When it ends.
    pub ends_at: Instant,
    /// In which unit.
    pub unit: Option<UnitId>,
    /// Where.
    pub venue: String,
    /// Who teaches.
    pub trainers: Vec<Trainer>,
    /// How many learners it has places for.
    pub learners_max: u32,
    /// Physical skills are taught in it.
    pub physical: bool,
    /// The risk assessment, where one was made.
    pub low_risk: Option<LowRisk>,
}

actions! {
    /// What may be done to a session.
    pub enum SessionAction {
        /// Plan it.
        Plan = "plan" [ProviderAdmin, Candidate],
        /// Propose owners of responsibilities.
        Propose = "propose_responsibilities" [ProviderAdmin, Mentor, Candidate],
        /// Agree to them.
        Agree = "agree_responsibilities" [Mentor, Candidate],
        /// Change one on record.
        Change = "change_responsibility" [ProviderAdmin, Mentor],
        /// Name other trainers.
        ChangeTrainers = "change_trainers" [ProviderAdmin],
        /// Say who the learners are.
        SetRoster = "set_roster" [ProviderAdmin, Mentor, Candidate],
        /// Record attendance.
        RecordAttendance = "record_attendance" [Mentor, Candidate],
        /// Judge attainment.
        RecordAttainment = "record_attainment" [Mentor, Candidate],
        /// Countersign.
        Countersign = "countersign" [Mentor],
        /// Complete it.
        Complete = "complete" [ProviderAdmin, Mentor, Candidate],
        /// Cancel it.
        Cancel = "cancel" [ProviderAdmin, Candidate],
        /// Correct a record of it.
        Correct = "correct" [ProviderAdmin, Mentor],
    }
}

impl SessionCommand {
    /// What is done by it.
    #[must_use]
    pub const fn action(&self) -> SessionAction {
        match self {
            Self::Plan(_) => SessionAction::Plan,
            Self::Propose { .. } => SessionAction::Propose,
            Self::Agree { .. } => SessionAction::Agree,
            Self::Change { .. } => SessionAction::Change,
            Self::ChangeTrainers { .. } => SessionAction::ChangeTrainers,
            Self::SetRoster { .. } => SessionAction::SetRoster,
            Self::RecordAttendance { .. } => SessionAction::RecordAttendance,
            Self::RecordAttainment { .. } => SessionAction::RecordAttainment,
            Self::Countersign => SessionAction::Countersign,
            Self::Complete { .. } => SessionAction::Complete,
            Self::Cancel { .. } => SessionAction::Cancel,
            Self::Correct { .. } => SessionAction::Correct,
        }
    }
}
