//! Training needs analyses: every version, and which of them the governance
//! lead authorised.

use std::collections::BTreeMap;

use lastresort_domain::needs_analysis::{Analysis, NeedsAnalysisEvent};
use lastresort_fact::{Instant, NeedsAnalysisId, PersonId};
use lastresort_ledger::rows::{Cell, Column, ColumnType, RowId};
use lastresort_ledger::view::{Recorded, View};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Happening, Ledgers};

/// Needs analyses.
#[derive(Clone, Copy, Debug)]
pub struct NeedsAnalyses;

/// A needs analysis as folded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeedsAnalysisRow {
    /// Its id.
    pub id: NeedsAnalysisId,
    /// The version of its stream.
    pub version: u64,
    /// What each version says.
    pub said: BTreeMap<u32, (Analysis, Noted)>,
    /// Which versions were authorised.
    pub authorised: BTreeMap<u32, Noted>,
}

/// When something was so, and who told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Noted {
    /// When.
    pub at: Instant,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
}

/// Whether a version may be relied on. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisStatus {
    /// It was recorded, and nobody has authorised it.
    Recorded,
    /// The governance lead authorised it.
    Authorised,
}

/// One version of a needs analysis.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AnalysisVersion {
    /// Its number, counted from 1: what a programme pins.
    #[schema(minimum = 1)]
    pub number: u32,
    /// Whether it was authorised.
    pub status: AnalysisStatus,
    /// How many months of incident data it covers.
    #[schema(minimum = 1)]
    pub months: i32,
    /// What it says.
    pub analysis: Analysis,
    /// When it was recorded, and by whom.
    pub recorded: Noted,
    /// When it was authorised, and by whom; absent where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorised: Option<Noted>,
}

/// A training needs analysis.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct NeedsAnalysisShown {
    /// Its id.
    pub id: NeedsAnalysisId,
    /// The version of the resource, as in `ETag`.
    pub version: u64,
    /// The number of the latest version.
    #[schema(minimum = 1)]
    pub latest: u32,
    /// Whether the latest version was authorised.
    pub status: AnalysisStatus,
    /// Every version, the latest first.
    pub versions: Vec<AnalysisVersion>,
}

impl NeedsAnalysisRow {
    fn latest(&self) -> u32 {
        self.said.keys().next_back().copied().unwrap_or_default()
    }

    fn status(&self, number: u32) -> AnalysisStatus {
        if self.authorised.contains_key(&number) { AnalysisStatus::Authorised } else { AnalysisStatus::Recorded }
    }

    /// The needs analysis, with every version.
    #[must_use]
    pub fn shown(&self) -> NeedsAnalysisShown {
        let version = |(number, (analysis, recorded)): (&u32, &(Analysis, Noted))| AnalysisVersion {
            number: *number,
            status: self.status(*number),
            months: analysis.months(),
            analysis: analysis.clone(),
            recorded: *recorded,
            authorised: self.authorised.get(number).copied(),
        };
        NeedsAnalysisShown {
            id: self.id,
            version: self.version,
            latest: self.latest(),
            status: self.status(self.latest()),
            versions: self.said.iter().rev().map(version).collect(),
        }
    }
}

impl View for NeedsAnalyses {
    type World = Ledgers;
    type Row = NeedsAnalysisRow;
    const NAME: &'static str = "needs_analysis";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] =
        &[Column { name: "status", holds: ColumnType::Text }, Column { name: "recorded_at", holds: ColumnType::Text }];

    fn concerns(event: &Recorded<Happening>) -> Vec<RowId> {
        if matches!(event.event, Happening::NeedsAnalysis(_)) { vec![event.stream.id.to_string()] } else { Vec::new() }
    }

    fn fold(row: Option<NeedsAnalysisRow>, event: &Recorded<Happening>) -> Option<NeedsAnalysisRow> {
        let Happening::NeedsAnalysis(happened) = &event.event else { return row };
        let noted = Noted { at: event.stamp.occurred_at, by: event.stamp.by.person() };
        if let NeedsAnalysisEvent::NeedsAnalysisRecorded { needs_analysis, analysis } = happened {
            return Some(NeedsAnalysisRow {
                id: *needs_analysis,
                version: event.sequence,
                said: BTreeMap::from([(1, (analysis.clone(), noted))]),
                authorised: BTreeMap::new(),
            });
        }
        let mut row = row?;
        row.version = event.sequence;
        match happened {
            NeedsAnalysisEvent::NeedsAnalysisRecorded { .. } => {}
            NeedsAnalysisEvent::NeedsAnalysisRevised { version, analysis } => drop(row.said.insert(*version, (analysis.clone(), noted))),
            NeedsAnalysisEvent::NeedsAnalysisAuthorised { version } => drop(row.authorised.insert(*version, noted)),
        }
        Some(row)
    }

    fn cells(row: &NeedsAnalysisRow) -> Vec<Cell> {
        let status = match row.status(row.latest()) {
            AnalysisStatus::Recorded => "recorded",
            AnalysisStatus::Authorised => "authorised",
        };
        let recorded = row.said.values().next().map_or(Cell::Null, |(_, noted)| Cell::Text(noted.at.to_string()));
        vec![Cell::Text(status.to_owned()), recorded]
    }
}

#[cfg(test)]
mod tests {
    use super::AnalysisStatus::{Authorised, Recorded};
    use super::*;
    use crate::testing::{day, fold, id, in_any_order};

    fn analysis(months_to: &str) -> Analysis {
        Analysis {
            months_from: day("2018-10-01"),
            months_to: day(months_to),
            shorter_because: None,
            summary: "Staff know holds and hardly any words.".into(),
            without_person_identifiers: true,
            life_support_cover_confirmed: true,
            commitment_on_file: true,
            findings: Vec::new(),
        }
    }

    fn history() -> Vec<Happening> {
        let events = vec![
            NeedsAnalysisEvent::NeedsAnalysisRecorded { needs_analysis: id(3), analysis: analysis("2020-09-30") },
            NeedsAnalysisEvent::NeedsAnalysisAuthorised { version: 1 },
            NeedsAnalysisEvent::NeedsAnalysisRevised { version: 2, analysis: analysis("2020-10-31") },
            NeedsAnalysisEvent::NeedsAnalysisRevised { version: 3, analysis: analysis("2020-11-30") },
            NeedsAnalysisEvent::NeedsAnalysisAuthorised { version: 3 },
        ];
        events.into_iter().map(Happening::NeedsAnalysis).collect()
    }

    #[test]
    fn a_revision_waits_for_its_own_authorisation() {
        let status = |events: &[Happening]| {
            let shown = fold::<NeedsAnalyses>(events).shown();
            (shown.latest, shown.status, shown.versions.iter().map(|version| version.status).collect::<Vec<_>>())
        };
        assert_eq!(status(&history()[..2]), (1, Authorised, vec![Authorised]));
        assert_eq!(status(&history()[..3]), (2, Recorded, vec![Recorded, Authorised]));
        assert_eq!(status(&history()), (3, Authorised, vec![Authorised, Recorded, Authorised]));
    }

    #[test]
    fn any_order_of_late_arrival_gives_the_same_row() {
        in_any_order::<NeedsAnalyses, _>(&history(), |row| (row.shown().latest, row.shown().versions));
    }
}
