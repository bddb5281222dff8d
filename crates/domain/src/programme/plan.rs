//! A programme as planned, and what it pins: rule 3.

use lastresort_fact::{CurriculumId, NeedsAnalysisId, OrganisationId, ProgrammeId, Unmet, parts};

use super::{Programme, ProgrammeEvent, ProgrammeFacts};
use crate::curriculum::Content;

parts! {
    /// The needs analysis a programme rests on.
    #[derive(Copy, Eq)]
    pub struct NeedsAnalysisPin {
        /// Which analysis.
        pub needs_analysis: NeedsAnalysisId,
        /// Which version of it.
        pub version: u32,
    }

    /// The curriculum a programme rests on, and where it was copied from.
    #[derive(Copy, Eq)]
    pub struct CurriculumPin {
        /// The provider.
        pub organisation: OrganisationId,
        /// Its curriculum.
        pub curriculum: CurriculumId,
        /// Which version of it.
        pub version: u32,
        /// The position of the provider's ledger at which it was copied.
        pub position: u64,
    }
}

/// A programme as planned.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its id.
    pub id: ProgrammeId,
    /// Its title.
    pub title: String,
    /// The needs analysis it rests on.
    pub needs_analysis: NeedsAnalysisPin,
    /// The curriculum it rests on.
    pub curriculum: CurriculumPin,
    /// What that version of the curriculum holds, as copied; nothing where
    /// the provider has no such version, since none is published empty.
    pub content: Content,
}

impl Plan {
    /// What follows once nothing stands against it.
    pub(super) fn happens(self, policy_version: u32) -> Vec<ProgrammeEvent> {
        let Self { id, title, needs_analysis, curriculum, content } = self;
        let policy_version = Some(policy_version);
        let planned = ProgrammeEvent::ProgrammePlanned { programme: id, title, needs_analysis, curriculum, policy_version };
        let competencies = content.competencies.into_values().map(|competency| ProgrammeEvent::CompetencyPinned { competency });
        let modules = content.modules.into_values().map(|module| ProgrammeEvent::ModulePinned { module });
        [planned].into_iter().chain(competencies).chain(modules).collect()
    }
}

impl Programme {
    /// What is wrong with a plan: what it names is there, and an existing
    /// programme keeps what it pinned (rule 3).
    pub(super) fn misplanned(&self, plan: &Plan, facts: &ProgrammeFacts, unmet: &mut Vec<Unmet>) {
        if self.id.is_some() {
            if self.needs_analysis != Some(plan.needs_analysis) {
                unmet.push(Unmet::new("version_pinned", "The programme keeps the needs analysis it began with.").at("/needs_analysis"));
            }
            if self.curriculum != Some(plan.curriculum) {
                unmet.push(Unmet::new("version_pinned", "The programme keeps the curriculum it began with.").at("/curriculum"));
            }
        }
        if plan.content.modules.is_empty() {
            let detail = "The provider has published no such version of such a curriculum, or you are not known there.";
            unmet.push(Unmet::new("unknown_reference", detail).at("/curriculum"));
        }
        match &facts.needs_analysis {
            None => unmet.push(Unmet::new("unknown_reference", "There is no such needs analysis here.").at("/needs_analysis")),
            Some(analysis) if !(1..=analysis.version).contains(&plan.needs_analysis.version) => {
                unmet.push(Unmet::new("unknown_reference", "The needs analysis has no such version.").at("/needs_analysis/version"));
            }
            Some(_) => {}
        }
    }
}
