//! What is shown of a session.

use std::collections::BTreeSet;

use super::{
    Attainment, AttainmentShown, AttainmentStatus, AttendanceShown, Correctable, Corrected, Dated, ModuleId, ModuleMinutes, Noted, Owner,
    OwnerTold, PersonId, Responsibility, ResponsibilityShown, ResponsibilityStatus, SessionKind, SessionModuleShown, SessionRow,
    SessionShown, SessionStatus, TrainerPart, Word,
};

/// A responsibility as it adds up from what was told.
struct Standing<'a> {
    told: &'a OwnerTold,
    settled: bool,
    agreed_by: BTreeSet<PersonId>,
}

impl SessionRow {
    pub(super) fn status(&self) -> SessionStatus {
        match (&self.completed, &self.cancelled) {
            (Some(_), _) => SessionStatus::Completed,
            (None, Some(_)) => SessionStatus::Cancelled,
            (None, None) => SessionStatus::Planned,
        }
    }

    /// Those who must agree: every mentor and candidate.
    fn parties(&self) -> BTreeSet<PersonId> {
        let party = |part| matches!(part, TrainerPart::Mentor | TrainerPart::Candidate);
        self.trainers().iter().filter(|trainer| party(trainer.part)).map(|trainer| trainer.person).collect()
    }

    fn standing<'a>(&self, words: &'a [Dated<OwnerTold>]) -> Option<Standing<'a>> {
        let parties = self.parties();
        let own = |by: Option<PersonId>| by.filter(|person| parties.contains(person));
        let mut standing: Option<Standing<'a>> = None;
        for told in words.iter().map(|dated| &dated.value) {
            match (&told.word, standing.as_mut()) {
                (Word::Agreed, Some(held)) if held.told.owner == told.owner => held.agreed_by.extend(own(told.by)),
                (Word::Agreed, _) => {}
                (Word::Proposed, _) => {
                    standing = Some(Standing { told, settled: false, agreed_by: own(told.by).into_iter().collect() });
                }
                // A change on record beforehand waits for the others to agree; later it stands.
                (Word::Changed(_), _) if told.recorded_at < self.plan.starts_at => {
                    standing = Some(Standing { told, settled: false, agreed_by: own(told.by).into_iter().collect() });
                }
                (Word::Changed(_), _) => standing = Some(Standing { told, settled: true, agreed_by: BTreeSet::new() }),
            }
        }
        standing.filter(|held| parties.contains(&held.told.owner))
    }

    /// What it came to: who really answered for what, and the minutes it took.
    fn came_to(&self) -> Option<&(Vec<Owner>, Vec<ModuleMinutes>)> {
        self.completed.as_ref().map(|dated| &dated.value.value.value)
    }

    fn responsibility(&self, responsibility: Responsibility) -> ResponsibilityShown {
        let actual = self.came_to().into_iter().flat_map(|(owners, _)| owners).find(|owner| owner.responsibility == responsibility);
        let standing = self.owners.get(&responsibility).and_then(|words| self.standing(words));
        let status = match &standing {
            None => ResponsibilityStatus::Unowned,
            Some(Standing { settled: true, .. }) => ResponsibilityStatus::Changed,
            Some(Standing { agreed_by, .. }) if self.parties().is_subset(agreed_by) => ResponsibilityStatus::Agreed,
            Some(_) => ResponsibilityStatus::Proposed,
        };
        let reason = standing.as_ref().and_then(|standing| match &standing.told.word {
            Word::Changed(reason) => Some(reason.clone()),
            Word::Proposed | Word::Agreed => None,
        });
        ResponsibilityShown {
            responsibility,
            status,
            owner: standing.as_ref().map(|standing| standing.told.owner),
            agreed_by: standing.map(|standing| standing.agreed_by.into_iter().collect()).unwrap_or_default(),
            reason,
            actual_owner: actual.map(|owner| owner.owner),
        }
    }

    fn modules(&self) -> Vec<SessionModuleShown> {
        let shown = |planned: &ModuleMinutes| {
            let actual = self.came_to().into_iter().flat_map(|(_, modules)| modules).find(|actual| actual.module == planned.module);
            SessionModuleShown {
                module: planned.module,
                minutes: planned.minutes,
                assessment_minutes: planned.assessment_minutes,
                actual_minutes: actual.map(|actual| actual.minutes),
                actual_assessment_minutes: actual.map(|actual| actual.assessment_minutes),
            }
        };
        self.plan.modules.iter().map(shown).collect()
    }

    fn attendance(&self) -> Vec<AttendanceShown> {
        let lines =
            self.attendance.iter().flat_map(|(person, modules)| modules.iter().map(move |(module, dated)| (*person, *module, dated)));
        let shown = |(person, module, dated): (PersonId, ModuleId, &Correctable<u32>)| {
            let Noted { fact, value: Corrected { value: minutes, reason }, .. } = dated.value.clone();
            AttendanceShown { person, module, minutes, occurred_at: dated.at, fact, reason }
        };
        lines.map(shown).collect()
    }

    fn attainment(&self) -> Vec<AttainmentShown> {
        let lines =
            self.attainment.iter().flat_map(|(person, modules)| modules.iter().map(move |(module, held)| held.shown(*person, *module)));
        lines.flatten().collect()
    }

    /// The session as a learner of it sees it: what they attended and attained, and nothing of anybody else's.
    #[must_use]
    pub fn shown_to(&self, learner: PersonId) -> Option<SessionShown> {
        let mut shown = self.shown();
        shown.roster.retain(|person| *person == learner);
        shown.attendance.retain(|line| line.person == learner);
        shown.attainment.retain(|line| line.person == learner);
        shown.responsibilities.clear();
        (!shown.roster.is_empty()).then_some(shown)
    }

    /// The session.
    #[must_use]
    pub fn shown(&self) -> SessionShown {
        let plan = self.plan.clone();
        let shared = plan.kind == SessionKind::CoDelivery;
        SessionShown {
            id: self.id,
            version: self.version,
            programme: plan.programme,
            stage: plan.stage,
            kind: plan.kind,
            status: self.status(),
            title: plan.title,
            modules: self.modules(),
            starts_at: plan.starts_at,
            ends_at: plan.ends_at,
            unit: plan.unit,
            venue: plan.venue,
            trainers: self.trainers().to_vec(),
            trainers_changed_at: self.changed.as_ref().map(|dated| dated.at),
            trainers_changed_because: self.changed.as_ref().map(|dated| dated.value.1.clone()),
            learners_max: plan.learners_max,
            physical: plan.physical,
            low_risk: plan.low_risk,
            responsibilities: if shared { Responsibility::ALL.map(|each| self.responsibility(each)).to_vec() } else { Vec::new() },
            roster: self.roster.as_ref().map(|dated| dated.value.clone()).unwrap_or_default(),
            attendance: self.attendance(),
            attainment: self.attainment(),
            planned_at: self.planned_at,
            recorded_at: self.recorded_at,
            completed_at: self.completed.as_ref().map(|dated| dated.at),
            completion_fact: self.completed.as_ref().map(|dated| dated.value.fact),
            completion_reason: self.completed.as_ref().and_then(|dated| dated.value.value.reason.clone()),
            cancelled_at: self.cancelled.as_ref().map(|dated| dated.at),
            cancellation_reason: self.cancelled.as_ref().map(|dated| dated.value.clone()),
        }
    }
}

impl Attainment {
    fn shown(&self, person: PersonId, module: ModuleId) -> Option<AttainmentShown> {
        let judged = self.judged.as_ref()?;
        let (result, waits) = judged.value.value.value;
        // A signature is for what was judged before it.
        let signed = self.countersigned.as_ref().filter(|signed| waits && (signed.at, signed.position) > (judged.at, judged.position));
        let status = match (waits, signed) {
            (false, _) => AttainmentStatus::Judged,
            (true, Some(_)) => AttainmentStatus::Countersigned,
            (true, None) => AttainmentStatus::Provisional,
        };
        Some(AttainmentShown {
            person,
            module,
            result,
            status,
            judged_at: judged.at,
            judged_by: judged.value.by,
            fact: judged.value.fact,
            reason: judged.value.value.reason.clone(),
            countersigned_at: signed.map(|signed| signed.at),
            countersigned_by: signed.and_then(|signed| signed.value),
        })
    }
}
