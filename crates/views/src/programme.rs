//! Programmes: what each pinned, and how far its stages have come.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use lastresort_domain::programme::{CurriculumPin, NeedsAnalysisPin, PinnedCompetency, PinnedModule, ProgrammeEvent};
use lastresort_domain::stage::{Stage, StageMode};
use lastresort_fact::{CompetencyId, Instant, ModuleId, ProgrammeId, StageId};
use lastresort_ledger::rows::{Cell, Column, ColumnType, RowId};
use lastresort_ledger::view::{Dated, Recorded, View};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Happening, Ledgers};

#[cfg(test)]
mod tests;

/// Programmes.
#[derive(Clone, Copy, Debug)]
pub struct Programmes;

/// A programme as folded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProgrammeRow {
    /// Its id.
    pub id: ProgrammeId,
    /// The version of its stream.
    pub version: u64,
    /// Its title.
    pub title: String,
    /// The needs analysis it pinned.
    pub needs_analysis: NeedsAnalysisPin,
    /// The curriculum it pinned.
    pub curriculum: CurriculumPin,
    /// The version of the organisation's policy it pinned.
    pub policy_version: Option<u32>,
    /// The modules it copied.
    pub modules: BTreeMap<ModuleId, PinnedModule>,
    /// The competencies it copied.
    pub competencies: BTreeMap<CompetencyId, PinnedCompetency>,
    /// Every occurrence of a stage.
    pub occurrences: BTreeMap<StageId, Occurrence>,
    /// When it was planned.
    pub planned_at: Instant,
    /// When it was completed.
    pub completed_at: Option<Instant>,
}

/// A stage that has dates, as folded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Which stage.
    pub stage: Stage,
    /// The dates it was given, in the order they were.
    pub windows: Vec<Dated<Window>>,
    /// When it was started.
    pub started_at: Option<Instant>,
    /// When it was completed.
    pub completed_at: Option<Instant>,
}

/// Dates a stage was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first day it may be started.
    pub opens_on: NaiveDate,
    /// The day it is meant to end.
    pub closes_on: NaiveDate,
    /// Why it was put off, where it was.
    pub reason: Option<String>,
}

/// How far a programme has come. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProgrammeStatus {
    /// No stage was started.
    Planned,
    /// A stage was started.
    Running,
    /// It is over.
    Completed,
}

/// How far a stage has come. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageStatus {
    /// It has no dates yet.
    Unscheduled,
    /// It has dates.
    Scheduled,
    /// It was put off, and has later dates.
    Deferred,
    /// It runs.
    Started,
    /// It is over.
    Completed,
}

/// A stage of a programme.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct StageShown {
    /// Which stage.
    pub stage: Stage,
    /// How it is held.
    pub mode: StageMode,
    /// How far it has come.
    pub status: StageStatus,
    /// The id of this occurrence; absent while it has no dates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<StageId>,
    /// The first day it may be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_on: Option<NaiveDate>,
    /// The day it is meant to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes_on: Option<NaiveDate>,
    /// When it was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Instant>,
    /// When it was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Instant>,
    /// How often it was put off, why, and to what dates.
    pub deferrals: Vec<DeferralShown>,
}

/// That a stage was put off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeferralShown {
    /// When.
    pub deferred_at: Instant,
    /// Why.
    pub reason: String,
    /// The first day it could be started then.
    pub opens_on: NaiveDate,
    /// The day it was meant to end then.
    pub closes_on: NaiveDate,
}

/// A programme: six stages, and what it pinned when it was planned.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ProgrammeShown {
    /// Its id.
    pub id: ProgrammeId,
    /// The version of the resource, as in `ETag`.
    pub version: u64,
    /// Its title.
    pub title: String,
    /// How far it has come.
    pub status: ProgrammeStatus,
    /// The needs analysis it rests on.
    pub needs_analysis: NeedsAnalysisPin,
    /// The curriculum it rests on, and the position of the provider's ledger it was copied at.
    pub curriculum: CurriculumPin,
    /// The version of the organisation's policy it rests on: decisions on its candidates go by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<u32>,
    /// The competencies it copied, by code.
    pub competencies: Vec<PinnedCompetency>,
    /// The modules it copied, by code.
    pub modules: Vec<PinnedModule>,
    /// Its stages, in the order they run.
    pub stages: Vec<StageShown>,
    /// When it was planned.
    pub planned_at: Instant,
    /// When it was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Instant>,
}

impl Occurrence {
    fn status(&self) -> StageStatus {
        match (self.completed_at, self.started_at, self.windows.last()) {
            (Some(_), _, _) => StageStatus::Completed,
            (None, Some(_), _) => StageStatus::Started,
            (None, None, Some(window)) if window.value.reason.is_some() => StageStatus::Deferred,
            (None, None, Some(_)) => StageStatus::Scheduled,
            (None, None, None) => StageStatus::Unscheduled,
        }
    }

    fn shown(&self, id: StageId) -> StageShown {
        let window = self.windows.last().map(|dated| &dated.value);
        let deferral = |dated: &Dated<Window>| {
            let Window { opens_on, closes_on, reason } = dated.value.clone();
            Some(DeferralShown { deferred_at: dated.at, reason: reason?, opens_on, closes_on })
        };
        StageShown {
            stage: self.stage,
            mode: self.stage.mode(),
            status: self.status(),
            occurrence: Some(id),
            opens_on: window.map(|window| window.opens_on),
            closes_on: window.map(|window| window.closes_on),
            started_at: self.started_at,
            completed_at: self.completed_at,
            deferrals: self.windows.iter().filter_map(deferral).collect(),
        }
    }

    fn give(&mut self, event: &Recorded<Happening>, window: Window) {
        let dated = Dated::told(event, window);
        let place = self.windows.partition_point(|other| (other.at, other.position) < (dated.at, dated.position));
        self.windows.insert(place, dated);
    }
}

impl ProgrammeRow {
    fn status(&self) -> ProgrammeStatus {
        if self.completed_at.is_some() {
            ProgrammeStatus::Completed
        } else if self.occurrences.values().any(|occurrence| occurrence.started_at.is_some()) {
            ProgrammeStatus::Running
        } else {
            ProgrammeStatus::Planned
        }
    }

    fn stage(&self, stage: Stage) -> Vec<StageShown> {
        let found = self.occurrences.iter().filter(|(_, occurrence)| occurrence.stage == stage);
        let mut shown: Vec<_> = found.map(|(id, occurrence)| occurrence.shown(*id)).collect();
        shown.sort_by_key(|shown| (shown.opens_on, shown.occurrence));
        if shown.is_empty() {
            let none = Occurrence { stage, windows: Vec::new(), started_at: None, completed_at: None };
            shown.push(StageShown { occurrence: None, ..none.shown(StageId::default()) });
        }
        shown
    }

    /// The programme with what it pinned and its six stages.
    #[must_use]
    pub fn shown(&self) -> ProgrammeShown {
        let mut competencies: Vec<_> = self.competencies.values().cloned().collect();
        let mut modules: Vec<_> = self.modules.values().cloned().collect();
        competencies.sort_by(|one, other| one.code.cmp(&other.code));
        modules.sort_by(|one, other| one.code.cmp(&other.code));
        ProgrammeShown {
            id: self.id,
            version: self.version,
            title: self.title.clone(),
            status: self.status(),
            needs_analysis: self.needs_analysis,
            curriculum: self.curriculum,
            policy_version: self.policy_version,
            competencies,
            modules,
            stages: Stage::ALL.into_iter().flat_map(|stage| self.stage(stage)).collect(),
            planned_at: self.planned_at,
            completed_at: self.completed_at,
        }
    }

    fn occurrence(&mut self, id: StageId, stage: Stage) -> &mut Occurrence {
        let new = || Occurrence { stage, windows: Vec::new(), started_at: None, completed_at: None };
        self.occurrences.entry(id).or_insert_with(new)
    }

    fn hear(&mut self, happened: ProgrammeEvent, event: &Recorded<Happening>) {
        let at = event.stamp.occurred_at;
        match happened {
            ProgrammeEvent::ProgrammePlanned { .. } => {}
            ProgrammeEvent::CompetencyPinned { competency } => drop(self.competencies.insert(competency.id, competency)),
            ProgrammeEvent::ModulePinned { module } => drop(self.modules.insert(module.id, module)),
            ProgrammeEvent::StageScheduled { occurrence, stage, opens_on, closes_on } => {
                self.occurrence(occurrence, stage).give(event, Window { opens_on, closes_on, reason: None });
            }
            ProgrammeEvent::StageDeferred { occurrence, stage, reason, opens_on, closes_on } => {
                self.occurrence(occurrence, stage).give(event, Window { opens_on, closes_on, reason: Some(reason) });
            }
            ProgrammeEvent::StageStarted { occurrence, stage } => self.occurrence(occurrence, stage).started_at = Some(at),
            ProgrammeEvent::StageCompleted { occurrence, stage } => self.occurrence(occurrence, stage).completed_at = Some(at),
            ProgrammeEvent::ProgrammeCompleted { .. } => self.completed_at = Some(at),
        }
    }
}

impl View for Programmes {
    type World = Ledgers;
    type Row = ProgrammeRow;
    const NAME: &'static str = "programme";
    const VERSION: u32 = 2;
    const COLUMNS: &'static [Column] = &[
        Column { name: "status", holds: ColumnType::Text },
        Column { name: "needs_analysis", holds: ColumnType::Text },
        Column { name: "curriculum", holds: ColumnType::Text },
        Column { name: "planned_at", holds: ColumnType::Text },
    ];

    fn concerns(event: &Recorded<Happening>) -> Vec<RowId> {
        if matches!(event.event, Happening::Programme(_)) { vec![event.stream.id.to_string()] } else { Vec::new() }
    }

    fn fold(row: Option<ProgrammeRow>, event: &Recorded<Happening>) -> Option<ProgrammeRow> {
        let Happening::Programme(happened) = &event.event else { return row };
        if let ProgrammeEvent::ProgrammePlanned { programme, title, needs_analysis, curriculum, policy_version } = happened {
            return Some(ProgrammeRow {
                id: *programme,
                version: event.sequence,
                title: title.clone(),
                needs_analysis: *needs_analysis,
                curriculum: *curriculum,
                policy_version: *policy_version,
                modules: BTreeMap::new(),
                competencies: BTreeMap::new(),
                occurrences: BTreeMap::new(),
                planned_at: event.stamp.occurred_at,
                completed_at: None,
            });
        }
        let mut row = row?;
        row.version = event.sequence;
        row.hear(happened.clone(), event);
        Some(row)
    }

    fn cells(row: &ProgrammeRow) -> Vec<Cell> {
        let status = match row.status() {
            ProgrammeStatus::Planned => "planned",
            ProgrammeStatus::Running => "running",
            ProgrammeStatus::Completed => "completed",
        };
        vec![
            Cell::Text(status.to_owned()),
            Cell::Text(row.needs_analysis.needs_analysis.to_string()),
            Cell::Text(row.curriculum.curriculum.to_string()),
            Cell::Text(row.planned_at.to_string()),
        ]
    }
}
