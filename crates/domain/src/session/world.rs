//! The small world that the tests of a session stand in, its stories from plan
//! to completion, and the law that what is foretold is what happens.

use lastresort_fact::{EventId, Role};

use super::*;
use crate::guard::testing::{Attempt, Tried as _, asked_by, at, foretold_from, foretold_is_what_happens, id};
use crate::programme::{ModuleKind, PinnedModule, Strand};

/// Was a candidate and has completed the programme.
pub(super) const TRAINED: u128 = 1;
pub(super) const MENTOR: u128 = 2;
/// Is a candidate.
pub(super) const CANDIDATE: u128 = 3;
pub(super) const BOSS: u128 = 4;
/// The first of twenty learners.
pub(super) const LEARNER: u128 = 101;

pub(super) const LAW: u128 = 11;
pub(super) const HOLD: u128 = 12;

/// The session is on 8 March 2021, from nine to four.
pub(super) const BEFORE: &str = "2021-03-01T12:00:00Z";
pub(super) const DURING: &str = "2021-03-08T14:00:00Z";
pub(super) const AFTER: &str = "2021-03-08T17:00:00Z";

fn module(number: u128, kind: ModuleKind) -> (ModuleId, PinnedModule) {
    let module = PinnedModule {
        id: id(number),
        code: format!("M{number}"),
        title: "A module".to_owned(),
        strand: Strand::TeamHolding,
        kind,
        minutes: 90,
        pre_load: false,
        competencies: Vec::new(),
    };
    (module.id, module)
}

pub(super) fn facts() -> SessionFacts {
    let programme = Programme {
        id: Some(id(50)),
        modules: BTreeMap::from([module(LAW, ModuleKind::Knowledge), module(HOLD, ModuleKind::Skill)]),
        ..Programme::default()
    };
    let mut people = BTreeMap::from([
        (id(TRAINED), Known { employed: true, eligible: false, candidate: CandidateStanding::Completed }),
        (id(MENTOR), Known { employed: false, eligible: true, candidate: CandidateStanding::None }),
        (id(CANDIDATE), Known { employed: true, eligible: false, candidate: CandidateStanding::Enrolled }),
        (id(BOSS), Known { employed: false, eligible: true, candidate: CandidateStanding::None }),
    ]);
    people.extend(learners(20).into_iter().map(|learner| (learner, Known { employed: true, ..Known::default() })));
    let organisation = Organisation { time_zone: "Europe/London".to_owned(), ..Organisation::default() };
    let asker = Known { employed: true, ..Known::default() };
    SessionFacts { organisation, programme: Some(programme), people, asker }
}

/// The first so many learners.
pub(super) fn learners(count: u128) -> Vec<PersonId> {
    (LEARNER..LEARNER + count).map(id).collect()
}

pub(super) fn trainer(person: u128, part: TrainerPart) -> Trainer {
    Trainer { person: id(person), part }
}

pub(super) fn minutes(module: u128, minutes: u32) -> ModuleMinutes {
    ModuleMinutes { module: id(module), minutes, assessment_minutes: 15 }
}

pub(super) const LOW: LowRisk = LowRisk { safety: true, client_risk_factors: true, trainability: true, effectiveness: true };

/// A day on which somebody trained here leads and a mentor is second.
pub(super) fn course() -> Plan {
    Plan {
        session: id(60),
        programme: Some(id(50)),
        stage: None,
        kind: SessionKind::CourseDay,
        title: "Holding together".to_owned(),
        modules: vec![minutes(LAW, 45), minutes(HOLD, 90)],
        starts_at: at("2021-03-08T09:00:00Z"),
        ends_at: at("2021-03-08T16:00:00Z"),
        unit: None,
        venue: "Hall".to_owned(),
        trainers: vec![trainer(TRAINED, TrainerPart::Lead), trainer(MENTOR, TrainerPart::Second)],
        learners_max: 12,
        physical: true,
        low_risk: Some(LOW),
    }
}

/// A day that a candidate and a mentor teach together.
pub(super) fn co_delivery() -> Plan {
    let trainers = vec![trainer(MENTOR, TrainerPart::Mentor), trainer(CANDIDATE, TrainerPart::Candidate)];
    Plan { kind: SessionKind::CoDelivery, stage: Some(crate::stage::Stage::CoDeliveryWeek), trainers, ..course() }
}

pub(super) fn boss(when: &str) -> Asked {
    asked_by(BOSS, Role::ProviderAdmin, at(when))
}

pub(super) fn mentor(when: &str) -> Asked {
    asked_by(MENTOR, Role::Mentor, at(when))
}

pub(super) fn candidate(when: &str) -> Asked {
    asked_by(CANDIDATE, Role::Candidate, at(when))
}

pub(super) fn correcting(mut asked: Asked, event: u128) -> Asked {
    asked.supersedes = Some(id::<EventId>(event));
    asked
}

pub(super) fn planned(plan: Plan) -> Session {
    let mut session = Session::default();
    session.happens(SessionCommand::Plan(plan), &boss(BEFORE), &facts());
    session
}

/// The split of the case: what the mentor owns and what the candidate does.
pub(super) fn split() -> Vec<Owner> {
    use Responsibility::{PracticeActivities, SessionDesign, Timing};
    let owner = |responsibility| if matches!(responsibility, Timing | SessionDesign | PracticeActivities) { MENTOR } else { CANDIDATE };
    Responsibility::ALL.map(|responsibility| Owner { responsibility, owner: id(owner(responsibility)) }).to_vec()
}

/// A co-delivery with everything agreed and twelve learners on the roster.
pub(super) fn agreed() -> Session {
    let mut session = planned(co_delivery());
    session.happens(SessionCommand::Propose { owners: split() }, &mentor(BEFORE), &facts());
    session.happens(SessionCommand::Agree { owners: split() }, &candidate(BEFORE), &facts());
    session.happens(SessionCommand::SetRoster { learners: learners(12) }, &boss(BEFORE), &facts());
    session
}

/// Everybody was there for everything.
pub(super) fn all_there(count: u128) -> Vec<Attended> {
    let there = |person| [LAW, HOLD].map(|module| Attended { person, module: id(module), minutes: 60 });
    learners(count).into_iter().flat_map(there).collect()
}

/// Everybody attained everything.
pub(super) fn all_attained(count: u128) -> Vec<Judged> {
    let judged = |line: Attended| Judged { person: line.person, module: line.module, result: AttainmentResult::Attained };
    all_there(count).into_iter().map(judged).collect()
}

pub(super) fn done() -> SessionCommand {
    SessionCommand::Complete { owners: Vec::new(), modules: Vec::new() }
}

#[test]
fn a_day_is_taught_together_from_plan_to_signature() {
    let mut session = agreed();
    session.happens(SessionCommand::RecordAttendance { attendance: all_there(12) }, &candidate(DURING), &facts());
    session.happens(SessionCommand::RecordAttainment { attainment: all_attained(12) }, &candidate(AFTER), &facts());
    assert_eq!(session.refused(done(), &boss(AFTER), &facts()), ["attainment_uncountersigned"; 2], "one for each module");
    session.happens(SessionCommand::Countersign, &mentor(AFTER), &facts());
    let owners = vec![Owner { responsibility: Responsibility::Timing, owner: id(CANDIDATE) }];
    let events = session.happens(SessionCommand::Complete { owners, modules: vec![minutes(HOLD, 80)] }, &mentor(AFTER), &facts());
    let [SessionEvent::SessionCompleted { owners, modules, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((owners[0].owner, owners[1].owner, owners.len()), (id(CANDIDATE), id(MENTOR), 7), "timing went to the candidate after all");
    assert_eq!(*modules, [minutes(LAW, 45), minutes(HOLD, 80)]);
    assert_eq!(session.refused(done(), &boss(AFTER), &facts()), ["not_in_state"]);
}

#[test]
fn everything_that_stands_against_completing_is_told_at_once() {
    let mut session = planned(co_delivery());
    session.happens(SessionCommand::Propose { owners: split()[..6].to_vec() }, &mentor(BEFORE), &facts());
    let mut expected = vec!["not_in_state", "not_in_state"];
    expected.extend(["responsibility_unowned"; 7]);
    assert_eq!(session.refused(done(), &boss(BEFORE), &facts()), expected);
    let actual = |owners: Vec<Owner>| SessionCommand::Complete { owners, modules: vec![minutes(99, 10)] };
    let mut held = agreed();
    held.happens(SessionCommand::RecordAttendance { attendance: all_there(12) }, &mentor(DURING), &facts());
    let twice = vec![split()[0], split()[0]];
    assert_eq!(held.refused(actual(twice), &mentor(AFTER), &facts()), ["responsibility_split", "unknown_reference"]);
    assert_eq!(held.refused(done(), &mentor(DURING), &facts()), ["not_in_state"], "it has not ended yet");
    let long = SessionCommand::Complete { owners: Vec::new(), modules: vec![minutes(HOLD, 346)] };
    assert_eq!(held.refused(long, &mentor(AFTER), &facts()), ["invalid"], "an hour of the law, and more than six of holding");
}

#[test]
fn a_session_that_was_held_is_not_cancelled() {
    let mut session = agreed();
    let cancel = || SessionCommand::Cancel { reason: "Snow.".to_owned() };
    assert_eq!(session.refused(cancel(), &candidate(BEFORE), &facts()), ["not_permitted"], "not the lead");
    session.clone().happens(cancel(), &boss(BEFORE), &facts());
    session.happens(SessionCommand::RecordAttendance { attendance: all_there(1) }, &mentor(DURING), &facts());
    assert_eq!(session.refused(cancel(), &boss(AFTER), &facts()), ["not_in_state"]);
}

#[test]
fn only_those_who_teach_here_write_here() {
    let mut session = agreed();
    let attendance = || SessionCommand::RecordAttendance { attendance: all_there(12) };
    let stranger = |role| asked_by(BOSS, role, at(DURING));
    assert_eq!(session.refused(attendance(), &stranger(Role::Mentor), &facts()), ["not_permitted"]);
    assert_eq!(session.refused(attendance(), &stranger(Role::ProviderAdmin), &facts()), ["not_permitted"]);
    session.happens(attendance(), &mentor(DURING), &facts());
    assert_eq!(session.refused(done(), &candidate(AFTER), &facts()), ["not_permitted"], "a candidate does not close the day");
}

#[test]
fn a_leavers_authority_ends_at_once() {
    let mut session = agreed();
    let attendance = || SessionCommand::RecordAttendance { attendance: all_there(12) };
    let left = SessionFacts { asker: Known::default(), ..facts() };
    for by in [mentor(DURING), candidate(DURING)] {
        assert_eq!(session.refused(attendance(), &by, &left), ["not_permitted"]);
    }
    session.happens(attendance(), &mentor(DURING), &facts());
    session.happens(SessionCommand::RecordAttainment { attainment: all_attained(12) }, &candidate(AFTER), &facts());
    assert_eq!(session.refused(SessionCommand::Countersign, &mentor(AFTER), &left), ["not_permitted"]);
    session.happens(SessionCommand::Countersign, &mentor(AFTER), &facts());
    assert_eq!(session.refused(done(), &mentor(AFTER), &left), ["not_permitted"]);
    session.happens(done(), &boss(AFTER), &left);
    let own = asked_by(TRAINED, Role::Candidate, at(BEFORE));
    assert_eq!(Session::default().refused(SessionCommand::Plan(course()), &own, &left), ["not_permitted"]);
}

/// Whatever nobody's word stands against, said of a state.
fn valid(session: &Session, action: SessionAction, asked: &Asked, attempt: &Attempt) -> SessionCommand {
    match action {
        SessionAction::Plan => {
            let plan = if asked.role == Role::Candidate || attempt.dice[1] < 60 { course() } else { co_delivery() };
            let hour = 3_600_000_000;
            let starts_at = Instant::from_micros(asked.occurred_at.micros() + i64::from(attempt.dice[4]) * hour);
            SessionCommand::Plan(Plan { starts_at, ends_at: Instant::from_micros(starts_at.micros() + 7 * hour), ..plan })
        }
        SessionAction::Propose => {
            let held = |owner: Owner| session.owned.get(&owner.responsibility).map_or(owner, |owned| Owner { owner: owned.owner, ..owner });
            SessionCommand::Propose { owners: split().into_iter().map(held).collect() }
        }
        SessionAction::Agree => {
            let owner = |(responsibility, owned): (&Responsibility, &Owned)| Owner { responsibility: *responsibility, owner: owned.owner };
            SessionCommand::Agree { owners: session.owned.iter().map(owner).collect() }
        }
        SessionAction::Change => {
            SessionCommand::Change { responsibility: Responsibility::Timing, owner: id(CANDIDATE), reason: "To try it.".to_owned() }
        }
        SessionAction::ChangeTrainers => {
            let trainers = session.planned.as_ref().map(|planned| planned.trainers.clone()).unwrap_or_default();
            SessionCommand::ChangeTrainers { trainers, reason: "As before.".to_owned() }
        }
        SessionAction::SetRoster => SessionCommand::SetRoster { learners: learners(12) },
        SessionAction::RecordAttendance => {
            let lines = session.roster.iter().map(|person| Attended { person: *person, module: id(LAW), minutes: 45 });
            SessionCommand::RecordAttendance { attendance: lines.collect() }
        }
        SessionAction::RecordAttainment => {
            let result = if attempt.dice[5] < 128 { AttainmentResult::Attained } else { AttainmentResult::NotYet };
            let lines = session.attending().into_iter().map(|person| Judged { person, module: id(LAW), result });
            SessionCommand::RecordAttainment { attainment: lines.collect() }
        }
        SessionAction::Countersign => SessionCommand::Countersign,
        SessionAction::Complete => done(),
        SessionAction::Cancel => SessionCommand::Cancel { reason: "Snow.".to_owned() },
        SessionAction::Correct => {
            let record = Record::Completion { owners: Vec::new(), modules: Vec::new() };
            SessionCommand::Correct { record, reason: "Told wrongly.".to_owned() }
        }
    }
}

fn lived(session: &Session, action: SessionAction, asked: &Asked, attempt: &Attempt) -> (SessionCommand, SessionFacts) {
    let mut facts = facts();
    // To plan, a body must name somebody who may teach.
    if action != SessionAction::Plan && attempt.dice[2] < 40 {
        facts.people.insert(id(MENTOR), Known::default());
    }
    facts.asker.employed = attempt.dice[3] > 20;
    (valid(session, action, asked, attempt), facts)
}

#[test]
fn what_is_foretold_is_what_happens() {
    use SessionAction as Can;
    foretold_is_what_happens::<Session>(&[Can::Plan, Can::Change, Can::ChangeTrainers, Can::SetRoster, Can::Cancel], lived);
}

#[test]
fn what_is_foretold_is_what_happens_beforehand() {
    use SessionAction as Can;
    // Planned long ago: histories begin before this scene does.
    let given = Session { arranged_at: None, ..planned(co_delivery()) };
    foretold_from(&given, &[Can::Propose, Can::Agree, Can::Change, Can::SetRoster], lived);
}

#[test]
fn what_is_foretold_is_what_happens_to_the_end() {
    use SessionAction as Can;
    let late = [Can::Change, Can::SetRoster, Can::RecordAttendance, Can::RecordAttainment, Can::Countersign, Can::Complete];
    foretold_from(&agreed(), &late, lived);
}
