//! Who teaches how many, and who takes their place.

use super::*;
use crate::candidate::{self, Candidate};
use crate::guard::testing::{Tried as _, asked_by, at, id};
use crate::session::world::{
    AFTER, BEFORE, BOSS, CANDIDATE, DURING, HOLD, LEARNER, LOW, MENTOR, TRAINED, all_there, boss, co_delivery, course, done, facts,
    learners, mentor, minutes, planned, trainer,
};
use crate::session::{Known, Session, SessionCommand};
use crate::stage::Stage;

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
fn trainers_are_not_changed_before_they_were_arranged() {
    let mut session = planned(course());
    let seconds = || vec![trainer(TRAINED, TrainerPart::Lead), trainer(BOSS, TrainerPart::Second)];
    let told = |when| Asked { occurred_at: at(when), ..boss(DURING) };
    let early = told("2021-03-01T11:59:00Z");
    assert_eq!(session.refused(change(seconds()), &early, &facts()), ["late_entry"], "before it was planned");
    session.happens(change(seconds()), &told("2021-03-05T12:00:00Z"), &facts());
    let between = told("2021-03-05T11:59:00Z");
    assert_eq!(session.refused(change(alone()), &between, &facts()), ["late_entry"], "before the change it follows");
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
fn the_kind_of_a_session_fits_its_stage() {
    let trainers = || vec![trainer(MENTOR, TrainerPart::Lead), trainer(BOSS, TrainerPart::Second)];
    let (course_day, shared, workshop) = (SessionKind::CourseDay, SessionKind::CoDelivery, SessionKind::Workshop);
    for (stage, held) in [
        (Stage::PreLoad, vec![]),
        (Stage::Introductions, vec![workshop]),
        (Stage::TransferWeek, vec![course_day]),
        (Stage::ProjectsWeek, vec![course_day, workshop]),
        (Stage::CoDeliveryWeek, vec![shared]),
        (Stage::RemedialWorkshop, vec![workshop]),
    ] {
        for plan in [course(), co_delivery(), Plan { kind: workshop, trainers: trainers(), ..course() }] {
            let plan = Plan { stage: Some(stage), ..plan };
            if held.contains(&plan.kind) {
                planned(plan);
            } else {
                assert_eq!(refused(plan), ["invalid"], "{stage:?}");
            }
        }
    }
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
fn whoever_completed_later_or_was_withdrawn_had_not_completed_on_the_day() {
    let standing = |ended, when| {
        let candidate = Candidate { enrolled_at: Some(at(BEFORE)), ended, ..Candidate::default() };
        CandidateStanding::at(&candidate, at(when))
    };
    let completed = Some((candidate::Ended::Completed, at(DURING)));
    assert_eq!(standing(None, "2021-03-01T11:59:00Z"), CandidateStanding::None, "not enrolled yet");
    assert_eq!(standing(completed, "2021-03-08T09:00:00Z"), CandidateStanding::Enrolled, "not completed yet");
    assert_eq!(standing(completed, DURING), CandidateStanding::Completed);
    let withdrawn = Some((candidate::Ended::Withdrawn, at(DURING)));
    assert_eq!((standing(withdrawn, BEFORE), standing(withdrawn, AFTER)), (CandidateStanding::Enrolled, CandidateStanding::None));
}

#[test]
fn a_plan_may_be_told_late_and_then_of_a_time_before_it_begins() {
    let told = |occurred_at, when| Asked { occurred_at: at(occurred_at), ..boss(when) };
    let plan = || SessionCommand::Plan(course());
    Session::default().happens(plan(), &told(BEFORE, AFTER), &facts());
    assert_eq!(Session::default().refused(plan(), &told(DURING, AFTER), &facts()), ["late_entry"]);
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
