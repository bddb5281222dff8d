//! What a curriculum is made of, and what must be so of a module or competency
//! before it enters the draft. A programme copies these same words by value.

use std::collections::{BTreeMap, BTreeSet};

use lastresort_fact::{CompetencyId, CriterionId, ModuleId, Unmet, parts, plain};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a module helps with, from preventing a crisis to holding somebody. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strand {
    /// Not letting it come to a crisis.
    NonEscalation,
    /// Talking a crisis down.
    DeEscalation,
    /// Keeping everybody safe while it lasts.
    CrisisManagement,
    /// Breaking away; not restraint.
    SelfProtection,
    /// Holding as a team: no pain, no floor.
    TeamHolding,
}

/// Whether a module is known or done. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModuleKind {
    /// Something to know: law, guidance, concepts.
    Knowledge,
    /// Something to do, bodies included; ratios apply.
    Skill,
}

plain!(Strand, ModuleKind);

parts! {
    /// One observable part of a competency.
    pub struct Criterion {
        /// Its id.
        pub id: CriterionId,
        /// What is to be seen.
        pub text: String,
    }

    /// Something a person can be judged able to do.
    pub struct Competency {
        /// Its id.
        pub id: CompetencyId,
        /// A short name for reading, unique in the curriculum.
        pub code: String,
        /// Its title.
        pub title: String,
        /// A trainer's authority cannot be had without it.
        pub must_pass: bool,
        /// Its observable parts, at least one.
        pub criteria: Vec<Criterion>,
    }

    /// A module.
    pub struct Module {
        /// Its id.
        pub id: ModuleId,
        /// A short name for reading, unique in the curriculum.
        pub code: String,
        /// Its title.
        pub title: String,
        /// What it helps with.
        pub strand: Strand,
        /// Knowledge or skill.
        pub kind: ModuleKind,
        /// How long it is taught, net of breaks.
        pub minutes: u32,
        /// It is learnt in the pre-load, before anything else.
        pub pre_load: bool,
        /// The competencies it serves.
        pub competencies: Vec<CompetencyId>,
    }
}

/// What a curriculum holds at one time: its draft, or one of its versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// Its modules.
    pub modules: BTreeMap<ModuleId, Module>,
    /// Its competencies.
    pub competencies: BTreeMap<CompetencyId, Competency>,
}

impl Content {
    /// What stands in the way of publishing it after the version before.
    pub(super) fn unpublishable(&self, latest: Option<&Self>) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        if self.modules.is_empty() {
            unmet.push(Unmet::new("not_in_state", "A curriculum is published with at least one module."));
        }
        if latest == Some(self) {
            unmet.push(Unmet::new("not_in_state", "Nothing changed since the latest version, and a published version never changes."));
        }
        for module in self.modules.values().filter(|module| module.competencies.is_empty()) {
            unmet.push(Unmet::new("not_in_state", format!("Module {} serves no competency.", module.code)));
        }
        unmet
    }

    /// What is wrong with a competency as told, beside those of other ids.
    pub(super) fn faults_of_competency(&self, told: &Competency) -> Vec<Unmet> {
        let others = || self.competencies.values().filter(|other| other.id != told.id);
        let mut unmet = Vec::new();
        if others().any(|other| other.code == told.code) {
            unmet.push(Unmet::new("already_done", "Another competency of this curriculum has this code.").at("/code"));
        }
        if told.criteria.is_empty() {
            unmet.push(Unmet::new("invalid", "A competency has at least one criterion to be seen.").at("/criteria"));
        }
        let mut taken: BTreeSet<CriterionId> = others().flat_map(|other| &other.criteria).map(|criterion| criterion.id).collect();
        for (index, criterion) in told.criteria.iter().enumerate() {
            if !taken.insert(criterion.id) {
                let detail = "Another criterion of this curriculum has this id.";
                unmet.push(Unmet::new("already_done", detail).at(&format!("/criteria/{index}/id")));
            }
        }
        unmet
    }

    /// What is wrong with a module as told, beside those of other ids.
    pub(super) fn faults_of_module(&self, told: &Module) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        if self.modules.values().any(|other| other.id != told.id && other.code == told.code) {
            unmet.push(Unmet::new("already_done", "Another module of this curriculum has this code.").at("/code"));
        }
        if told.minutes == 0 {
            unmet.push(Unmet::new("invalid", "A module takes at least one minute.").at("/minutes"));
        }
        let mut named = BTreeSet::new();
        for (index, competency) in told.competencies.iter().enumerate() {
            let pointer = format!("/competencies/{index}");
            if !self.competencies.contains_key(competency) {
                unmet.push(Unmet::new("unknown_reference", "There is no such competency in this curriculum.").at(&pointer));
            } else if !named.insert(competency) {
                unmet.push(Unmet::new("invalid", "Each competency is named once.").at(&pointer));
            }
        }
        unmet
    }
}
