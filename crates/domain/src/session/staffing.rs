//! Who may teach in a session, and how many learners they may teach (rule 5).
//! Asked when a session is planned and again when it is completed, of whoever
//! may teach on that day; candidates in co-delivery never count. Whoever has
//! left by that day is replaced on record before it is completed (rule 23).

use std::collections::BTreeSet;

use lastresort_fact::{Asked, Class, Personal, ProgrammeId, Refusal, Role, Unmet};

use super::{CandidateStanding, Known, LowRisk, Plan, Planned, Session, SessionEvent, SessionFacts, SessionKind, Trainer, TrainerPart};
use crate::guard::unless;
use crate::organisation::PolicyName;
use crate::programme::ModuleKind;

/// More learners than this need two trainers, whatever policy says.
const ALONE_MAX: u32 = 12;
/// The longest session, in minutes.
const MINUTES_MAX: i64 = 24 * 60;

impl LowRisk {
    /// The risk is low in all four domains.
    #[must_use]
    pub const fn in_all(self) -> bool {
        self.safety && self.client_risk_factors && self.trainability && self.effectiveness
    }
}

impl Trainer {
    /// Whether they count as a trainer.
    const fn counts(self) -> bool {
        !matches!(self.part, TrainerPart::Candidate)
    }

    /// Whether somebody known may teach in this part.
    fn may(self, kind: SessionKind, known: Known) -> bool {
        let trained = known.employed && known.candidate == CandidateStanding::Completed;
        match (self.part, kind) {
            (TrainerPart::Lead | TrainerPart::Second, SessionKind::CourseDay) => known.eligible || trained,
            (TrainerPart::Lead | TrainerPart::Second | TrainerPart::Mentor, _) => known.eligible,
            (TrainerPart::Candidate, _) => known.employed && known.candidate != CandidateStanding::None,
        }
    }
}

impl Planned {
    /// Rule 5, for a number of learners and whoever may teach them on the day, by
    /// the policy of that day: what keeps people safe is not pinned to a programme.
    pub(super) fn unless_staffed(&self, learners: u32, facts: &SessionFacts, unmet: &mut Vec<Unmet>) {
        if !self.physical {
            return;
        }
        let day = facts.organisation.day(self.starts_at);
        let policy = |name| facts.organisation.policy.on(name, day);
        let may = |trainer: &&Trainer| facts.people.get(&trainer.person).is_some_and(|known| trainer.may(self.kind, *known));
        let counted = self.trainers.iter().filter(|trainer| trainer.counts()).filter(may).count();
        let trainers = u32::try_from(counted).unwrap_or(u32::MAX);
        let (each, most) = (policy(PolicyName::LearnersPerTrainerMax), policy(PolicyName::CohortMax));
        let too_many = format!("A group that is taught physical skills has at most {most} learners; there are {learners}.");
        unless(learners <= most, unmet, "cohort_too_large", &too_many);
        let detail = format!("More than {ALONE_MAX} learners need two trainers; {trainers} may teach on the day.");
        unless(learners <= ALONE_MAX || trainers >= 2, unmet, "second_trainer_needed", &detail);
        let alone = trainers < 2 && !self.low_risk.is_some_and(LowRisk::in_all);
        let detail = "One trainer alone needs a risk assessed as low in all four domains.";
        unless(!alone, unmet, "second_trainer_needed", detail);
        let detail = format!("There are {learners} learners to {trainers} trainers, and at most {each} to each.");
        unless(learners <= each.saturating_mul(trainers), unmet, "ratio_exceeded", &detail);
    }

    /// Rule 23: of those who were to teach, whoever has left by the day of the session is replaced before it is completed.
    pub(super) fn unless_left(&self, facts: &SessionFacts, unmet: &mut Vec<Unmet>) {
        for Trainer { person, .. } in &self.trainers {
            let there = facts.people.get(person).is_some_and(|known| known.present());
            let detail = format!("{person} was to teach and has left by that day; others are to be named in their place.");
            unless(there, unmet, "authority_conditions_unmet", &detail);
        }
    }
}

impl Session {
    /// How many learners trainers are needed for: those who were there, else the roster, else the places.
    fn expected(&self, planned: &Planned) -> u32 {
        let known = [self.attending().len(), self.roster.len()].into_iter().find(|count| *count > 0);
        known.map_or(planned.learners_max, |count| u32::try_from(count).unwrap_or(u32::MAX))
    }

    pub(super) fn change_trainers(
        &self,
        trainers: Vec<Trainer>,
        reason: String,
        facts: &SessionFacts,
    ) -> Result<Vec<SessionEvent>, Refusal> {
        let Some(planned) = &self.planned else { return Ok(Vec::new()) };
        if planned.trainers == trainers {
            return Ok(Vec::new());
        }
        let mut unmet = Vec::new();
        unless_able(planned.kind, &trainers, facts, &mut unmet);
        for (index, trainer) in trainers.iter().enumerate() {
            if self.roster.contains(&trainer.person) {
                let pointer = format!("/trainers/{index}/person");
                unmet.push(Unmet::new("invalid", "They are a learner of this session.").at(&pointer));
            }
        }
        Planned { trainers: trainers.clone(), ..planned.clone() }.unless_staffed(self.expected(planned), facts, &mut unmet);
        Refusal::unless_met(unmet)?;
        let leaves = |before: &&Trainer| trainers.iter().all(|trainer| trainer.person != before.person);
        let about = planned.trainers.iter().find(leaves).or(trainers.first()).map(|trainer| trainer.person);
        let reason = Personal::new(about.unwrap_or_default(), Class::Narrative, reason);
        Ok(vec![SessionEvent::SessionTrainersChanged { trainers, reason }])
    }
}

/// What stands against planning, whatever the plan: a candidate plans once they have completed.
pub(super) fn unless_may_plan(asked: &Asked, facts: &SessionFacts, unmet: &mut Vec<Unmet>) {
    if asked.role == Role::Candidate {
        let known = asked.by.person().and_then(|person| facts.people.get(&person));
        let trained = known.is_some_and(|known| known.employed && known.candidate == CandidateStanding::Completed);
        let may = trained && facts.asker.employed;
        unless(
            may,
            unmet,
            "not_permitted",
            "A candidate plans courses of their own once they have completed the programme, while employed here.",
        );
    }
}

pub(super) fn plan(told: Plan, asked: &Asked, facts: &SessionFacts) -> Result<Vec<SessionEvent>, Refusal> {
    let mut unmet = Vec::new();
    unless_in_time(&told, asked, &mut unmet);
    unless_of_the_stage(&told, &mut unmet);
    unless_of_the_programme(&told, facts, &mut unmet);
    unless_its_own(&told, asked, &mut unmet);
    unless_able(told.kind, &told.trainers, facts, &mut unmet);
    if told.learners_max == 0 {
        unmet.push(Unmet::new("invalid", "A session has places for at least one learner.").at("/learners_max"));
    }
    Planned::from(&told).unless_staffed(told.learners_max, facts, &mut unmet);
    Refusal::unless_met(unmet)?;
    let Plan {
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
    } = told;
    Ok(vec![SessionEvent::SessionPlanned {
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
    }])
}

/// That it was planned before it began is a matter of what was so: the time told counts, and a
/// plan that is put on record later shows both times. It agrees to nothing (rule 7).
fn unless_in_time(told: &Plan, asked: &Asked, unmet: &mut Vec<Unmet>) {
    let minutes = Planned::from(told).span();
    if told.starts_at < asked.occurred_at {
        unmet.push(Unmet::new("late_entry", "A session is planned before it begins.").at("/starts_at"));
    }
    if told.ends_at <= told.starts_at || minutes > MINUTES_MAX {
        unmet.push(Unmet::new("invalid", "A session ends after it begins, within a day.").at("/ends_at"));
    }
    let taught = told.modules.iter().map(|module| i64::from(module.minutes) + i64::from(module.assessment_minutes)).sum::<i64>();
    if taught > minutes {
        unmet.push(Unmet::new("invalid", "The modules take longer than the session.").at("/modules"));
    }
}

/// What is held in a stage is of the kinds of that stage.
fn unless_of_the_stage(told: &Plan, unmet: &mut Vec<Unmet>) {
    if let Some(stage) = told.stage.filter(|stage| !stage.sessions().contains(&told.kind)) {
        let detail = format!("No session of this kind is held in the {}.", stage.spoken());
        unmet.push(Unmet::new("invalid", detail).at("/kind"));
    }
}

fn unless_of_the_programme(told: &Plan, facts: &SessionFacts, unmet: &mut Vec<Unmet>) {
    let programme = facts.programme.as_ref().filter(|programme| told.programme.is_some() && programme.id == told.programme);
    if told.programme.is_some() && programme.is_none() {
        unmet.push(Unmet::new("unknown_reference", "There is no such programme in this organisation.").at("/programme"));
    }
    if told.programme.is_none() && (told.kind != SessionKind::Workshop || told.stage.is_some() || !told.modules.is_empty()) {
        unmet.push(Unmet::new("invalid", "Only a workshop without stage and modules may belong to no programme.").at("/programme"));
    }
    if told.modules.is_empty() && told.kind != SessionKind::Workshop {
        unmet.push(Unmet::new("invalid", "A course teaches at least one module.").at("/modules"));
    }
    let mut skill = false;
    for (index, planned) in told.modules.iter().enumerate() {
        let pointer = format!("/modules/{index}/module");
        let found = programme.and_then(|programme| programme.modules.get(&planned.module));
        if programme.is_some() && found.is_none() {
            unmet.push(Unmet::new("unknown_reference", "The programme has no such module.").at(&pointer));
        } else if told.modules[..index].iter().any(|other| other.module == planned.module) {
            unmet.push(Unmet::new("invalid", "This module is named twice.").at(&pointer));
        }
        skill |= found.is_some_and(|module| module.kind == ModuleKind::Skill);
    }
    if skill && !told.physical {
        unmet.push(Unmet::new("invalid", "A skill is taught in it, so it is physical, and ratios apply.").at("/physical"));
    }
    if told.unit.is_some_and(|unit| facts.organisation.unit(unit).is_none()) {
        unmet.push(Unmet::new("unknown_reference", "There is no such unit in this organisation.").at("/unit"));
    }
}

/// Candidates who have completed plan courses that they lead.
fn unless_its_own(told: &Plan, asked: &Asked, unmet: &mut Vec<Unmet>) {
    if asked.role != Role::Candidate {
        return;
    }
    let leads = told.trainers.iter().any(|trainer| trainer.part == TrainerPart::Lead && Some(trainer.person) == asked.by.person());
    if told.kind != SessionKind::CourseDay {
        unmet.push(Unmet::new("not_permitted", "A candidate plans course days only.").at("/kind"));
    }
    if !leads {
        unmet.push(Unmet::new("not_permitted", "A candidate plans courses that they lead themselves.").at("/trainers"));
    }
}

fn unless_able(kind: SessionKind, trainers: &[Trainer], facts: &SessionFacts, unmet: &mut Vec<Unmet>) {
    let parts: Vec<_> = trainers.iter().map(|trainer| trainer.part).collect();
    let has = |part| parts.contains(&part);
    let leads = parts.iter().filter(|part| **part == TrainerPart::Lead).count();
    let (whole, who) = match kind {
        SessionKind::CourseDay => {
            (leads == 1 && !has(TrainerPart::Mentor) && !has(TrainerPart::Candidate), "A course day has one lead, and seconds.")
        }
        SessionKind::CoDelivery => (
            leads == 0 && has(TrainerPart::Mentor) && has(TrainerPart::Candidate),
            "In co-delivery mentors and candidates teach, and seconds.",
        ),
        SessionKind::Workshop => (has(TrainerPart::Lead) || has(TrainerPart::Mentor), "A workshop has a lead or a mentor."),
    };
    if !whole {
        unmet.push(Unmet::new("invalid", who).at("/trainers"));
    }
    let mut named = BTreeSet::new();
    for (index, trainer) in trainers.iter().enumerate() {
        let pointer = format!("/trainers/{index}/person");
        match facts.people.get(&trainer.person) {
            None => unmet.push(Unmet::new("unknown_reference", "There is no such person in this organisation.").at(&pointer)),
            Some(known) if !trainer.may(kind, *known) => {
                let detail = match trainer.part {
                    TrainerPart::Lead | TrainerPart::Second | TrainerPart::Mentor => {
                        "On that day they have neither the provider's word nor, for a course day, completed the programme and are employed here."
                    }
                    TrainerPart::Candidate => "On that day they are not employed here, or no candidate of this programme.",
                };
                unmet.push(Unmet::new("authority_conditions_unmet", detail).at(&pointer));
            }
            Some(_) if !named.insert(trainer.person) => unmet.push(Unmet::new("invalid", "This person is named twice.").at(&pointer)),
            Some(_) => {}
        }
    }
}

/// The programme a session belongs to, as planned or as about to be.
pub(super) fn programme(planned: Option<&Planned>, facts: &SessionFacts) -> Option<ProgrammeId> {
    planned.map_or_else(|| facts.programme.as_ref().and_then(|programme| programme.id), |planned| planned.programme)
}

#[cfg(test)]
mod tests;
