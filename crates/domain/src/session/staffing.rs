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
mod tests {
    use super::*;
    use crate::guard::testing::{Tried as _, asked_by, at, id};
    use crate::session::world::{
        AFTER, BEFORE, BOSS, CANDIDATE, DURING, HOLD, LEARNER, LOW, MENTOR, TRAINED, all_there, boss, co_delivery, course, done, facts,
        learners, mentor, minutes, planned, trainer,
    };
    use crate::session::{Known, Session, SessionCommand};

    fn refused(plan: Plan) -> Vec<String> {
        Session::default().refused(SessionCommand::Plan(plan), &boss(BEFORE), &facts())
    }

    fn alone() -> Vec<Trainer> {
        vec![trainer(TRAINED, TrainerPart::Lead)]
    }

    #[test]
    fn physical_skills_have_ratios_when_planned() {
        planned(Plan { learners_max: 18, ..course() });
        assert_eq!(refused(Plan { learners_max: 19, ..course() }), ["cohort_too_large"]);
        assert_eq!(refused(Plan { learners_max: 25, ..course() }), ["cohort_too_large", "ratio_exceeded"]);
        planned(Plan { trainers: alone(), ..course() });
        assert_eq!(refused(Plan { trainers: alone(), learners_max: 13, ..course() }), ["second_trainer_needed", "ratio_exceeded"]);
    }

    #[test]
    fn one_trainer_alone_needs_a_low_risk_in_all_four_domains() {
        assert_eq!(refused(Plan { trainers: alone(), low_risk: None, ..course() }), ["second_trainer_needed"]);
        let some = Some(LowRisk { trainability: false, ..LOW });
        assert_eq!(refused(Plan { trainers: alone(), low_risk: some, ..course() }), ["second_trainer_needed"]);
        planned(Plan { low_risk: None, ..course() });
    }

    #[test]
    fn candidates_do_not_count_as_trainers() {
        assert_eq!(refused(Plan { low_risk: None, ..co_delivery() }), ["second_trainer_needed"]);
        assert_eq!(refused(Plan { learners_max: 14, ..co_delivery() }), ["second_trainer_needed", "ratio_exceeded"]);
    }

    #[test]
    fn policy_is_never_weaker_and_may_be_stricter() {
        let mut strict = facts();
        strict.organisation.policy.0.push((PolicyName::LearnersPerTrainerMax, at(BEFORE).date(), 5));
        strict.organisation.policy.0.push((PolicyName::CohortMax, at(BEFORE).date(), 11));
        let refused = Session::default().refused(SessionCommand::Plan(course()), &boss(BEFORE), &strict);
        assert_eq!(refused, ["cohort_too_large", "ratio_exceeded"]);
    }

    #[test]
    fn ratios_hold_again_when_completed() {
        let mut session = planned(course());
        session.happens(SessionCommand::SetRoster { learners: learners(12) }, &boss(BEFORE), &facts());
        let attendance = SessionCommand::RecordAttendance { attendance: all_there(12) };
        session.happens(attendance, &mentor(DURING), &facts());
        let mut suspended = facts();
        suspended.people.insert(id(MENTOR), Known::default());
        suspended.people.insert(id(TRAINED), Known::default());
        assert_eq!(
            session.refused(done(), &boss(AFTER), &suspended),
            ["authority_conditions_unmet", "authority_conditions_unmet", "ratio_exceeded"]
        );
        let roster = SessionCommand::SetRoster { learners: learners(1) };
        assert_eq!(planned(course()).refused(roster, &boss(BEFORE), &suspended), ["ratio_exceeded"]);
        session.happens(done(), &boss(AFTER), &facts());
    }

    /// The facts, once somebody has left.
    fn without(person: u128) -> SessionFacts {
        let mut left = facts();
        left.people.insert(id(person), Known::default());
        left
    }

    fn change(trainers: Vec<Trainer>) -> SessionCommand {
        SessionCommand::ChangeTrainers { trainers, reason: "They have left.".to_owned() }
    }

    #[test]
    fn what_a_leaver_was_to_teach_waits_for_somebody_else() {
        let law = vec![minutes(crate::session::world::LAW, 45)];
        let mut session = planned(Plan { physical: false, modules: law, trainers: alone(), low_risk: None, ..course() });
        session.happens(SessionCommand::SetRoster { learners: learners(12) }, &boss(BEFORE), &facts());
        let attendance = all_there(12).into_iter().step_by(2).collect();
        session.happens(SessionCommand::RecordAttendance { attendance }, &asked_by(TRAINED, Role::Candidate, at(DURING)), &facts());
        assert_eq!(session.refused(done(), &boss(AFTER), &without(TRAINED)), ["authority_conditions_unmet"]);
        assert_eq!(session.refused(change(vec![trainer(MENTOR, TrainerPart::Second)]), &boss(AFTER), &facts()), ["invalid"]);
        let odd = vec![trainer(MENTOR, TrainerPart::Lead), trainer(LEARNER, TrainerPart::Second)];
        assert_eq!(session.refused(change(odd), &boss(AFTER), &facts()), ["authority_conditions_unmet", "invalid"]);
        let other = || vec![trainer(MENTOR, TrainerPart::Lead)];
        assert_eq!(session.refused(change(other()), &mentor(AFTER), &facts()), ["not_permitted"]);
        session.happens(change(other()), &boss(AFTER), &without(TRAINED));
        assert_eq!(session.happens(change(other()), &boss(AFTER), &without(TRAINED)), [], "the same again changes nothing");
        session.happens(done(), &mentor(AFTER), &without(TRAINED));
        assert_eq!(session.refused(change(alone()), &boss(AFTER), &facts()), ["not_in_state"]);
    }

    #[test]
    fn trainers_are_changed_within_the_ratios() {
        let session = planned(Plan { learners_max: 14, ..course() });
        let refused = session.refused(change(alone()), &boss(BEFORE), &facts());
        assert_eq!(refused, ["second_trainer_needed", "ratio_exceeded"]);
        let mut few = session;
        few.happens(SessionCommand::SetRoster { learners: learners(12) }, &boss(BEFORE), &facts());
        few.happens(change(alone()), &boss(BEFORE), &facts());
    }

    #[test]
    fn a_skill_makes_a_session_physical() {
        assert_eq!(refused(Plan { physical: false, ..course() }), ["invalid"]);
        let law = vec![minutes(crate::session::world::LAW, 45)];
        planned(Plan { physical: false, modules: law, learners_max: 40, low_risk: None, ..course() });
    }

    #[test]
    fn courses_are_taught_by_those_who_may() {
        let with = |part, person| Plan { trainers: vec![trainer(TRAINED, TrainerPart::Lead), trainer(person, part)], ..course() };
        assert_eq!(refused(with(TrainerPart::Second, CANDIDATE)), ["authority_conditions_unmet"]);
        assert_eq!(refused(with(TrainerPart::Second, LEARNER)), ["authority_conditions_unmet"]);
        assert_eq!(refused(with(TrainerPart::Second, 999)), ["unknown_reference"]);
        assert_eq!(refused(with(TrainerPart::Second, TRAINED)), ["invalid"]);
        assert_eq!(refused(with(TrainerPart::Candidate, CANDIDATE)), ["invalid"]);
        let mut left = facts();
        left.people.entry(id(TRAINED)).and_modify(|known| known.employed = false);
        let refused = Session::default().refused(SessionCommand::Plan(course()), &boss(BEFORE), &left);
        assert_eq!(refused, ["authority_conditions_unmet"], "a leaver leads no course");
    }

    #[test]
    fn in_co_delivery_a_mentor_and_a_candidate_teach() {
        let with = |trainers| Plan { trainers, ..co_delivery() };
        assert_eq!(refused(with(vec![trainer(MENTOR, TrainerPart::Mentor)])), ["invalid"]);
        let strangers = vec![trainer(TRAINED, TrainerPart::Mentor), trainer(LEARNER, TrainerPart::Candidate)];
        assert_eq!(refused(with(strangers)), ["authority_conditions_unmet", "authority_conditions_unmet", "ratio_exceeded"]);
    }

    #[test]
    fn a_candidate_who_has_completed_plans_courses_of_their_own() {
        let by = |person| asked_by(person, Role::Candidate, at(BEFORE));
        let plan = |plan| SessionCommand::Plan(plan);
        Session::default().happens(plan(course()), &by(TRAINED), &facts());
        assert_eq!(Session::default().refused(plan(course()), &by(CANDIDATE), &facts()), ["not_permitted"]);
        assert_eq!(Session::default().refused(plan(course()), &by(BOSS), &facts()), ["not_permitted"]);
        assert_eq!(Session::default().refused(plan(co_delivery()), &by(TRAINED), &facts()), ["not_permitted", "not_permitted"]);
    }

    #[test]
    fn a_plan_lies_ahead_within_a_day_and_within_its_programme() {
        assert_eq!(refused(Plan { starts_at: at("2021-02-28T09:00:00Z"), ..course() }), ["late_entry", "invalid"]);
        assert_eq!(refused(Plan { ends_at: course().starts_at, ..course() }), ["invalid", "invalid"], "nor is there time for its modules");
        assert_eq!(
            refused(Plan { modules: vec![minutes(HOLD, 400), minutes(HOLD, 6), minutes(99, 0)], ..course() }),
            ["invalid", "invalid", "unknown_reference"]
        );
        assert_eq!(refused(Plan { programme: None, ..course() }), ["invalid"]);
        assert_eq!(refused(Plan { programme: Some(id(51)), unit: Some(id(9)), ..course() }), ["unknown_reference", "unknown_reference"]);
        assert_eq!(refused(Plan { learners_max: 0, modules: Vec::new(), ..course() }), ["invalid", "invalid"]);
        let workshop = Plan {
            kind: SessionKind::Workshop,
            programme: None,
            modules: Vec::new(),
            trainers: vec![trainer(MENTOR, TrainerPart::Lead)],
            ..course()
        };
        planned(workshop);
    }
}
