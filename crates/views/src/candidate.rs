//! Candidates: how each came on in their programme, fact by fact. Who mentors
//! them today is worked out when somebody asks.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use lastresort_domain::candidate::{CandidateEvent, Capacity, CriterionResult, Decision, EvidenceKind, ObservationKind, SupervisionLevel};
use lastresort_domain::stage::Stage;
use lastresort_fact::{
    AssessmentId, CandidateId, CompetencyId, EventId, EvidenceId, Instant, ModuleId, ObservationId, PersonId, PersonalText, ProgrammeId,
    RemedialRequestId, RequiredActionId, SessionId,
};
use lastresort_ledger::rows::{Cell, Column, ColumnType, RowId};
use lastresort_ledger::view::{Dated, Recorded, View};
use serde::{Deserialize, Serialize};

use crate::{Happening, Ledgers};

mod shapes;
mod shown;
#[cfg(test)]
mod tests;

pub use shapes::{
    AssessmentShown, AssessorShown, AttendedDay, CandidateShown, CandidateStatus, EvidenceShown, MentorShown, ObservationShown,
    PreLoadShown, RemedialShown, RemedialStatus, RequiredActionShown, StageEntryShown,
};

/// Candidates.
#[derive(Clone, Copy, Debug)]
pub struct Candidates;

/// A candidate as folded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidateRow {
    /// The candidate's id.
    pub id: CandidateId,
    /// The version of their stream.
    pub version: u64,
    /// Who they are.
    pub person: PersonId,
    /// In which programme.
    pub programme: ProgrammeId,
    /// When they were nominated.
    pub nominated_at: Instant,
    /// When they were enrolled.
    pub enrolled_at: Option<Instant>,
    /// When they completed the programme.
    pub completed_at: Option<Instant>,
    /// That they were withdrawn, and why.
    pub withdrawn: Option<Dated<PersonalText>>,
    /// Mentors, by the fact that assigned them.
    pub mentors: BTreeMap<EventId, Dated<Assigned>>,
    /// Assessors, by the fact that assigned them.
    pub assessors: BTreeMap<EventId, Dated<Assigned>>,
    /// The pre-load, by module.
    pub pre_load: BTreeMap<ModuleId, Dated<Noted<u8>>>,
    /// The stages entered, and when.
    pub entered: BTreeMap<Stage, Instant>,
    /// The minutes they were there, by stage and day.
    pub attendance: BTreeMap<Stage, BTreeMap<NaiveDate, Dated<Noted<u32>>>>,
    /// The modules allotted.
    pub allotted: Option<Dated<Vec<ModuleId>>>,
    /// What was seen.
    pub observations: BTreeMap<ObservationId, Dated<Noted<Observation>>>,
    /// What was handed in.
    pub evidence: BTreeMap<EvidenceId, Dated<Noted<Evidence>>>,
    /// What was decided.
    pub assessments: BTreeMap<AssessmentId, Dated<Noted<Assessment>>>,
    /// What was demanded.
    pub actions: BTreeMap<RequiredActionId, Demand>,
    /// What they asked for.
    pub remedial: BTreeMap<RemedialRequestId, Request>,
}

/// A value with the fact that says it and whose word it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted<T> {
    /// The fact.
    pub fact: EventId,
    /// Whose word it is, where it is somebody's.
    pub by: Option<PersonId>,
    /// The value.
    pub value: T,
}

/// Somebody assigned, with the dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// Who.
    pub person: PersonId,
    /// The first day.
    pub from_on: NaiveDate,
    /// The last day.
    pub to_on: Option<NaiveDate>,
    /// Of an assessor: they had not been this candidate's mentor.
    pub independent: bool,
}

/// An observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    competency: CompetencyId,
    module: Option<ModuleId>,
    kind: ObservationKind,
    session: Option<SessionId>,
    capacity: Capacity,
    results: Vec<CriterionResult>,
    narrative: PersonalText,
}

/// A piece of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    kind: EvidenceKind,
    competencies: Vec<CompetencyId>,
    title: PersonalText,
    reference: PersonalText,
    sha256: String,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    competency: CompetencyId,
    module: Option<ModuleId>,
    decision: Decision,
    level: Option<SupervisionLevel>,
    observations: Vec<ObservationId>,
    evidence: Vec<EvidenceId>,
    reason: PersonalText,
}

/// A demand, and that it was settled; either may come in first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    made: Option<Dated<Noted<(CompetencyId, PersonalText)>>>,
    settled_at: Option<Instant>,
}

/// A request, and what became of it; either may come in first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    made: Option<Dated<Asked>>,
    outcome: Option<Dated<Outcome>>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    topic: PersonalText,
    competencies: Vec<CompetencyId>,
    rank: u32,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    covered: bool,
    carries_over: Option<PersonalText>,
}

impl CandidateRow {
    fn nominated(candidate: CandidateId, person: PersonId, programme: ProgrammeId, event: &Recorded<Happening>) -> Self {
        Self {
            id: candidate,
            version: event.sequence,
            person,
            programme,
            nominated_at: event.stamp.occurred_at,
            enrolled_at: None,
            completed_at: None,
            withdrawn: None,
            mentors: BTreeMap::new(),
            assessors: BTreeMap::new(),
            pre_load: BTreeMap::new(),
            entered: BTreeMap::new(),
            attendance: BTreeMap::new(),
            allotted: None,
            observations: BTreeMap::new(),
            evidence: BTreeMap::new(),
            assessments: BTreeMap::new(),
            actions: BTreeMap::new(),
            remedial: BTreeMap::new(),
        }
    }

    fn hear(&mut self, happened: CandidateEvent, event: &Recorded<Happening>) {
        let at = event.stamp.occurred_at;
        match happened {
            CandidateEvent::CandidateNominated { .. } => {}
            CandidateEvent::CandidateEnrolled { .. } => self.enrolled_at = Some(at),
            CandidateEvent::MentorAssigned { person, from_on, to_on } => {
                tell(&mut self.mentors, event.stamp.event_id, event, Assigned { person, from_on, to_on, independent: false });
            }
            CandidateEvent::AssessorAssigned { person, from_on, to_on, independent } => {
                tell(&mut self.assessors, event.stamp.event_id, event, Assigned { person, from_on, to_on, independent });
            }
            CandidateEvent::PreLoadProgressed { module, percent } => tell(&mut self.pre_load, module, event, noted(event, percent)),
            CandidateEvent::StageEntered { stage } => drop(self.entered.insert(stage, at)),
            CandidateEvent::StageAttended { stage, on, minutes } => {
                tell(self.attendance.entry(stage).or_default(), on, event, noted(event, minutes));
            }
            CandidateEvent::ModulesAllotted { modules } => tell_one(&mut self.allotted, event, modules),
            CandidateEvent::CandidateCompleted { .. } => self.completed_at = Some(at),
            CandidateEvent::CandidateWithdrawn { reason } => tell_one(&mut self.withdrawn, event, reason),
            CandidateEvent::ObservationRecorded { .. }
            | CandidateEvent::EvidenceSubmitted { .. }
            | CandidateEvent::CompetencyAssessed { .. }
            | CandidateEvent::ActionRequired { .. }
            | CandidateEvent::ActionSettled { .. }
            | CandidateEvent::RemedialRequested { .. }
            | CandidateEvent::RemedialCovered { .. }
            | CandidateEvent::RemedialNotCovered { .. } => self.judge(happened, event),
        }
    }

    fn judge(&mut self, happened: CandidateEvent, event: &Recorded<Happening>) {
        match happened {
            CandidateEvent::ObservationRecorded { observation, competency, module, kind, session, capacity, results, narrative } => {
                let seen = Observation { competency, module, kind, session, capacity, results, narrative };
                tell(&mut self.observations, observation, event, noted(event, seen));
            }
            CandidateEvent::EvidenceSubmitted { evidence, kind, competencies, title, reference, sha256 } => {
                let submitted = Evidence { kind, competencies, title, reference, sha256 };
                tell(&mut self.evidence, evidence, event, noted(event, submitted));
            }
            CandidateEvent::CompetencyAssessed { assessment, competency, module, decision, level, observations, evidence, reason } => {
                let decided = Assessment { competency, module, decision, level, observations, evidence, reason };
                tell(&mut self.assessments, assessment, event, noted(event, decided));
            }
            CandidateEvent::ActionRequired { action, competency, what } => {
                tell_one(&mut self.actions.entry(action).or_default().made, event, noted(event, (competency, what)));
            }
            CandidateEvent::ActionSettled { action } => {
                self.actions.entry(action).or_default().settled_at = Some(event.stamp.occurred_at);
            }
            CandidateEvent::RemedialRequested { request, topic, competencies, rank } => {
                tell_one(&mut self.remedial.entry(request).or_default().made, event, Asked { topic, competencies, rank });
            }
            CandidateEvent::RemedialCovered { request, carries_over } => {
                tell_one(&mut self.remedial.entry(request).or_default().outcome, event, Outcome { covered: true, carries_over });
            }
            CandidateEvent::RemedialNotCovered { request, carries_over } => {
                tell_one(&mut self.remedial.entry(request).or_default().outcome, event, Outcome { covered: false, carries_over });
            }
            CandidateEvent::CandidateNominated { .. }
            | CandidateEvent::CandidateEnrolled { .. }
            | CandidateEvent::MentorAssigned { .. }
            | CandidateEvent::AssessorAssigned { .. }
            | CandidateEvent::PreLoadProgressed { .. }
            | CandidateEvent::StageEntered { .. }
            | CandidateEvent::StageAttended { .. }
            | CandidateEvent::ModulesAllotted { .. }
            | CandidateEvent::CandidateCompleted { .. }
            | CandidateEvent::CandidateWithdrawn { .. } => {}
        }
    }
}

/// The value of an event, with that event and whoever told it.
pub(crate) fn noted<T>(event: &Recorded<Happening>, value: T) -> Noted<T> {
    Noted { fact: event.stamp.event_id, by: event.stamp.by.person(), value }
}

/// Takes a value over in its slot, if it was so later.
pub(crate) fn tell_one<T>(slot: &mut Option<Dated<T>>, event: &Recorded<Happening>, value: T) {
    match slot {
        Some(dated) => dated.tell(event, value),
        None => *slot = Some(Dated::told(event, value)),
    }
}

/// The same in a list kept by key.
pub(crate) fn tell<K: Ord, T>(slots: &mut BTreeMap<K, Dated<T>>, key: K, event: &Recorded<Happening>, value: T) {
    match slots.get_mut(&key) {
        Some(dated) => dated.tell(event, value),
        None => drop(slots.insert(key, Dated::told(event, value))),
    }
}

impl View for Candidates {
    type World = Ledgers;
    type Row = CandidateRow;
    const NAME: &'static str = "candidate";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column { name: "person", holds: ColumnType::Text },
        Column { name: "programme", holds: ColumnType::Text },
        Column { name: "status", holds: ColumnType::Text },
        Column { name: "stage", holds: ColumnType::Text },
        Column { name: "nominated_at", holds: ColumnType::Text },
    ];

    fn concerns(event: &Recorded<Happening>) -> Vec<RowId> {
        if matches!(event.event, Happening::Candidate(_)) { vec![event.stream.id.to_string()] } else { Vec::new() }
    }

    fn fold(row: Option<CandidateRow>, event: &Recorded<Happening>) -> Option<CandidateRow> {
        let Happening::Candidate(happened) = &event.event else { return row };
        if let CandidateEvent::CandidateNominated { candidate, person, programme } = happened {
            return Some(CandidateRow::nominated(*candidate, *person, *programme, event));
        }
        let mut row = row?;
        row.version = event.sequence;
        row.hear(happened.clone(), event);
        Some(row)
    }

    fn cells(row: &CandidateRow) -> Vec<Cell> {
        vec![
            Cell::Text(row.person.to_string()),
            Cell::Text(row.programme.to_string()),
            Cell::Text(row.status().name().to_owned()),
            row.entered.keys().last().map_or(Cell::Null, |stage| Cell::Text(stage.name().to_owned())),
            Cell::Text(row.nominated_at.to_string()),
        ]
    }
}
