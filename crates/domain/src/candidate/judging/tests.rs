use lastresort_fact::Role;

use super::*;
use crate::candidate::world::{
    ASSESSOR, BOSS, CANDIDATE, CLEAR, LISTENS, MENTOR, OTHER_MENTOR, TEACHES, as_assessor, as_candidate, assessing, correcting, enrolled,
    facts, handed_in, seen, undecided,
};
use crate::candidate::{Assign, CandidateCommand, Met};
use crate::guard::testing::{Tried as _, asked_by, at, day, id};

const FIRST: &str = "2021-02-09T10:00:00Z";
const SECOND: &str = "2021-02-10T10:00:00Z";
const DECIDED: &str = "2021-02-11T10:00:00Z";

fn boss() -> Asked {
    asked_by(BOSS, Role::ProviderAdmin, at("2021-01-04T10:00:00Z"))
}

fn mentor(when: &str) -> Asked {
    asked_by(MENTOR, Role::Mentor, at(when))
}

/// A candidate seen twice, by mentor and assessor, on two days.
fn seen_twice() -> Candidate {
    let mut candidate = assessing();
    candidate.happens(CandidateCommand::Observe(seen(1)), &mentor(FIRST), &facts());
    candidate.happens(CandidateCommand::Observe(seen(2)), &as_assessor(SECOND), &facts());
    candidate
}

/// A candidate whose mentor and assessor are assigned from a day on.
fn assigned_from(from_on: &str) -> Candidate {
    let mut candidate = enrolled();
    let assign = |person| Assign { person: id(person), from_on: day(from_on), to_on: None };
    candidate.happens(CandidateCommand::AssignMentor(assign(MENTOR)), &boss(), &facts());
    candidate.happens(CandidateCommand::AssignAssessor(assign(ASSESSOR)), &boss(), &facts());
    candidate
}

fn decide(decision: Decision, observations: &[u128]) -> CandidateCommand {
    let observations = observations.iter().map(|number| id(*number)).collect();
    CandidateCommand::Assess(Assess { decision, observations, ..undecided() })
}

fn capacity(events: &[CandidateEvent]) -> Capacity {
    match events {
        [CandidateEvent::ObservationRecorded { capacity, .. }] => *capacity,
        other => panic!("{other:?}"),
    }
}

#[test]
fn mentors_and_assessors_observe_each_as_what_they_are() {
    let mut candidate = assessing();
    assert_eq!(capacity(&candidate.happens(CandidateCommand::Observe(seen(1)), &mentor(FIRST), &facts())), Capacity::Mentor);
    assert_eq!(capacity(&candidate.happens(CandidateCommand::Observe(seen(2)), &as_assessor(FIRST), &facts())), Capacity::Assessor);
    for role in [Role::Mentor, Role::Assessor] {
        let stranger = asked_by(OTHER_MENTOR, role, at(FIRST));
        assert_eq!(candidate.refused(CandidateCommand::Observe(seen(4)), &stranger, &facts()), ["not_permitted"]);
    }
    let own = asked_by(CANDIDATE, Role::Mentor, at(FIRST));
    assert_eq!(candidate.refused(CandidateCommand::Observe(seen(4)), &own, &facts()), ["not_permitted", "self_assessment"]);
}

#[test]
fn a_capacity_counts_where_the_assignment_covers_the_day() {
    let mut candidate = assigned_from("2021-02-09");
    let mut observe = |number, asked: Asked, when| {
        let told = Asked { occurred_at: at(when), ..asked };
        capacity(&candidate.happens(CandidateCommand::Observe(seen(number)), &told, &facts()))
    };
    assert_eq!(observe(1, mentor(SECOND), "2021-02-08T10:00:00Z"), Capacity::Witness);
    assert_eq!(observe(2, as_assessor(SECOND), "2021-02-08T10:00:00Z"), Capacity::Witness);
    assert_eq!(observe(3, mentor(SECOND), FIRST), Capacity::Mentor);
}

#[test]
fn an_observation_names_what_the_programme_knows() {
    let twice = vec![CriterionResult { criterion: id(CLEAR), met: Met::Met }; 2];
    let elsewhere = Observe { module: Some(id(99)), session: Some(id(98)), results: twice, ..seen(1) };
    let facts = CandidateFacts { session_known: false, ..facts() };
    let candidate = assessing();
    let refused = |told| candidate.refused(CandidateCommand::Observe(told), &mentor(FIRST), &facts);
    assert_eq!(refused(elsewhere), ["unknown_reference", "invalid", "unknown_reference"]);
    assert_eq!(refused(Observe { competency: id(LISTENS), ..seen(1) }), ["unknown_reference"], "a criterion of another competency");
}

#[test]
fn an_observation_is_corrected_on_record_by_whoever_made_it() {
    let mut candidate = seen_twice();
    let again = || CandidateCommand::Observe(Observe { kind: ObservationKind::Simulated, ..seen(1) });
    assert_eq!(candidate.refused(again(), &mentor(FIRST), &facts()), ["supersede_only"]);
    let other = correcting(as_assessor(FIRST), 0);
    assert_eq!(candidate.refused(again(), &other, &facts()), ["not_permitted"]);
    let events = candidate.happens(again(), &correcting(mentor(FIRST), 0), &facts());
    assert_eq!(capacity(&events), Capacity::Mentor);
    assert_eq!(candidate.observations[&id(1)].kind, ObservationKind::Simulated);
}

#[test]
fn evidence_is_frozen_by_its_hash() {
    let mut candidate = assessing();
    let told = as_candidate(FIRST);
    candidate.happens(CandidateCommand::SubmitEvidence(handed_in(1)), &told, &facts());
    assert_eq!(candidate.refused(CandidateCommand::SubmitEvidence(handed_in(1)), &told, &facts()), ["supersede_only"]);
    candidate.happens(CandidateCommand::SubmitEvidence(handed_in(1)), &correcting(told.clone(), 0), &facts());
    let faulty = SubmitEvidence { sha256: "A0".repeat(32), competencies: vec![id(99)], ..handed_in(2) };
    assert_eq!(candidate.refused(CandidateCommand::SubmitEvidence(faulty), &told, &facts()), ["unknown_reference", "invalid"]);
}

#[test]
fn competent_rests_on_enough_observations_raters_and_occasions() {
    let mut candidate = seen_twice();
    assert_eq!(
        candidate.refused(decide(Decision::Competent, &[]), &as_assessor(DECIDED), &facts()),
        ["no_direct_observation", "evidence_insufficient", "evidence_insufficient", "evidence_insufficient"]
    );
    assert_eq!(
        candidate.refused(decide(Decision::Competent, &[1]), &as_assessor(DECIDED), &facts()),
        ["evidence_insufficient", "evidence_insufficient"],
        "one observation on one occasion; one rater is enough"
    );
    let mut strict = facts();
    strict.organisation.policy.0.push((PolicyName::RatersMin, day("2021-01-01"), 3));
    assert_eq!(candidate.refused(decide(Decision::Competent, &[1, 2]), &as_assessor(DECIDED), &strict), ["evidence_insufficient"]);
    candidate.happens(decide(Decision::Competent, &[1, 2]), &as_assessor(DECIDED), &facts());
    assert_eq!(candidate.decided(id(TEACHES)).map(|(_, decided)| decided.decision), Some(Decision::Competent));
}

#[test]
fn witnesses_describe_and_are_not_counted() {
    let mut candidate = assigned_from("2021-02-11");
    for (number, when) in [(1, FIRST), (2, SECOND)] {
        let told = Asked { occurred_at: at(when), ..mentor(DECIDED) };
        candidate.happens(CandidateCommand::Observe(seen(number)), &told, &facts());
    }
    let refused = candidate.refused(decide(Decision::Competent, &[1, 2]), &as_assessor(DECIDED), &facts());
    assert_eq!(refused, ["no_direct_observation", "evidence_insufficient", "evidence_insufficient", "evidence_insufficient"]);
}

#[test]
fn a_recording_is_not_a_direct_observation() {
    let mut candidate = assessing();
    for (number, when) in [(1, FIRST), (2, SECOND)] {
        let told = Observe { kind: ObservationKind::Recorded, ..seen(number) };
        candidate.happens(CandidateCommand::Observe(told), &mentor(when), &facts());
    }
    let refused = candidate.refused(decide(Decision::Competent, &[1, 2]), &as_assessor(DECIDED), &facts());
    assert_eq!(refused, ["no_direct_observation"]);
}

#[test]
fn old_evidence_is_not_relied_on() {
    let candidate = seen_twice();
    let refused = candidate.refused(decide(Decision::Competent, &[1, 2]), &as_assessor("2022-02-10T10:00:00Z"), &facts());
    assert_eq!(refused, ["evidence_not_current"], "a year and a day after the first, a year after the second");
}

#[test]
fn too_little_evidence_is_said_as_such() {
    let mut candidate = seen_twice();
    let refused = candidate.refused(decide(Decision::NotYetCompetent, &[]), &as_assessor(DECIDED), &facts());
    assert_eq!(refused, ["evidence_insufficient"]);
    candidate.happens(decide(Decision::InsufficientEvidence, &[]), &as_assessor(DECIDED), &facts());
    let second = Assess { assessment: id(2), decision: Decision::NotYetCompetent, observations: vec![id(1)], ..undecided() };
    candidate.happens(CandidateCommand::Assess(second), &as_assessor("2021-02-12T10:00:00Z"), &facts());
    assert_eq!(candidate.decided(id(TEACHES)).map(|(_, decided)| decided.decision), Some(Decision::NotYetCompetent));
}

#[test]
fn what_is_cited_is_this_candidates_of_this_competency_and_before_the_decision() {
    let mut candidate = seen_twice();
    candidate.happens(CandidateCommand::SubmitEvidence(handed_in(1)), &as_candidate(SECOND), &facts());
    let cites = |competency, observations: &[u128], evidence: &[u128]| {
        CandidateCommand::Assess(Assess {
            competency: id(competency),
            observations: observations.iter().map(|number| id(*number)).collect(),
            evidence: evidence.iter().map(|number| id(*number)).collect(),
            ..undecided()
        })
    };
    let refused = |command, when| candidate.refused(command, &as_assessor(when), &facts());
    assert_eq!(refused(cites(TEACHES, &[9, 1, 1], &[9]), DECIDED), ["unknown_reference"; 3]);
    assert_eq!(refused(cites(LISTENS, &[1], &[1]), DECIDED), ["unknown_reference"; 2]);
    assert_eq!(refused(cites(TEACHES, &[1, 2], &[1]), FIRST), ["unknown_reference"; 2]);
}

#[test]
fn only_an_assigned_assessor_decides_and_never_on_themselves() {
    let candidate = seen_twice();
    let by = |person| asked_by(person, Role::Assessor, at(DECIDED));
    assert_eq!(candidate.refused(decide(Decision::InsufficientEvidence, &[]), &by(BOSS), &facts()), ["not_permitted"]);
    assert_eq!(
        candidate.refused(decide(Decision::InsufficientEvidence, &[]), &by(CANDIDATE), &facts()),
        ["not_permitted", "self_assessment"]
    );
    assert_eq!(candidate.refused(decide(Decision::InsufficientEvidence, &[]), &mentor(DECIDED), &facts()), ["not_permitted"]);
}

#[test]
fn what_was_demanded_is_answered_by_something_new() {
    let mut candidate = seen_twice();
    let demand = CandidateCommand::DemandAction { action: id(1), competency: id(TEACHES), what: "Plan it again.".to_owned() };
    candidate.happens(demand, &as_assessor("2021-02-10T12:00:00Z"), &facts());
    assert_eq!(candidate.refused(decide(Decision::Competent, &[1, 2]), &as_assessor(DECIDED), &facts()), ["evidence_not_current"]);
    candidate.happens(CandidateCommand::Observe(seen(3)), &mentor(DECIDED), &facts());
    candidate.happens(decide(Decision::Competent, &[1, 2, 3]), &as_assessor(DECIDED), &facts());
    let told = |what| CandidateCommand::DemandAction { action: id(what), competency: id(TEACHES), what: "Plan it again.".to_owned() };
    let earlier = Asked { occurred_at: at(FIRST), ..as_assessor("2021-02-12T12:00:00Z") };
    candidate.happens(told(2), &earlier, &facts());
    let again = CandidateCommand::Assess(Assess {
        assessment: id(2),
        decision: Decision::Competent,
        observations: [1, 2, 3].map(id).to_vec(),
        ..undecided()
    });
    let refused = candidate.refused(again, &as_assessor("2021-02-13T10:00:00Z"), &facts());
    assert_eq!(refused, ["evidence_not_current"], "nobody can have answered it before it was recorded");
}

#[test]
fn policy_is_of_the_day_a_decision_is_recorded() {
    let candidate = seen_twice();
    let mut strict = facts();
    strict.organisation.policy.0.push((PolicyName::RatersMin, day("2021-02-15"), 3));
    let told = Asked { occurred_at: at(DECIDED), ..as_assessor("2021-02-16T10:00:00Z") };
    assert_eq!(candidate.refused(decide(Decision::Competent, &[1, 2]), &told, &strict), ["evidence_insufficient"]);
}

#[test]
fn a_programme_keeps_the_policy_it_began_with() {
    let mut candidate = seen_twice();
    let mut pinned = facts();
    pinned.programme.policy_version = Some(1);
    pinned.organisation.policy.0.push((PolicyName::RatersMin, day("2021-02-01"), 2));
    pinned.organisation.policy.0.push((PolicyName::RatersMin, day("2021-02-01"), 3));
    assert_eq!(candidate.refused(decide(Decision::Competent, &[1]), &as_assessor(DECIDED), &pinned), ["evidence_insufficient"; 3]);
    candidate.happens(decide(Decision::Competent, &[1, 2]), &as_assessor(DECIDED), &pinned);
}
