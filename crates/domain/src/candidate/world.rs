//! The small world that the tests of a candidate stand in: one programme, one
//! candidate, two mentors, two assessors, and somebody who runs it all. Here as
//! well the law that what is foretold is what happens.

use std::collections::BTreeMap;

use lastresort_fact::{Asked, EventId, ModuleId, Role};

use super::*;
use crate::guard::testing::{Attempt, Tried as _, asked_by, at, day, foretold_from, foretold_is_what_happens, id};
use crate::programme::{Criterion, ModuleKind, PinnedCompetency, PinnedModule, StageOccurrence, StageState, Strand};

pub(super) const CANDIDATE: u128 = 1;
pub(super) const MENTOR: u128 = 2;
pub(super) const ASSESSOR: u128 = 3;
pub(super) const BOSS: u128 = 4;
pub(super) const OTHER_MENTOR: u128 = 5;

/// A film of the pre-load, a knowledge module, and a skill.
pub(super) const FILM: u128 = 11;
pub(super) const LAW: u128 = 12;
pub(super) const HOLD: u128 = 13;
/// A competency that must be passed, and one that need not.
pub(super) const TEACHES: u128 = 21;
pub(super) const LISTENS: u128 = 22;
/// The criterion of the first.
pub(super) const CLEAR: u128 = 31;

fn module(number: u128, code: &str, kind: ModuleKind, pre_load: bool) -> (ModuleId, PinnedModule) {
    let module = PinnedModule {
        id: id(number),
        code: code.to_owned(),
        title: code.to_owned(),
        strand: Strand::NonEscalation,
        kind,
        minutes: 45,
        pre_load,
        competencies: vec![id(TEACHES)],
    };
    (module.id, module)
}

fn competency(number: u128, must_pass: bool) -> PinnedCompetency {
    let criteria = vec![Criterion { id: id(number + 10), text: "Says it plainly.".to_owned() }];
    PinnedCompetency { id: id(number), code: format!("C{number}"), title: "Teaches".to_owned(), must_pass, criteria }
}

/// What decisions rest on: all stages have started, everybody is who they should be.
pub(super) fn facts() -> CandidateFacts {
    let started = |stage| {
        let occurrence = StageOccurrence {
            id: id(100),
            state: StageState::Started,
            opens_on: day("2020-11-23"),
            closes_on: day("2021-03-25"),
            dated_at: at("2020-11-01T08:00:00Z"),
            started_at: Some(at("2020-11-23T08:00:00Z")),
            completed_at: None,
        };
        (stage, occurrence)
    };
    let programme = Programme {
        id: Some(id(50)),
        modules: BTreeMap::from([
            module(FILM, "FILM-1", ModuleKind::Knowledge, true),
            module(LAW, "LAW-1", ModuleKind::Knowledge, false),
            module(HOLD, "HOLD-1", ModuleKind::Skill, false),
        ]),
        competencies: [(TEACHES, true), (LISTENS, false)].map(|(number, must)| (id(number), competency(number, must))).into(),
        stages: Stage::ALL.map(started).into(),
        ..Programme::default()
    };
    let organisation = Organisation { time_zone: "Europe/London".to_owned(), ..Organisation::default() };
    let named = Named { known: true, eligible: true };
    CandidateFacts { organisation, programme, employed: true, asker: Asker { employed: true, eligible: true }, named, session_known: true }
}

pub(super) fn as_mentor() -> Asked {
    asked_by(MENTOR, Role::Mentor, at("2021-01-04T10:00:00Z"))
}

pub(super) fn as_assessor(when: &str) -> Asked {
    asked_by(ASSESSOR, Role::Assessor, at(when))
}

pub(super) fn as_candidate(when: &str) -> Asked {
    asked_by(CANDIDATE, Role::Candidate, at(when))
}

/// The same, telling of something held by a fact of this number.
pub(super) fn correcting(mut asked: Asked, event: u128) -> Asked {
    asked.supersedes = Some(id::<EventId>(event));
    asked
}

pub(super) fn nominated() -> Candidate {
    after(Candidate::default(), [CandidateEvent::CandidateNominated { candidate: id(40), person: id(CANDIDATE), programme: id(50) }])
}

fn after(mut candidate: Candidate, events: impl IntoIterator<Item = CandidateEvent>) -> Candidate {
    let stamp = asked_by(BOSS, Role::ProviderAdmin, at("2020-11-02T00:00:00Z")).stamp();
    events.into_iter().for_each(|event| candidate.apply(&event, &stamp));
    candidate
}

pub(super) fn enrolled() -> Candidate {
    after(nominated(), [CandidateEvent::CandidateEnrolled { programme: id(50) }])
}

/// Enrolled, with a mentor.
pub(super) fn mentoring() -> Candidate {
    after(enrolled(), [CandidateEvent::MentorAssigned { person: id(MENTOR), from_on: day("2020-11-01"), to_on: None }])
}

/// The same, with an assessor.
pub(super) fn assessing() -> Candidate {
    let assigned = CandidateEvent::AssessorAssigned { person: id(ASSESSOR), from_on: day("2020-11-01"), to_on: None, independent: true };
    after(mentoring(), [assigned])
}

/// The same, having entered every stage up to this one.
pub(super) fn having_entered(stage: Stage) -> Candidate {
    let stages = Stage::ALL.into_iter().filter(|entered| *entered <= stage);
    after(assessing(), stages.map(|stage| CandidateEvent::StageEntered { stage }))
}

#[test]
fn somebody_employed_is_nominated_for_a_running_programme_by_somebody_else() {
    let nominate = || CandidateCommand::Nominate { id: id(40), person: id(CANDIDATE), programme: id(50) };
    let by = |person| asked_by(person, Role::Manager, at("2020-11-02T10:00:00Z"));
    Candidate::default().happens(nominate(), &by(BOSS), &facts());
    assert_eq!(Candidate::default().refused(nominate(), &by(CANDIDATE), &facts()), ["not_permitted"]);
    let elsewhere = CandidateFacts { employed: false, programme: Programme::default(), ..facts() };
    assert_eq!(Candidate::default().refused(nominate(), &by(BOSS), &elsewhere), ["not_employed", "unknown_reference"]);
    let over = CandidateFacts { programme: Programme { completed: true, ..facts().programme }, ..facts() };
    assert_eq!(Candidate::default().refused(nominate(), &by(BOSS), &over), ["not_in_state"]);
    assert_eq!(nominated().refused(nominate(), &by(BOSS), &facts()), ["already_done"]);
}

#[test]
fn a_leaver_is_not_enrolled() {
    let admin = asked_by(BOSS, Role::ProviderAdmin, at("2020-11-20T10:00:00Z"));
    let left = CandidateFacts { employed: false, ..facts() };
    assert_eq!(nominated().refused(CandidateCommand::Enrol, &admin, &left), ["not_employed"]);
    nominated().happens(CandidateCommand::Enrol, &admin, &facts());
    assert_eq!(enrolled().refused(CandidateCommand::Enrol, &admin, &facts()), ["already_done"]);
}

#[test]
fn nothing_is_told_of_a_time_before_the_enrolment() {
    let admin = asked_by(BOSS, Role::ProviderAdmin, at("2020-11-20T10:00:00Z"));
    let told = |asked: &Asked| Asked { occurred_at: at("2020-11-01T10:00:00Z"), ..asked.clone() };
    assert_eq!(nominated().refused(CandidateCommand::Enrol, &told(&admin), &facts()), ["late_entry"]);
    let ask = CandidateCommand::RequestRemedial { request: id(1), topic: "More.".to_owned(), competencies: Vec::new(), rank: 1 };
    let own = as_candidate("2021-01-04T10:00:00Z");
    assert_eq!(enrolled().refused(ask, &told(&own), &facts()), ["late_entry", "late_entry"]);
    let submit = CandidateCommand::SubmitEvidence(handed_in(1));
    assert_eq!(enrolled().refused(submit, &told(&own), &facts()), ["late_entry", "late_entry"]);
}

#[test]
fn nothing_happens_to_a_candidate_who_was_withdrawn() {
    let mut candidate = assessing();
    let withdraw = || CandidateCommand::Withdraw { reason: "Leaves the organisation.".to_owned() };
    let other = asked_by(BOSS, Role::Candidate, at("2021-01-04T10:00:00Z"));
    assert_eq!(candidate.refused(withdraw(), &other, &facts()), ["not_permitted"]);
    candidate.happens(withdraw(), &as_candidate("2021-01-04T10:00:00Z"), &facts());
    for action in candidate.actions() {
        let foretold = candidate.foretold(action, &as_mentor(), &facts());
        assert!(foretold.iter().any(|unmet| unmet.code == "not_in_state"), "{action:?}: {foretold:?}");
    }
}

#[test]
fn a_command_that_corrects_nothing_may_not_say_so() {
    let admin = asked_by(BOSS, Role::ProviderAdmin, at("2020-11-20T10:00:00Z"));
    assert_eq!(nominated().refused(CandidateCommand::Enrol, &correcting(admin, 7), &facts()), ["supersede_only"]);
}

/// Every action, each of a few ids where it is done to a part.
fn every_action() -> Vec<CandidateAction> {
    let mut actions = vec![CandidateAction::Nominate];
    actions.extend(Candidate::default().actions().into_iter().filter(|action| !matches!(action, CandidateAction::EnterStage(_))));
    actions.extend(Stage::ALL.map(CandidateAction::EnterStage));
    actions.extend([1, 2].map(|number| CandidateAction::SettleAction(id(number))));
    actions.extend([1, 2].map(|number| CandidateAction::CoverRemedial(id(number))));
    actions
}

/// The first of a few ids that is not taken yet.
fn fresh<T: From<uuid::Uuid>>(taken: usize) -> T {
    id(taken as u128 + 1)
}

fn valid(candidate: &Candidate, action: CandidateAction, asked: &Asked, facts: &CandidateFacts, attempt: &Attempt) -> CandidateCommand {
    let day = |at| facts.organisation.day(at);
    let then = day(asked.occurred_at);
    let assign = |person| Assign { person: id(person), from_on: day(asked.at), to_on: None };
    let text = || "In words.".to_owned();
    match action {
        CandidateAction::Nominate => {
            let other = if asked.by.person() == Some(id(CANDIDATE)) { OTHER_MENTOR } else { CANDIDATE };
            CandidateCommand::Nominate { id: id(40), person: id(other), programme: id(50) }
        }
        CandidateAction::Enrol => CandidateCommand::Enrol,
        CandidateAction::AssignMentor => CandidateCommand::AssignMentor(assign(MENTOR)),
        CandidateAction::AssignAssessor => CandidateCommand::AssignAssessor(assign(ASSESSOR)),
        CandidateAction::RecordPreLoad => CandidateCommand::RecordPreLoad { module: id(FILM), percent: 100 },
        CandidateAction::EnterStage(stage) => CandidateCommand::EnterStage { stage },
        CandidateAction::RecordAttendance => {
            let mut begun = candidate.entered.iter().filter(|(_, at)| day(**at) <= then).map(|(stage, _)| *stage);
            CandidateCommand::RecordAttendance { stage: begun.next_back().unwrap_or(Stage::PreLoad), on: then, minutes: 60 }
        }
        CandidateAction::AllotModules => CandidateCommand::AllotModules { modules: vec![id(LAW)] },
        CandidateAction::Observe => CandidateCommand::Observe(seen(candidate.observations.len() as u128 + 1)),
        CandidateAction::SubmitEvidence => CandidateCommand::SubmitEvidence(handed_in(candidate.evidence.len() as u128 + 1)),
        CandidateAction::Assess => {
            CandidateCommand::Assess(Assess { assessment: fresh(candidate.assessments.len()), module: Some(id(LAW)), ..undecided() })
        }
        CandidateAction::DemandAction => {
            CandidateCommand::DemandAction { action: fresh(candidate.actions.len()), competency: id(TEACHES), what: text() }
        }
        CandidateAction::SettleAction(action) => CandidateCommand::SettleAction { action },
        CandidateAction::RequestRemedial => CandidateCommand::RequestRemedial {
            request: fresh(candidate.remedial.len()),
            topic: text(),
            competencies: vec![id(LISTENS)],
            rank: 1,
        },
        CandidateAction::CoverRemedial(request) => {
            CandidateCommand::CoverRemedial { request, covered: attempt.dice[1] < 200, carries_over: None }
        }
        CandidateAction::Complete => CandidateCommand::Complete,
        CandidateAction::Withdraw => CandidateCommand::Withdraw { reason: text() },
    }
}

/// A direct observation of that number.
pub(super) fn seen(number: u128) -> Observe {
    Observe {
        observation: id(number),
        competency: id(TEACHES),
        module: Some(id(LAW)),
        kind: ObservationKind::Direct,
        session: None,
        results: vec![CriterionResult { criterion: id(CLEAR), met: Met::Met }],
        narrative: "Clear and calm.".to_owned(),
    }
}

/// A piece of evidence of that number.
pub(super) fn handed_in(number: u128) -> SubmitEvidence {
    SubmitEvidence {
        evidence: id(number),
        kind: EvidenceKind::Document,
        competencies: vec![id(TEACHES)],
        title: "A lesson plan".to_owned(),
        reference: "https://example.org/plan".to_owned(),
        sha256: "0".repeat(64),
    }
}

/// A decision that it cannot be told.
pub(super) fn undecided() -> Assess {
    Assess {
        assessment: id(1),
        competency: id(TEACHES),
        module: None,
        decision: Decision::InsufficientEvidence,
        level: None,
        observations: Vec::new(),
        evidence: Vec::new(),
        reason: "Too little to go by.".to_owned(),
    }
}

fn lived(candidate: &Candidate, action: CandidateAction, asked: &Asked, attempt: &Attempt) -> (CandidateCommand, CandidateFacts) {
    let mut facts = facts();
    // To nominate, a body must name somebody who can be.
    facts.employed = action == CandidateAction::Nominate || attempt.dice[2] > 20;
    facts.asker.eligible = attempt.dice[3] > 20;
    facts.asker.employed = attempt.dice[4] > 20;
    (valid(candidate, action, asked, &facts, attempt), facts)
}

#[test]
fn what_is_foretold_is_what_happens() {
    use CandidateAction as Can;
    let mut early =
        vec![Can::Nominate, Can::Enrol, Can::AssignMentor, Can::AssignAssessor, Can::RecordPreLoad, Can::EnterStage(Stage::PreLoad)];
    early.extend([Can::Observe, Can::SubmitEvidence, Can::RequestRemedial, Can::CoverRemedial(id(1)), Can::Withdraw]);
    foretold_is_what_happens::<Candidate>(&early, lived);
}

#[test]
fn what_is_foretold_is_what_happens_under_way() {
    let (begin, end) = ([CandidateAction::Nominate, CandidateAction::Enrol], [CandidateAction::Complete, CandidateAction::Withdraw]);
    let under_way: Vec<_> = every_action().into_iter().filter(|action| !begin.contains(action) && !end.contains(action)).collect();
    foretold_from(&having_entered(Stage::ProjectsWeek), &under_way, lived);
}

#[test]
fn what_is_foretold_is_what_happens_in_the_end() {
    use CandidateAction as Can;
    let late = [Can::RequestRemedial, Can::CoverRemedial(id(1)), Can::DemandAction, Can::SettleAction(id(1)), Can::Complete, Can::Withdraw];
    foretold_from(&having_entered(Stage::RemedialWorkshop), &late, lived);
}
