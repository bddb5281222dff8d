//! What is shown of a candidate at a moment.

use super::{
    Asked, Assessment, AssessmentId, AssessmentShown, AssessorShown, Assigned, AttendedDay, BTreeMap, CandidateRow, CandidateShown,
    CandidateStatus, Dated, Demand, Evidence, EvidenceId, EvidenceShown, MentorShown, NaiveDate, Noted, Observation, ObservationId,
    ObservationShown, PersonId, PreLoadShown, RemedialRequestId, RemedialShown, RemedialStatus, Request, RequiredActionId,
    RequiredActionShown, Stage, StageEntryShown,
};
use crate::Moment;

/// Facts of a list in the order they occurred.
fn in_order<K: Copy + Ord, T>(slots: &BTreeMap<K, Dated<T>>) -> Vec<(K, &Dated<T>)> {
    let mut all: Vec<_> = slots.iter().map(|(key, dated)| (*key, dated)).collect();
    all.sort_by_key(|(key, dated)| (dated.at, *key));
    all
}

impl CandidateRow {
    pub(super) fn status(&self) -> CandidateStatus {
        if self.withdrawn.is_some() {
            CandidateStatus::Withdrawn
        } else if self.completed_at.is_some() {
            CandidateStatus::Completed
        } else if self.enrolled_at.is_some() {
            CandidateStatus::Enrolled
        } else {
            CandidateStatus::Nominated
        }
    }

    /// The mentor on a day: of those whose dates cover it, the one assigned last.
    fn mentor_on(&self, day: NaiveDate) -> Option<PersonId> {
        let covers = |assigned: &Assigned| assigned.from_on <= day && assigned.to_on.is_none_or(|to| day <= to);
        in_order(&self.mentors).into_iter().rev().find(|(_, dated)| covers(&dated.value)).map(|(_, dated)| dated.value.person)
    }

    /// Whether somebody is their mentor, or assesses them, on a day.
    #[must_use]
    pub fn assigned(&self, person: PersonId, day: NaiveDate) -> bool {
        let assesses = |one: &AssessorShown| one.person == person && one.from_on <= day && one.to_on.is_none_or(|to| day <= to);
        self.mentor_on(day) == Some(person) || self.assessors().iter().any(assesses)
    }

    fn assessors(&self) -> Vec<AssessorShown> {
        let mut last: BTreeMap<PersonId, AssessorShown> = BTreeMap::new();
        for (_, dated) in in_order(&self.assessors) {
            let Assigned { person, from_on, to_on, independent } = dated.value;
            last.insert(person, AssessorShown { person, from_on, to_on, independent });
        }
        last.into_values().collect()
    }

    fn stages(&self) -> Vec<StageEntryShown> {
        let days = |stage| {
            let days = self.attendance.get(&stage).into_iter().flatten();
            days.map(|(on, dated)| AttendedDay { on: *on, minutes: dated.value.value, fact: dated.value.fact }).collect()
        };
        Stage::ALL.map(|stage| StageEntryShown { stage, entered_at: self.entered.get(&stage).copied(), days: days(stage) }).to_vec()
    }

    fn observations(&self) -> Vec<ObservationShown> {
        let shown = |(id, dated): (ObservationId, &Dated<Noted<Observation>>)| {
            let Observation { competency, module, kind, session, capacity, results, narrative } = dated.value.value.clone();
            let (fact, by) = (dated.value.fact, dated.value.by);
            ObservationShown { id, fact, observed_at: dated.at, by, capacity, kind, competency, module, session, results, narrative }
        };
        in_order(&self.observations).into_iter().map(shown).collect()
    }

    fn evidence(&self) -> Vec<EvidenceShown> {
        let shown = |(id, dated): (EvidenceId, &Dated<Noted<Evidence>>)| {
            let Evidence { kind, competencies, title, reference, sha256 } = dated.value.value.clone();
            let (fact, by) = (dated.value.fact, dated.value.by);
            EvidenceShown { id, fact, submitted_at: dated.at, by, kind, competencies, title, reference, sha256 }
        };
        in_order(&self.evidence).into_iter().map(shown).collect()
    }

    fn assessments(&self) -> Vec<AssessmentShown> {
        let shown = |(id, dated): (AssessmentId, &Dated<Noted<Assessment>>)| {
            let Assessment { competency, module, decision, level, observations, evidence, reason } = dated.value.value.clone();
            let by = dated.value.by;
            AssessmentShown { id, decided_at: dated.at, by, competency, module, decision, level, observations, evidence, reason }
        };
        in_order(&self.assessments).into_iter().map(shown).collect()
    }

    fn required_actions(&self) -> Vec<RequiredActionShown> {
        let shown = |(id, demand): (&RequiredActionId, &Demand)| {
            let made = demand.made.as_ref()?;
            let (competency, what) = made.value.value.clone();
            Some(RequiredActionShown { id: *id, required_at: made.at, by: made.value.by, competency, what, settled_at: demand.settled_at })
        };
        let mut all: Vec<_> = self.actions.iter().filter_map(shown).collect();
        all.sort_by_key(|action| (action.required_at, action.id));
        all
    }

    fn remedial_requests(&self) -> Vec<RemedialShown> {
        let shown = |(id, request): (&RemedialRequestId, &Request)| {
            let made = request.made.as_ref()?;
            let Asked { topic, competencies, rank } = made.value.clone();
            let outcome = request.outcome.as_ref().map(|dated| &dated.value);
            let status = match outcome.map(|outcome| outcome.covered) {
                None => RemedialStatus::Open,
                Some(true) => RemedialStatus::Covered,
                Some(false) => RemedialStatus::NotCovered,
            };
            let carries_over = outcome.and_then(|outcome| outcome.carries_over.clone());
            Some(RemedialShown { id: *id, requested_at: made.at, rank, status, topic, competencies, carries_over })
        };
        let mut all: Vec<_> = self.remedial.iter().filter_map(shown).collect();
        all.sort_by_key(|request| (request.rank, request.requested_at, request.id));
        all
    }

    /// How far they have come, and when; nothing of what anybody saw, said or decided.
    #[must_use]
    pub fn progress(&self, moment: Moment) -> CandidateShown {
        let whole = self.shown(moment);
        let entered = |stage: StageEntryShown| StageEntryShown { days: Vec::new(), ..stage };
        CandidateShown {
            withdrawal_reason: None,
            mentor: None,
            mentors: Vec::new(),
            assessors: Vec::new(),
            pre_load: Vec::new(),
            stages: whole.stages.into_iter().map(entered).collect(),
            allotted_modules: Vec::new(),
            observations: Vec::new(),
            evidence: Vec::new(),
            assessments: Vec::new(),
            required_actions: Vec::new(),
            remedial_requests: Vec::new(),
            ..whole
        }
    }

    /// Their pre-load, and whether they are still on the programme.
    #[must_use]
    pub fn pre_load_alone(&self, moment: Moment) -> CandidateShown {
        let pre_load = self.shown(moment).pre_load;
        CandidateShown { pre_load, stages: Vec::new(), ..self.progress(moment) }
    }

    /// The candidate at a moment.
    #[must_use]
    pub fn shown(&self, moment: Moment) -> CandidateShown {
        let mentors = in_order(&self.mentors).into_iter().map(|(_, dated)| dated.value);
        let pre_load = self.pre_load.iter().map(|(module, dated)| PreLoadShown {
            module: *module,
            percent: dated.value.value,
            progressed_at: dated.at,
            fact: dated.value.fact,
        });
        CandidateShown {
            id: self.id,
            version: self.version,
            person: self.person,
            programme: self.programme,
            status: self.status(),
            nominated_at: self.nominated_at,
            enrolled_at: self.enrolled_at,
            completed_at: self.completed_at,
            withdrawn_at: self.withdrawn.as_ref().map(|dated| dated.at),
            withdrawal_reason: self.withdrawn.as_ref().map(|dated| dated.value.clone()),
            mentor: self.mentor_on(moment.day),
            mentors: mentors.map(|Assigned { person, from_on, to_on, .. }| MentorShown { person, from_on, to_on }).collect(),
            assessors: self.assessors(),
            pre_load: pre_load.collect(),
            stages: self.stages(),
            allotted_modules: self.allotted.as_ref().map(|dated| dated.value.clone()).unwrap_or_default(),
            observations: self.observations(),
            evidence: self.evidence(),
            assessments: self.assessments(),
            required_actions: self.required_actions(),
            remedial_requests: self.remedial_requests(),
        }
    }
}
