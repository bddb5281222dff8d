//! Sessions: what was planned, who answered for what, and who learnt what of
//! whom. Agreement and signature are worked out from what was told, so that a
//! late word counts where it belongs.

use std::collections::{BTreeMap, BTreeSet};

use lastresort_domain::session::{
    AttainmentResult, LowRisk, ModuleMinutes, Owner, Responsibility, SessionEvent, SessionKind, Trainer, TrainerPart,
};
use lastresort_domain::stage::Stage;
use lastresort_fact::{Instant, ModuleId, PersonId, PersonalText, ProgrammeId, SessionId, UnitId};
use lastresort_ledger::rows::{Cell, Column, ColumnType, RowId};
use lastresort_ledger::view::{Dated, Recorded, View};
use serde::{Deserialize, Serialize};

use crate::candidate::{Noted, noted, tell, tell_one};
use crate::{Happening, Ledgers};

mod shapes;
mod shown;
#[cfg(test)]
mod tests;

pub use shapes::{
    AttainmentShown, AttainmentStatus, AttendanceShown, ResponsibilityShown, ResponsibilityStatus, SessionModuleShown, SessionShown,
    SessionStatus,
};

/// Sessions.
#[derive(Clone, Copy, Debug)]
pub struct Sessions;

/// A session as folded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// The version of its stream.
    pub version: u64,
    /// When it was planned.
    pub planned_at: Instant,
    /// When that was put on record.
    pub recorded_at: Instant,
    /// The plan.
    pub plan: Plan,
    /// Other trainers than planned, and why.
    pub changed: Option<Dated<(Vec<Trainer>, PersonalText)>>,
    /// What was told of who answers for what, in the order it occurred.
    pub owners: BTreeMap<Responsibility, Vec<Dated<OwnerTold>>>,
    /// The learners.
    pub roster: Option<Dated<Vec<PersonId>>>,
    /// The minutes each learner attended of each module.
    pub attendance: BTreeMap<PersonId, BTreeMap<ModuleId, Correctable<u32>>>,
    /// What each learner attained in each module.
    pub attainment: BTreeMap<PersonId, BTreeMap<ModuleId, Attainment>>,
    /// That it was held: who really answered for what, and the minutes it took.
    pub completed: Option<Correctable<(Vec<Owner>, Vec<ModuleMinutes>)>>,
    /// That it was cancelled, and why.
    pub cancelled: Option<Dated<PersonalText>>,
}

/// What was told, when, by which fact, and why anew.
pub type Correctable<T> = Dated<Noted<Corrected<T>>>;

/// A value with the reason why it was corrected, where it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Corrected<T> {
    /// The value.
    pub value: T,
    /// Why it was told anew.
    pub reason: Option<PersonalText>,
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The programme it belongs to.
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

/// One word on who answers for something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnerTold {
    /// What kind of word.
    pub word: Word,
    /// The owner it names.
    pub owner: PersonId,
    /// Whose word.
    pub by: Option<PersonId>,
    /// When it was put on record.
    pub recorded_at: Instant,
}

/// What kind of word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Word {
    /// A proposal.
    Proposed,
    /// Agreement to it.
    Agreed,
    /// A change on record, and why.
    Changed(PersonalText),
}

/// What a learner attained in a module, and the mentor's signature; either may come in first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attainment {
    /// The last judgement: what was attained, and whether it waits for the mentor.
    pub judged: Option<Correctable<(AttainmentResult, bool)>>,
    /// The last signature, and whose it is.
    pub countersigned: Option<Dated<Option<PersonId>>>,
}

impl SessionRow {
    fn planned(session: SessionId, plan: Plan, event: &Recorded<Happening>) -> Self {
        Self {
            id: session,
            version: event.sequence,
            planned_at: event.stamp.occurred_at,
            recorded_at: event.stamp.recorded_at,
            plan,
            changed: None,
            owners: BTreeMap::new(),
            roster: None,
            attendance: BTreeMap::new(),
            attainment: BTreeMap::new(),
            completed: None,
            cancelled: None,
        }
    }

    fn word(&mut self, responsibility: Responsibility, word: Word, owner: PersonId, event: &Recorded<Happening>) {
        let told = Dated::told(event, OwnerTold { word, owner, by: event.stamp.by.person(), recorded_at: event.stamp.recorded_at });
        let words = self.owners.entry(responsibility).or_default();
        let place = words.partition_point(|other| (other.at, other.position) < (told.at, told.position));
        words.insert(place, told);
    }

    fn hear(&mut self, happened: SessionEvent, event: &Recorded<Happening>) {
        match happened {
            SessionEvent::SessionPlanned { .. } => {}
            SessionEvent::ResponsibilityProposed { responsibility, owner } => self.word(responsibility, Word::Proposed, owner, event),
            SessionEvent::ResponsibilityAgreed { responsibility, owner } => self.word(responsibility, Word::Agreed, owner, event),
            SessionEvent::ResponsibilityChanged { responsibility, owner, reason } => {
                self.word(responsibility, Word::Changed(reason), owner, event);
            }
            SessionEvent::SessionTrainersChanged { trainers, reason } => tell_one(&mut self.changed, event, (trainers, reason)),
            SessionEvent::RosterSet { learners } => tell_one(&mut self.roster, event, learners),
            SessionEvent::AttendanceRecorded { attendance, reason } => {
                for line in attendance {
                    let minutes = Corrected { value: line.minutes, reason: reason.clone() };
                    tell(self.attendance.entry(line.person).or_default(), line.module, event, noted(event, minutes));
                }
            }
            SessionEvent::AttainmentRecorded { attainment, provisional, reason } => {
                for line in attainment {
                    let held = self.attainment.entry(line.person).or_default().entry(line.module).or_default();
                    let judged = Corrected { value: (line.result, provisional), reason: reason.clone() };
                    tell_one(&mut held.judged, event, noted(event, judged));
                }
            }
            SessionEvent::AttainmentCountersigned { attainment } => {
                for line in attainment {
                    let held = self.attainment.entry(line.person).or_default().entry(line.module).or_default();
                    tell_one(&mut held.countersigned, event, event.stamp.by.person());
                }
            }
            SessionEvent::SessionCompleted { owners, modules, reason } => {
                tell_one(&mut self.completed, event, noted(event, Corrected { value: (owners, modules), reason }));
            }
            SessionEvent::SessionCancelled { reason } => tell_one(&mut self.cancelled, event, reason),
        }
    }

    /// Who teaches: as planned, or as changed since.
    #[must_use]
    pub fn trainers(&self) -> &[Trainer] {
        self.changed.as_ref().map_or(&self.plan.trainers, |dated| &dated.value.0)
    }

    /// Whether somebody teaches in it.
    #[must_use]
    pub fn taught_by(&self, person: PersonId) -> bool {
        self.trainers().iter().any(|trainer| trainer.person == person)
    }

    /// Whoever has a part in it, as trainer or learner.
    fn people(&self) -> BTreeSet<PersonId> {
        let learners = self.roster.iter().flat_map(|dated| &dated.value).copied();
        self.trainers().iter().map(|trainer| trainer.person).chain(learners).collect()
    }

    /// Who answers for the session as a whole: its lead, else a mentor.
    fn lead(&self) -> Option<PersonId> {
        let of = |part| self.trainers().iter().find(|trainer| trainer.part == part);
        of(TrainerPart::Lead).or_else(|| of(TrainerPart::Mentor)).map(|trainer| trainer.person)
    }
}

impl View for Sessions {
    type World = Ledgers;
    type Row = SessionRow;
    const NAME: &'static str = "session";
    const VERSION: u32 = 4;
    const COLUMNS: &'static [Column] = &[
        Column { name: "programme", holds: ColumnType::Text },
        Column { name: "kind", holds: ColumnType::Text },
        Column { name: "status", holds: ColumnType::Text },
        Column { name: "stage", holds: ColumnType::Text },
        Column { name: "unit", holds: ColumnType::Text },
        Column { name: "lead", holds: ColumnType::Text },
        Column { name: "starts_at", holds: ColumnType::Text },
        Column { name: "people", holds: ColumnType::Words },
    ];

    fn concerns(event: &Recorded<Happening>) -> Vec<RowId> {
        if matches!(event.event, Happening::Session(_)) { vec![event.stream.id.to_string()] } else { Vec::new() }
    }

    fn fold(row: Option<SessionRow>, event: &Recorded<Happening>) -> Option<SessionRow> {
        let Happening::Session(happened) = &event.event else { return row };
        if let SessionEvent::SessionPlanned {
            session,
            programme,
            stage,
            kind,
            title,
            modules,
            starts_at,
            ends_at,
            unit,
            venue,
            trainers,
            learners_max,
            physical,
            low_risk,
        } = happened.clone()
        {
            let plan = Plan {
                programme,
                stage,
                kind,
                title,
                modules,
                starts_at,
                ends_at,
                unit,
                venue,
                trainers,
                learners_max,
                physical,
                low_risk,
            };
            return Some(SessionRow::planned(session, plan, event));
        }
        let mut row = row?;
        row.version = event.sequence;
        row.hear(happened.clone(), event);
        Some(row)
    }

    fn cells(row: &SessionRow) -> Vec<Cell> {
        let text = |value: Option<String>| value.map_or(Cell::Null, Cell::Text);
        let kind = match row.plan.kind {
            SessionKind::CourseDay => "course_day",
            SessionKind::CoDelivery => "co_delivery",
            SessionKind::Workshop => "workshop",
        };
        vec![
            text(row.plan.programme.map(|programme| programme.to_string())),
            Cell::Text(kind.to_owned()),
            Cell::Text(row.status().name().to_owned()),
            text(row.plan.stage.map(|stage| stage.name().to_owned())),
            text(row.plan.unit.map(|unit| unit.to_string())),
            text(row.lead().map(|person| person.to_string())),
            Cell::Text(row.plan.starts_at.to_string()),
            Cell::Text(row.people().into_iter().map(|person| person.to_string()).collect::<Vec<_>>().join(" ")),
        ]
    }
}
