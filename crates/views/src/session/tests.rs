//! A session as shown, however the facts came in.

use lastresort_domain::session::{Attended, Judged, LearnerModule};

use super::*;
use crate::testing::{at, fold, id, in_any_order, sealed};

/// Whoever tells the histories of these tests is person 1: a mentor here.
const MENTOR: u128 = 1;
const CANDIDATE: u128 = 3;

/// Later than anything that these tests put on record.
fn planned() -> SessionEvent {
    starting("2022-03-08T09:00:00Z")
}

fn starting(starts_at: &str) -> SessionEvent {
    SessionEvent::SessionPlanned {
        session: id(1),
        programme: Some(id(50)),
        stage: Some(Stage::CoDeliveryWeek),
        kind: SessionKind::CoDelivery,
        title: "Holding together".into(),
        modules: vec![ModuleMinutes { module: id(11), minutes: 90, assessment_minutes: 15 }],
        starts_at: at(starts_at),
        ends_at: at("2022-03-08T16:00:00Z"),
        unit: None,
        venue: "Hall".into(),
        trainers: vec![
            Trainer { person: id(MENTOR), part: TrainerPart::Mentor },
            Trainer { person: id(CANDIDATE), part: TrainerPart::Candidate },
        ],
        learners_max: 12,
        physical: true,
        low_risk: None,
    }
}

/// That this mentor teaches beside the candidate.
fn with(mentor: u128) -> SessionEvent {
    let trainers =
        vec![Trainer { person: id(mentor), part: TrainerPart::Mentor }, Trainer { person: id(CANDIDATE), part: TrainerPart::Candidate }];
    SessionEvent::SessionTrainersChanged { trainers, reason: sealed() }
}

fn judged(result: AttainmentResult, provisional: bool) -> SessionEvent {
    SessionEvent::AttainmentRecorded { attainment: vec![Judged { person: id(101), module: id(11), result }], provisional, reason: None }
}

fn signed() -> SessionEvent {
    SessionEvent::AttainmentCountersigned { attainment: vec![LearnerModule { person: id(101), module: id(11) }] }
}

fn history() -> Vec<Happening> {
    let timing = |owner| (Responsibility::Timing, id(owner));
    let propose = |(responsibility, owner)| SessionEvent::ResponsibilityProposed { responsibility, owner };
    let agree = |(responsibility, owner)| SessionEvent::ResponsibilityAgreed { responsibility, owner };
    let there = |minutes| SessionEvent::AttendanceRecorded {
        attendance: vec![Attended { person: id(101), module: id(11), minutes }],
        reason: None,
    };
    let events = vec![
        planned(),
        propose(timing(MENTOR)),
        propose(timing(CANDIDATE)),
        agree(timing(CANDIDATE)),
        propose((Responsibility::Feedback, id(CANDIDATE))),
        SessionEvent::ResponsibilityChanged { responsibility: Responsibility::Motivating, owner: id(MENTOR), reason: sealed() },
        SessionEvent::SessionTrainersChanged {
            trainers: vec![Trainer { person: id(CANDIDATE), part: TrainerPart::Candidate }],
            reason: sealed(),
        },
        with(MENTOR),
        SessionEvent::RosterSet { learners: vec![id(101), id(102)] },
        SessionEvent::RosterSet { learners: vec![id(101)] },
        there(60),
        there(90),
        judged(AttainmentResult::NotYet, true),
        judged(AttainmentResult::Attained, true),
        signed(),
        SessionEvent::SessionCompleted {
            owners: vec![Owner { responsibility: Responsibility::Timing, owner: id(MENTOR) }],
            modules: vec![ModuleMinutes { module: id(11), minutes: 80, assessment_minutes: 20 }],
            reason: Some(sealed()),
        },
    ];
    events.into_iter().map(Happening::Session).collect()
}

fn shown(events: Vec<SessionEvent>) -> SessionShown {
    let events: Vec<_> = events.into_iter().map(Happening::Session).collect();
    fold::<Sessions>(&events).shown()
}

#[test]
fn what_was_planned_stands_beside_what_was_done() {
    let shown = fold::<Sessions>(&history()).shown();
    assert_eq!(shown.status, SessionStatus::Completed);
    let timing = &shown.responsibilities[0];
    assert_eq!((timing.owner, timing.actual_owner), (Some(id(CANDIDATE)), Some(id(MENTOR))));
    assert_eq!((shown.modules[0].minutes, shown.modules[0].actual_minutes), (90, Some(80)));
    assert_eq!((shown.roster.as_slice(), shown.attendance[0].minutes), ([id(101)].as_slice(), 90));
}

#[test]
fn owners_stand_once_all_agreed_or_it_was_changed_on_record() {
    let status = |responsibility| {
        let shown = fold::<Sessions>(&history()).shown();
        shown.responsibilities.into_iter().find(|each| each.responsibility == responsibility).map(|each| each.status)
    };
    assert_eq!(status(Responsibility::Timing), Some(ResponsibilityStatus::Proposed), "the candidate has not agreed");
    assert_eq!(status(Responsibility::Motivating), Some(ResponsibilityStatus::Proposed), "a change beforehand waits for the candidate");
    assert_eq!(status(Responsibility::SmallGroups), Some(ResponsibilityStatus::Unowned));
}

#[test]
fn a_change_stands_once_the_session_has_begun() {
    let change = SessionEvent::ResponsibilityChanged { responsibility: Responsibility::Timing, owner: id(MENTOR), reason: sealed() };
    let agree = SessionEvent::ResponsibilityAgreed { responsibility: Responsibility::Timing, owner: id(MENTOR) };
    // What these tests tell of is from November 2020, and on record a year later.
    let begun = starting("2021-03-08T09:00:00Z");
    let status = |events: Vec<SessionEvent>| {
        let timing = shown(events).responsibilities[0].clone();
        (timing.status, timing.reason.is_some())
    };
    assert_eq!(status(vec![begun, change.clone()]), (ResponsibilityStatus::Changed, true));
    assert_eq!(status(vec![planned(), change, agree]), (ResponsibilityStatus::Proposed, true));
}

#[test]
fn whoever_no_longer_teaches_answers_for_nothing() {
    let propose = |owner| SessionEvent::ResponsibilityProposed { responsibility: Responsibility::Timing, owner: id(owner) };
    let shown = shown(vec![planned(), propose(MENTOR), with(7)]);
    assert_eq!(shown.trainers[0].person, id(7));
    assert!(shown.trainers_changed_because.is_some());
    assert_eq!((shown.responsibilities[0].status, shown.responsibilities[0].owner), (ResponsibilityStatus::Unowned, None));
}

#[test]
fn a_learner_sees_their_own_part() {
    let there = |person| Attended { person: id(person), module: id(11), minutes: 60 };
    let roster = SessionEvent::RosterSet { learners: vec![id(101), id(102)] };
    let attendance = SessionEvent::AttendanceRecorded { attendance: vec![there(101), there(102)], reason: None };
    let events: Vec<_> =
        [planned(), roster, attendance, judged(AttainmentResult::Attained, false)].into_iter().map(Happening::Session).collect();
    let row = fold::<Sessions>(&events);
    let own = row.shown_to(id(102)).expect("they are on the roster");
    assert_eq!((own.roster, own.attendance.len(), own.attainment.len()), (vec![id(102)], 1, 0));
    assert_eq!(row.shown_to(id(101)).map(|own| own.attainment.len()), Some(1));
    assert_eq!(row.shown_to(id(103)), None);
}

#[test]
fn a_signature_is_for_what_was_judged_before_it() {
    let status = |events: Vec<SessionEvent>| shown([vec![planned()], events].concat()).attainment[0].status;
    let attained = || judged(AttainmentResult::Attained, true);
    assert_eq!(status(vec![attained()]), AttainmentStatus::Provisional);
    assert_eq!(status(vec![attained(), signed()]), AttainmentStatus::Countersigned);
    assert_eq!(status(vec![attained(), signed(), judged(AttainmentResult::NotYet, true)]), AttainmentStatus::Provisional);
    assert_eq!(status(vec![judged(AttainmentResult::Attained, false)]), AttainmentStatus::Judged);
}

#[test]
fn any_order_of_late_arrival_gives_the_same_row() {
    in_any_order::<Sessions, _>(&history(), SessionRow::shown);
}
