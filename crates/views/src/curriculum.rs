//! Curricula: everything ever stated of a draft, and when versions were
//! published. What the draft or a version holds is added up when asked.

use std::collections::BTreeMap;

use lastresort_domain::curriculum::{Competency, Content, CurriculumEvent, Module};
use lastresort_fact::{CurriculumId, Instant};
use lastresort_ledger::rows::{Cell, Column, ColumnType, RowId};
use lastresort_ledger::view::{Dated, Recorded, View};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Happening, Ledgers};

/// Curricula.
#[derive(Clone, Copy, Debug)]
pub struct Curricula;

/// A curriculum as folded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurriculumRow {
    /// Its id.
    pub id: CurriculumId,
    /// The version of its stream.
    pub version: u64,
    /// Its title.
    pub title: String,
    /// What was stated of its parts, in the order it was so.
    pub stated: Vec<Dated<Part>>,
    /// When each version was published.
    pub published: BTreeMap<u32, Dated<()>>,
}

/// A part as stated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Part {
    /// A competency.
    Competency(Competency),
    /// A module.
    Module(Module),
}

/// A version as published: it never changes.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CurriculumVersion {
    /// Its number, counted from 1: what a programme pins.
    #[schema(minimum = 1)]
    pub number: u32,
    /// When it was published.
    pub published_at: Instant,
    /// Its competencies.
    pub competencies: Vec<Competency>,
    /// Its modules.
    pub modules: Vec<Module>,
}

/// A curriculum: its draft, and the versions it was published in.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CurriculumShown {
    /// Its id.
    pub id: CurriculumId,
    /// The version of the resource, as in `ETag`.
    pub version: u64,
    /// Its title.
    pub title: String,
    /// The number of the latest published version; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub latest: Option<u32>,
    /// The competencies of the draft, by code.
    pub competencies: Vec<Competency>,
    /// The modules of the draft, by code.
    pub modules: Vec<Module>,
    /// The published versions.
    pub published: Vec<PublishedShown>,
}

/// That a version was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PublishedShown {
    /// Its number.
    #[schema(minimum = 1)]
    pub number: u32,
    /// When it was published.
    pub published_at: Instant,
}

impl CurriculumRow {
    /// What it holds by all that was stated, or by what was stated before a version.
    fn content(&self, until: Option<&Dated<()>>) -> Content {
        let by_then = |stated: &&Dated<Part>| until.is_none_or(|until| (stated.at, stated.position) < (until.at, until.position));
        let mut content = Content::default();
        for stated in self.stated.iter().filter(by_then) {
            match stated.value.clone() {
                Part::Competency(competency) => drop(content.competencies.insert(competency.id, competency)),
                Part::Module(module) => drop(content.modules.insert(module.id, module)),
            }
        }
        content
    }

    /// The curriculum with its draft.
    #[must_use]
    pub fn shown(&self) -> CurriculumShown {
        let (competencies, modules) = by_code(self.content(None));
        CurriculumShown {
            id: self.id,
            version: self.version,
            title: self.title.clone(),
            latest: self.published.keys().next_back().copied(),
            competencies,
            modules,
            published: self.published.iter().map(|(number, dated)| PublishedShown { number: *number, published_at: dated.at }).collect(),
        }
    }

    /// A version as published.
    #[must_use]
    pub fn published(&self, number: u32) -> Option<CurriculumVersion> {
        let published = self.published.get(&number)?;
        let (competencies, modules) = by_code(self.content(Some(published)));
        Some(CurriculumVersion { number, published_at: published.at, competencies, modules })
    }

    fn state(&mut self, event: &Recorded<Happening>, part: Part) {
        let stated = Dated::told(event, part);
        let place = self.stated.partition_point(|other| (other.at, other.position) < (stated.at, stated.position));
        self.stated.insert(place, stated);
    }
}

/// Parts in the order of their short names, which people know them by.
fn by_code(content: Content) -> (Vec<Competency>, Vec<Module>) {
    let mut competencies: Vec<_> = content.competencies.into_values().collect();
    let mut modules: Vec<_> = content.modules.into_values().collect();
    competencies.sort_by(|one, other| one.code.cmp(&other.code));
    modules.sort_by(|one, other| one.code.cmp(&other.code));
    (competencies, modules)
}

impl View for Curricula {
    type World = Ledgers;
    type Row = CurriculumRow;
    const NAME: &'static str = "curriculum";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] =
        &[Column { name: "title", holds: ColumnType::Text }, Column { name: "latest", holds: ColumnType::Integer }];

    fn concerns(event: &Recorded<Happening>) -> Vec<RowId> {
        if matches!(event.event, Happening::Curriculum(_)) { vec![event.stream.id.to_string()] } else { Vec::new() }
    }

    fn fold(row: Option<CurriculumRow>, event: &Recorded<Happening>) -> Option<CurriculumRow> {
        let Happening::Curriculum(happened) = &event.event else { return row };
        if let CurriculumEvent::CurriculumDrafted { curriculum, title } = happened {
            return Some(CurriculumRow {
                id: *curriculum,
                version: event.sequence,
                title: title.clone(),
                stated: Vec::new(),
                published: BTreeMap::new(),
            });
        }
        let mut row = row?;
        row.version = event.sequence;
        match happened.clone() {
            CurriculumEvent::CurriculumDrafted { .. } => {}
            CurriculumEvent::CompetencyAdded { competency } | CurriculumEvent::CompetencyRevised { competency } => {
                row.state(event, Part::Competency(competency));
            }
            CurriculumEvent::ModuleAdded { module } | CurriculumEvent::ModuleRevised { module } => row.state(event, Part::Module(module)),
            CurriculumEvent::CurriculumPublished { version } => drop(row.published.insert(version, Dated::told(event, ()))),
        }
        Some(row)
    }

    fn cells(row: &CurriculumRow) -> Vec<Cell> {
        let latest = row.published.keys().next_back().copied().unwrap_or_default();
        vec![Cell::Text(row.title.clone()), Cell::Integer(latest.into())]
    }
}

#[cfg(test)]
mod tests {
    use lastresort_domain::curriculum::{Criterion, ModuleKind, Strand};

    use super::*;
    use crate::testing::{fold, id, in_any_order};

    fn competency(number: u128, must_pass: bool) -> Competency {
        let criteria = vec![Criterion { id: id(number * 10), text: "Says what the law asks.".into() }];
        Competency { id: id(number), code: format!("C{number}"), title: "Law".into(), must_pass, criteria }
    }

    fn module(number: u128, minutes: u32) -> Module {
        Module {
            id: id(number),
            code: format!("M{number}"),
            title: "The legal framework".into(),
            strand: Strand::NonEscalation,
            kind: ModuleKind::Knowledge,
            minutes,
            pre_load: false,
            competencies: vec![id(1)],
        }
    }

    fn history() -> Vec<Happening> {
        let events = vec![
            CurriculumEvent::CurriculumDrafted { curriculum: id(7), title: "Trainer development".into() },
            CurriculumEvent::CompetencyAdded { competency: competency(1, false) },
            CurriculumEvent::ModuleAdded { module: module(2, 60) },
            CurriculumEvent::CurriculumPublished { version: 1 },
            CurriculumEvent::ModuleRevised { module: module(2, 90) },
            CurriculumEvent::CompetencyRevised { competency: competency(1, true) },
            CurriculumEvent::ModuleAdded { module: module(1, 30) },
            CurriculumEvent::CurriculumPublished { version: 2 },
            CurriculumEvent::ModuleRevised { module: module(1, 45) },
        ];
        events.into_iter().map(Happening::Curriculum).collect()
    }

    #[test]
    fn versions_keep_what_they_were_published_with() {
        let row = fold::<Curricula>(&history());
        let minutes = |modules: Vec<Module>| modules.iter().map(|module| module.minutes).collect::<Vec<_>>();
        let of = |number| row.published(number).map(|version| (minutes(version.modules), version.competencies[0].must_pass));
        assert_eq!((of(0), of(1), of(2), of(3)), (None, Some((vec![60], false)), Some((vec![30, 90], true)), None));
        assert_eq!((minutes(row.shown().modules), row.shown().latest), (vec![45, 90], Some(2)));
    }

    #[test]
    fn any_order_of_late_arrival_gives_the_same_row() {
        in_any_order::<Curricula, _>(&history(), |row| (row.shown().modules, row.shown().competencies, row.published(1), row.published(2)));
    }
}
