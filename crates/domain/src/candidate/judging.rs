//! What is seen of a candidate, what they hand in, and what is decided on it.
//! *Competent* rests on enough, current, direct observation (rule 9); too
//! little is `insufficient_evidence` and never `not_yet_competent`. Witnesses
//! describe and are not counted; only assessors decide.

use std::collections::BTreeSet;

use lastresort_fact::{Actor, Asked, AssessmentId, CompetencyId, Instant, ModuleId, Refusal, Unmet};
use serde::{Deserialize, Serialize};

use super::{
    Assess, Candidate, CandidateEvent, CandidateFacts, Capacity, CriterionResult, Decision, ObservationKind, Observe, SubmitEvidence,
};
use crate::correction::{Told, unless_corrected};
use crate::guard::unless;
use crate::organisation::PolicyName;

/// An observation, as far as decisions rest on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Who saw it.
    pub by: Actor,
    /// Of which competency.
    pub competency: CompetencyId,
    /// How.
    pub kind: ObservationKind,
    /// In what capacity.
    pub capacity: Capacity,
    /// When it was so, and the fact that says it.
    pub told: Told,
}

/// Evidence, as far as decisions rest on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Of which competencies.
    pub competencies: Vec<CompetencyId>,
    /// When it was handed in, and the fact that says it.
    pub told: Told,
}

/// A decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessed {
    /// Who decided.
    pub by: Actor,
    /// On which competency.
    pub competency: CompetencyId,
    /// In which module.
    pub module: Option<ModuleId>,
    /// What.
    pub decision: Decision,
    /// When.
    pub at: Instant,
}

/// What a decision cites, found.
struct Cited<'a> {
    observations: Vec<&'a Observed>,
    told: Vec<Told>,
}

impl Candidate {
    /// The decision on a competency that was made last.
    #[must_use]
    pub fn decided(&self, competency: CompetencyId) -> Option<(AssessmentId, Assessed)> {
        let on_it = self.assessments.iter().filter(|(_, decided)| decided.competency == competency);
        on_it.max_by_key(|(id, decided)| (decided.at, **id)).map(|(id, decided)| (*id, *decided))
    }

    pub(super) fn observe(&self, told: Observe, asked: &Asked, facts: &CandidateFacts) -> Result<Vec<CandidateEvent>, Refusal> {
        let mut unmet = Vec::new();
        known_competency(told.competency, facts, "/competency", &mut unmet);
        known_module(told.module, facts, &mut unmet);
        known_criteria(told.competency, &told.results, facts, &mut unmet);
        if told.session.is_some() && !facts.session_known {
            unmet.push(Unmet::new("unknown_reference", "There is no such session of the candidate's programme.").at("/session"));
        }
        let held = self.observations.get(&told.observation);
        unless_corrected(held.map(|held| &held.told), asked, &mut unmet);
        let own = held.is_none_or(|held| held.by == asked.by);
        unless(own, &mut unmet, "not_permitted", "An observation is corrected by whoever made it.");
        Refusal::unless_met(unmet)?;
        let Observe { observation, competency, module, kind, session, results, narrative } = told;
        let capacity = held.map_or_else(|| self.capacity(asked, facts), |held| held.capacity);
        let narrative = self.narrative(narrative);
        Ok(vec![CandidateEvent::ObservationRecorded { observation, competency, module, kind, session, capacity, results, narrative }])
    }

    /// By the assignment of the person on the day it was seen, whatever role they act in.
    fn capacity(&self, asked: &Asked, facts: &CandidateFacts) -> Capacity {
        let then = facts.organisation.day(asked.occurred_at);
        match asked.by.person() {
            Some(person) if self.mentor_on(then) == Some(person) && facts.asker.eligible => Capacity::Mentor,
            Some(person) if self.assessed_by(person, then) && facts.asker.eligible => Capacity::Assessor,
            Some(_) | None => Capacity::Witness,
        }
    }

    pub(super) fn submit(&self, told: SubmitEvidence, asked: &Asked, facts: &CandidateFacts) -> Result<Vec<CandidateEvent>, Refusal> {
        let mut unmet = Vec::new();
        known_competencies(&told.competencies, facts, &mut unmet);
        if told.sha256.len() != 64 || !told.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            unmet.push(Unmet::new("invalid", "A SHA-256 is 64 digits of lower-case hexadecimal.").at("/sha256"));
        }
        unless_corrected(self.evidence.get(&told.evidence).map(|held| &held.told), asked, &mut unmet);
        Refusal::unless_met(unmet)?;
        let SubmitEvidence { evidence, kind, competencies, title, reference, sha256 } = told;
        let (title, reference) = (self.narrative(title), self.narrative(reference));
        Ok(vec![CandidateEvent::EvidenceSubmitted { evidence, kind, competencies, title, reference, sha256 }])
    }

    pub(super) fn assess(&self, told: Assess, asked: &Asked, facts: &CandidateFacts) -> Result<Vec<CandidateEvent>, Refusal> {
        let mut unmet = Vec::new();
        known_competency(told.competency, facts, "/competency", &mut unmet);
        known_module(told.module, facts, &mut unmet);
        let fresh = !self.assessments.contains_key(&told.assessment);
        unless(fresh, &mut unmet, "already_done", "This decision is recorded already; another view of it is another decision.");
        let cited = self.cited(&told, asked.occurred_at, &mut unmet);
        match told.decision {
            Decision::Competent => {
                self.unless_sufficient(&cited, told.competency, asked, facts, &mut unmet);
                unless_current(&told, self, asked, facts, &mut unmet);
            }
            Decision::NotYetCompetent => {
                let detail =
                    "Not yet competent rests on at least one observation; where there is none, the decision is insufficient_evidence.";
                unless(!cited.observations.is_empty(), &mut unmet, "evidence_insufficient", detail);
            }
            Decision::InsufficientEvidence => {}
        }
        Refusal::unless_met(unmet)?;
        let Assess { assessment, competency, module, decision, level, observations, evidence, reason } = told;
        let reason = self.narrative(reason);
        Ok(vec![CandidateEvent::CompetencyAssessed { assessment, competency, module, decision, level, observations, evidence, reason }])
    }

    /// What a decision cites: all of this candidate, of this competency, and before it.
    fn cited(&self, told: &Assess, at: Instant, unmet: &mut Vec<Unmet>) -> Cited<'_> {
        let mut cited = Cited { observations: Vec::new(), told: Vec::new() };
        let mut against = |list: &str, index: usize, detail: &str| {
            unmet.push(Unmet::new("unknown_reference", detail).at(&format!("/{list}/{index}")));
        };
        for (index, id) in told.observations.iter().enumerate() {
            match self.observations.get(id) {
                None => against("observations", index, "There is no such observation of this candidate."),
                Some(seen) if seen.competency != told.competency => against("observations", index, "This was seen of another competency."),
                Some(seen) if seen.told.at > at => against("observations", index, "This was seen after the decision."),
                Some(_) if told.observations[..index].contains(id) => against("observations", index, "This is cited twice."),
                Some(seen) => cited.observations.push(seen),
            }
        }
        for (index, id) in told.evidence.iter().enumerate() {
            match self.evidence.get(id) {
                None => against("evidence", index, "There is no such evidence of this candidate."),
                Some(found) if !found.competencies.contains(&told.competency) => {
                    against("evidence", index, "This is evidence of another competency.");
                }
                Some(found) if found.told.at > at => against("evidence", index, "This was handed in after the decision."),
                Some(_) if told.evidence[..index].contains(id) => against("evidence", index, "This is cited twice."),
                Some(found) => cited.told.push(found.told),
            }
        }
        cited.told.extend(cited.observations.iter().map(|seen| seen.told));
        cited
    }

    /// Rule 9, and of rule 13 that what was demanded is answered by something new.
    fn unless_sufficient(
        &self,
        cited: &Cited<'_>,
        competency: CompetencyId,
        asked: &Asked,
        facts: &CandidateFacts,
        unmet: &mut Vec<Unmet>,
    ) {
        // Policy is of the version pinned and the day it is recorded: nobody chooses another by telling of another day.
        let today = facts.organisation.day(asked.at);
        let pinned = facts.organisation.policy.pinned(facts.programme.policy_version);
        let policy = |name| pinned.on(name, today) as usize;
        let counted: Vec<_> = cited.observations.iter().filter(|seen| seen.capacity != Capacity::Witness).collect();
        let direct = counted.iter().any(|seen| seen.kind == ObservationKind::Direct);
        unless(direct, unmet, "no_direct_observation", "Competent rests on at least one direct observation by a mentor or an assessor.");
        let raters: BTreeSet<_> = counted.iter().filter_map(|seen| seen.by.person()).collect();
        let occasions: BTreeSet<_> = counted.iter().map(|seen| facts.organisation.day(seen.told.at)).collect();
        for (found, name, what) in [
            (counted.len(), PolicyName::ObservationsMin, "observations"),
            (raters.len(), PolicyName::RatersMin, "raters"),
            (occasions.len(), PolicyName::OccasionsMin, "occasions"),
        ] {
            let needed = policy(name);
            let detail = format!("Competent rests on at least {needed} {what} by mentors or assessors; {found} are cited.");
            unless(found >= needed, unmet, "evidence_insufficient", &detail);
        }
        let must_pass = facts.programme.competencies.get(&competency).is_some_and(|competency| competency.must_pass);
        let demanded = self.actions.values().filter(|demand| demand.competency == competency).map(|demand| demand.recorded_at).max();
        let answered = demanded.is_none_or(|at| cited.told.iter().any(|told| told.at > at));
        let detail = "An action was demanded here; what is cited must hold something from after that.";
        unless(!must_pass || answered, unmet, "evidence_not_current", detail);
    }
}

/// Everything a decision for competent cites lies within the period that policy states.
fn unless_current(told: &Assess, candidate: &Candidate, asked: &Asked, facts: &CandidateFacts, unmet: &mut Vec<Unmet>) {
    let then = facts.organisation.day(asked.occurred_at);
    let pinned = facts.organisation.policy.pinned(facts.programme.policy_version);
    let days = pinned.on(PolicyName::EvidenceCurrencyDays, facts.organisation.day(asked.at));
    let observations = told.observations.iter().map(|id| candidate.observations.get(id).map(|seen| seen.told.at));
    let evidence = told.evidence.iter().map(|id| candidate.evidence.get(id).map(|found| found.told.at));
    let cited = observations.enumerate().map(|(index, at)| (format!("/observations/{index}"), at));
    for (pointer, seen_at) in cited.chain(evidence.enumerate().map(|(index, at)| (format!("/evidence/{index}"), at))) {
        let age = seen_at.map(|seen_at| (then - facts.organisation.day(seen_at)).num_days());
        if age.is_some_and(|age| age > i64::from(days)) {
            unmet.push(Unmet::new("evidence_not_current", format!("This is older than {days} days.")).at(&pointer));
        }
    }
}

pub(super) fn known_competency(id: CompetencyId, facts: &CandidateFacts, pointer: &str, unmet: &mut Vec<Unmet>) {
    if !facts.programme.competencies.contains_key(&id) {
        unmet.push(Unmet::new("unknown_reference", "The programme has no such competency.").at(pointer));
    }
}

pub(super) fn known_competencies(ids: &[CompetencyId], facts: &CandidateFacts, unmet: &mut Vec<Unmet>) {
    for (index, id) in ids.iter().enumerate() {
        known_competency(*id, facts, &format!("/competencies/{index}"), unmet);
    }
}

fn known_module(id: Option<ModuleId>, facts: &CandidateFacts, unmet: &mut Vec<Unmet>) {
    if id.is_some_and(|id| !facts.programme.modules.contains_key(&id)) {
        unmet.push(Unmet::new("unknown_reference", "The programme has no such module.").at("/module"));
    }
}

fn known_criteria(competency: CompetencyId, results: &[CriterionResult], facts: &CandidateFacts, unmet: &mut Vec<Unmet>) {
    let Some(competency) = facts.programme.competencies.get(&competency) else { return };
    for (index, result) in results.iter().enumerate() {
        let pointer = format!("/results/{index}/criterion");
        if !competency.criteria.iter().any(|criterion| criterion.id == result.criterion) {
            unmet.push(Unmet::new("unknown_reference", "The competency has no such criterion.").at(&pointer));
        } else if results[..index].iter().any(|other| other.criterion == result.criterion) {
            unmet.push(Unmet::new("invalid", "This criterion is named twice.").at(&pointer));
        }
    }
}

#[cfg(test)]
mod tests;
