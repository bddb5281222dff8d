//! A candidate as shown, however the facts came in.

use lastresort_domain::candidate::Met;

use super::CandidateStatus::{Completed, Enrolled, Nominated, Withdrawn};
use super::*;
use crate::Moment;
use crate::testing::{at, day, fold, id, in_any_order, sealed};

fn observed(observation: u128, kind: ObservationKind) -> CandidateEvent {
    CandidateEvent::ObservationRecorded {
        observation: id(observation),
        competency: id(21),
        module: Some(id(11)),
        kind,
        session: None,
        capacity: Capacity::Mentor,
        results: vec![CriterionResult { criterion: id(31), met: Met::Partly }],
        narrative: sealed(),
    }
}

fn decided(assessment: u128, decision: Decision) -> CandidateEvent {
    CandidateEvent::CompetencyAssessed {
        assessment: id(assessment),
        competency: id(21),
        module: Some(id(11)),
        decision,
        level: None,
        observations: vec![id(51)],
        evidence: vec![id(61)],
        reason: sealed(),
    }
}

fn history() -> Vec<Happening> {
    let watched = |percent| CandidateEvent::PreLoadProgressed { module: id(12), percent };
    let ask = |number, rank| CandidateEvent::RemedialRequested { request: id(number), topic: sealed(), competencies: vec![id(21)], rank };
    let mentor = |person, from: &str, to: Option<&str>| CandidateEvent::MentorAssigned {
        person: id(person),
        from_on: day(from),
        to_on: to.map(day),
    };
    let assessor = |to: Option<&str>| CandidateEvent::AssessorAssigned {
        person: id(4),
        from_on: day("2020-11-01"),
        to_on: to.map(day),
        independent: true,
    };
    let there = |minutes| CandidateEvent::StageAttended { stage: Stage::Introductions, on: day("2020-11-02"), minutes };
    let events = vec![
        CandidateEvent::CandidateNominated { candidate: id(1), person: id(2), programme: id(50) },
        CandidateEvent::CandidateEnrolled { programme: id(50) },
        mentor(3, "2020-11-01", None),
        mentor(5, "2020-11-05", Some("2020-11-06")),
        assessor(None),
        assessor(Some("2021-03-31")),
        watched(40),
        watched(100),
        CandidateEvent::StageEntered { stage: Stage::PreLoad },
        CandidateEvent::StageEntered { stage: Stage::Introductions },
        there(30),
        there(90),
        CandidateEvent::ModulesAllotted { modules: vec![id(12)] },
        CandidateEvent::ModulesAllotted { modules: vec![id(11)] },
        observed(51, ObservationKind::Simulated),
        observed(51, ObservationKind::Direct),
        CandidateEvent::EvidenceSubmitted {
            evidence: id(61),
            kind: EvidenceKind::Document,
            competencies: vec![id(21)],
            title: sealed(),
            reference: sealed(),
            sha256: "0".repeat(64),
        },
        decided(71, Decision::NotYetCompetent),
        CandidateEvent::ActionRequired { action: id(81), competency: id(21), what: sealed() },
        CandidateEvent::ActionSettled { action: id(81) },
        decided(72, Decision::Competent),
        ask(91, 2),
        ask(92, 1),
        CandidateEvent::RemedialNotCovered { request: id(91), carries_over: Some(sealed()) },
        CandidateEvent::CandidateCompleted { programme: id(50) },
    ];
    events.into_iter().map(Happening::Candidate).collect()
}

fn on(text: &str) -> Moment {
    Moment { at: at("2021-04-01T12:00:00Z"), day: day(text) }
}

fn shown(events: &[Happening]) -> CandidateShown {
    fold::<Candidates>(events).shown(on("2020-11-10"))
}

#[test]
fn a_candidate_is_shown_with_what_was_seen_done_and_decided() {
    let shown = shown(&history());
    assert_eq!((shown.status, shown.completed_at.is_some(), shown.enrolled_at), (Completed, true, Some(at("2020-11-01T09:00:00Z"))));
    assert_eq!((shown.pre_load.len(), shown.pre_load[0].percent), (1, 100));
    assert_eq!(shown.stages.iter().filter(|stage| stage.entered_at.is_some()).count(), 2);
    assert_eq!(shown.stages[1].days.iter().map(|day| day.minutes).collect::<Vec<_>>(), [90], "as corrected");
    assert_eq!(shown.allotted_modules, [id(11)]);
    assert_eq!(shown.observations.iter().map(|seen| seen.kind).collect::<Vec<_>>(), [ObservationKind::Direct], "as corrected");
    let decisions: Vec<_> = shown.assessments.iter().map(|decided| decided.decision).collect();
    assert_eq!(decisions, [Decision::NotYetCompetent, Decision::Competent], "a later decision stands beside the first");
    assert!(shown.required_actions[0].settled_at.is_some());
    let requests: Vec<_> = shown.remedial_requests.iter().map(|request| (request.rank, request.status)).collect();
    assert_eq!(requests, [(1, RemedialStatus::Open), (2, RemedialStatus::NotCovered)]);
    assert_eq!((shown.assessors.len(), shown.assessors[0].to_on), (1, Some(day("2021-03-31"))), "the dates last told");
}

#[test]
fn the_mentor_is_that_of_the_day() {
    let row = fold::<Candidates>(&history());
    let mentor = |text| row.shown(on(text)).mentor;
    assert_eq!(mentor("2020-10-31"), None);
    assert_eq!(mentor("2020-11-05"), Some(id(5)));
    assert_eq!(mentor("2020-11-07"), Some(id(3)));
}

#[test]
fn a_status_follows_from_what_happened() {
    assert_eq!(shown(&history()[..1]).status, Nominated);
    assert_eq!(shown(&history()[..2]).status, Enrolled);
    let left = [&history()[..2], &[Happening::Candidate(CandidateEvent::CandidateWithdrawn { reason: sealed() })]].concat();
    assert_eq!(shown(&left).status, Withdrawn);
}

#[test]
fn any_order_of_late_arrival_gives_the_same_row() {
    in_any_order::<Candidates, _>(&history(), |row| row.shown(on("2020-11-05")));
}
