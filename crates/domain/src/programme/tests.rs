//! Stories of a programme: each rule kept, and broken.

use lastresort_fact::CriterionId;

use super::*;
use crate::curriculum::Content;
use crate::guard::testing::{Tried, asked_by, at, day, foretold_is_what_happens, id};
use crate::needs_analysis::{Analysis, NeedsAnalysisEvent};
use crate::organisation::{OrganisationKind, PolicyName};

fn on(text: &str) -> Asked {
    asked_by(1, Role::ProviderAdmin, at(&format!("{text}T09:00:00Z")))
}

fn facts() -> ProgrammeFacts {
    of(OrganisationKind::Client, Some(analysis(Some("2020-11-20T10:00:00Z"))))
}

fn of(kind: OrganisationKind, needs_analysis: Option<NeedsAnalysis>) -> ProgrammeFacts {
    let organisation = Organisation { kind, time_zone: "Europe/London".into(), ..Organisation::default() };
    ProgrammeFacts { organisation, needs_analysis }
}

fn analysis(authorised: Option<&str>) -> NeedsAnalysis {
    let analysis = Analysis {
        months_from: day("2018-10-01"),
        months_to: day("2020-09-30"),
        shorter_because: None,
        summary: "Staff know holds and hardly any words.".into(),
        without_person_identifiers: true,
        life_support_cover_confirmed: true,
        commitment_on_file: true,
        findings: Vec::new(),
    };
    let recorded = NeedsAnalysisEvent::NeedsAnalysisRecorded { needs_analysis: id(3), analysis };
    let mut state = NeedsAnalysis::given([recorded]);
    if let Some(instant) = authorised {
        let stamp = asked_by(2, Role::GovernanceLead, at(instant)).stamp();
        state.apply(&NeedsAnalysisEvent::NeedsAnalysisAuthorised { version: 1 }, &stamp);
    }
    state
}

fn plan() -> Plan {
    let criteria = vec![Criterion { id: id::<CriterionId>(50), text: "Says what the law asks.".into() }];
    let competency = PinnedCompetency { id: id(5), code: "C1".into(), title: "Law".into(), must_pass: true, criteria };
    let module = PinnedModule {
        id: id(6),
        code: "M1".into(),
        title: "The legal framework".into(),
        strand: Strand::NonEscalation,
        kind: ModuleKind::Knowledge,
        minutes: 90,
        pre_load: false,
        competencies: vec![id(5)],
    };
    Plan {
        id: id(1),
        title: "Restraint reduction trainers 2021".into(),
        needs_analysis: NeedsAnalysisPin { needs_analysis: id(3), version: 1 },
        curriculum: CurriculumPin { organisation: id(9), curriculum: id(7), version: 2, position: 41 },
        content: Content { modules: [(module.id, module)].into(), competencies: [(competency.id, competency)].into() },
    }
}

fn planned() -> Programme {
    let mut programme = Programme::default();
    programme.happens(ProgrammeCommand::Plan(plan()), &on("2020-11-02"), &facts());
    programme
}

fn schedule(stage: Stage, opens_on: &str, closes_on: &str) -> ProgrammeCommand {
    let id = id(100 + stage as u128);
    ProgrammeCommand::ScheduleStage { stage, id, opens_on: day(opens_on), closes_on: day(closes_on) }
}

fn defer(stage: Stage, opens_on: &str, closes_on: &str) -> ProgrammeCommand {
    let reason = "The venue is closed by order.".to_owned();
    ProgrammeCommand::DeferStage { stage, reason, opens_on: day(opens_on), closes_on: day(closes_on) }
}

/// Planned, with dates for the first two stages.
fn scheduled() -> Programme {
    let mut programme = planned();
    for command in [schedule(Stage::PreLoad, "2020-11-23", "2020-12-06"), schedule(Stage::Introductions, "2020-12-07", "2020-12-18")] {
        programme.happens(command, &on("2020-11-03"), &facts());
    }
    programme
}

/// The first stage runs since 23 November 2020.
fn started() -> Programme {
    let mut programme = scheduled();
    programme.happens(ProgrammeCommand::StartStage(Stage::PreLoad), &on("2020-11-23"), &facts());
    programme
}

#[test]
fn planning_pins_the_analysis_and_copies_the_curriculum() {
    let happened = Programme::default().happens(ProgrammeCommand::Plan(plan()), &on("2020-11-02"), &facts());
    let names: Vec<_> = happened.iter().map(lastresort_fact::Happened::name).collect();
    assert_eq!(names, ["ProgrammePlanned", "CompetencyPinned", "ModulePinned"]);
    let programme = planned();
    assert_eq!((programme.modules, programme.competencies), (plan().content.modules, plan().content.competencies));
    assert_eq!(programme.policy_version, Some(0));
    let mut told = facts();
    told.organisation.policy.0.push((PolicyName::RatersMin, day("2020-11-23"), 2));
    let mut programme = Programme::default();
    programme.happens(ProgrammeCommand::Plan(plan()), &on("2020-11-02"), &told);
    assert_eq!(programme.policy_version, Some(1));
}

#[test]
fn a_plan_names_what_is_there() {
    let nowhere = of(OrganisationKind::Provider, None);
    let nothing = ProgrammeCommand::Plan(Plan { content: Content::default(), ..plan() });
    let refused = Programme::default().refused(nothing, &on("2020-11-02"), &nowhere);
    assert_eq!(refused, ["not_in_state", "unknown_reference", "unknown_reference"], "neither curriculum nor analysis");
    for version in [0, 2] {
        let needs_analysis = NeedsAnalysisPin { version, ..plan().needs_analysis };
        let plan = ProgrammeCommand::Plan(Plan { needs_analysis, ..plan() });
        assert_eq!(Programme::default().refused(plan, &on("2020-11-02"), &facts()), ["unknown_reference"]);
    }
}

#[test]
fn what_is_pinned_stays() {
    let curriculum = CurriculumPin { version: 3, ..plan().curriculum };
    let moved = ProgrammeCommand::Plan(Plan { curriculum, ..plan() });
    assert_eq!(planned().refused(moved, &on("2021-01-02"), &facts()), ["already_done", "version_pinned"]);
    assert_eq!(planned().refused(ProgrammeCommand::Plan(plan()), &on("2021-01-02"), &facts()), ["already_done"]);
}

#[test]
fn stages_are_scheduled_in_order_and_do_not_overlap() {
    let (by, facts) = (on("2020-11-03"), facts());
    let early = schedule(Stage::Introductions, "2020-12-07", "2020-12-01");
    assert_eq!(planned().refused(early, &by, &facts), ["stage_out_of_order", "invalid"], "the first stage comes before");
    let overlapping = schedule(Stage::TransferWeek, "2020-12-17", "2021-01-22");
    assert_eq!(scheduled().refused(overlapping, &by, &facts), ["stage_out_of_order"]);
    let again = schedule(Stage::PreLoad, "2020-11-24", "2020-12-08");
    assert_eq!(scheduled().refused(again, &by, &facts), ["already_done", "stage_out_of_order"]);
}

#[test]
fn the_first_stage_starts_on_an_authorised_analysis() {
    let happened = scheduled().happens(ProgrammeCommand::StartStage(Stage::PreLoad), &on("2020-11-23"), &facts());
    assert_eq!(happened, [ProgrammeEvent::StageStarted { occurrence: id(100), stage: Stage::PreLoad }]);
    let unauthorised = of(OrganisationKind::Client, Some(analysis(None)));
    let refused = scheduled().refused(ProgrammeCommand::StartStage(Stage::PreLoad), &on("2020-11-22"), &unauthorised);
    assert_eq!(refused, ["needs_analysis_not_authorised", "stage_out_of_order"], "and it opens a day later");
    let late = of(OrganisationKind::Client, Some(analysis(Some("2020-11-23T09:01:00Z"))));
    let refused = scheduled().refused(ProgrammeCommand::StartStage(Stage::PreLoad), &on("2020-11-23"), &late);
    assert_eq!(refused, ["needs_analysis_not_authorised"], "it was not authorised yet at that minute");
}

#[test]
fn a_stage_opens_at_midnight_where_the_organisation_is() {
    let mut programme = planned();
    programme.happens(schedule(Stage::PreLoad, "2021-04-01", "2021-04-02"), &on("2021-03-03"), &facts());
    let start = ProgrammeCommand::StartStage(Stage::PreLoad);
    let before = asked_by(1, Role::ProviderAdmin, at("2021-03-31T22:59:59Z"));
    assert_eq!(programme.refused(start.clone(), &before, &facts()), ["stage_out_of_order"]);
    programme.happens(start, &asked_by(1, Role::ProviderAdmin, at("2021-03-31T23:00:00Z")), &facts());
}

#[test]
fn a_stage_starts_after_the_one_before_is_completed() {
    let start = ProgrammeCommand::StartStage(Stage::Introductions);
    let refused = started().refused(start.clone(), &on("2020-12-06"), &facts());
    assert_eq!(refused, ["stage_out_of_order", "stage_out_of_order"], "pre-load still runs, and it opens a day later");
    let mut programme = started();
    programme.happens(ProgrammeCommand::CompleteStage(Stage::PreLoad), &on("2020-12-07"), &facts());
    let back_dated = Asked { occurred_at: at("2020-12-07T08:59:00Z"), ..on("2020-12-08") };
    assert_eq!(programme.refused(start.clone(), &back_dated, &facts()), ["stage_out_of_order"]);
    programme.happens(start.clone(), &on("2020-12-08"), &facts());
    assert!(programme.is_open(Stage::Introductions) && !programme.is_open(Stage::PreLoad) && programme.has_started(Stage::PreLoad));
    assert_eq!(programme.refused(start, &on("2020-12-08"), &facts()), ["already_done"]);
}

#[test]
fn a_stage_without_dates_neither_starts_nor_ends() {
    let (by, facts) = (on("2021-01-18"), facts());
    let stage = Stage::TransferWeek;
    let refused = started().refused(ProgrammeCommand::StartStage(stage), &by, &facts);
    assert_eq!(refused, ["stage_out_of_order", "stage_out_of_order"]);
    assert_eq!(started().refused(ProgrammeCommand::CompleteStage(stage), &by, &facts), ["not_in_state"]);
    assert_eq!(started().refused(defer(stage, "2021-02-01", "2021-02-05"), &by, &facts), ["not_in_state"]);
}

#[test]
fn what_runs_is_completed_once_and_not_before_it_started() {
    let complete = ProgrammeCommand::CompleteStage(Stage::PreLoad);
    assert_eq!(scheduled().refused(complete.clone(), &on("2020-11-23"), &facts()), ["not_in_state"]);
    let mut programme = started();
    let back_dated = Asked { occurred_at: at("2020-11-23T08:59:00Z"), ..on("2020-11-24") };
    assert_eq!(programme.refused(complete.clone(), &back_dated, &facts()), ["stage_out_of_order"]);
    let happened = programme.happens(complete.clone(), &on("2020-12-06"), &facts());
    assert_eq!(happened, [ProgrammeEvent::StageCompleted { occurrence: id(100), stage: Stage::PreLoad }]);
    assert_eq!(programme.refused(complete, &on("2020-12-06"), &facts()), ["already_done"]);
}

#[test]
fn a_stage_is_put_off_with_a_reason_and_keeps_its_id() {
    let (by, facts) = (on("2020-12-01"), facts());
    let mut programme = scheduled();
    let crowding = defer(Stage::PreLoad, "2020-11-30", "2020-12-08");
    assert_eq!(programme.refused(crowding, &by, &facts), ["stage_out_of_order"], "the stage after opens before");
    programme.happens(defer(Stage::Introductions, "2021-01-04", "2021-01-15"), &by, &facts);
    programme.happens(defer(Stage::PreLoad, "2020-12-07", "2020-12-20"), &by, &facts);
    let back_dated = Asked { occurred_at: at("2020-12-01T08:59:00Z"), ..by.clone() };
    assert_eq!(programme.refused(defer(Stage::PreLoad, "2020-12-08", "2020-12-20"), &back_dated, &facts), ["late_entry"]);
    let occurrence = &programme.stages[&Stage::PreLoad];
    assert_eq!((occurrence.id, occurrence.state, occurrence.opens_on), (id(100), StageState::Deferred, day("2020-12-07")));
    let sooner = defer(Stage::PreLoad, "2020-12-01", "2020-12-20");
    assert_eq!(programme.refused(sooner, &by, &facts), ["invalid"], "to defer is to a later day");
    let running = started().refused(defer(Stage::PreLoad, "2020-12-01", "2020-12-06"), &by, &facts);
    assert_eq!(running, ["not_in_state"]);
}

#[test]
fn a_programme_ends_when_all_six_stages_have() {
    let mut programme = planned();
    let refused = programme.refused(ProgrammeCommand::Complete, &on("2021-03-26"), &facts());
    assert_eq!(refused, ["stage_out_of_order"; 6]);
    for stage in Stage::ALL {
        let (by, facts) = (on("2021-03-25"), facts());
        programme.happens(schedule(stage, "2021-03-25", "2021-03-25"), &by, &facts);
        programme.happens(ProgrammeCommand::StartStage(stage), &by, &facts);
        programme.happens(ProgrammeCommand::CompleteStage(stage), &by, &facts);
    }
    let happened = programme.happens(ProgrammeCommand::Complete, &on("2021-03-26"), &facts());
    assert_eq!(happened, [ProgrammeEvent::ProgrammeCompleted { programme: id(1) }]);
    assert!(programme.completed);
    assert_eq!(programme.refused(ProgrammeCommand::Complete, &on("2021-03-27"), &facts()), ["already_done"]);
}

#[test]
fn nobody_but_the_providers_administrator_moves_it() {
    for role in [Role::Inspector, Role::Manager, Role::GovernanceLead] {
        let by = Asked { role, ..on("2020-11-23") };
        let refused = scheduled().refused(ProgrammeCommand::StartStage(Stage::PreLoad), &by, &facts());
        assert_eq!(refused, ["not_permitted"]);
    }
}

#[test]
fn what_is_foretold_is_what_happens() {
    let actions: Vec<_> = [ProgrammeAction::Plan].into_iter().chain(Programme::default().actions()).collect();
    foretold_is_what_happens::<Programme>(&actions, |programme, action, _, attempt| {
        let dice = attempt.dice;
        let kind = if dice[0] > 40 { OrganisationKind::Client } else { OrganisationKind::Provider };
        let facts = of(kind, Some(analysis((dice[1] > 40).then_some("2020-11-20T10:00:00Z"))));
        let days = |number: u8| chrono::Days::new(u64::from(number % 8));
        let held = |stage| programme.stages.get(&stage);
        let command = match action {
            ProgrammeAction::Plan => ProgrammeCommand::Plan(plan()),
            ProgrammeAction::ScheduleStage(stage) => {
                let opens_on = stage.previous().and_then(held).map_or(day("2020-11-23"), |before| before.closes_on) + days(dice[2]);
                ProgrammeCommand::ScheduleStage { stage, id: id(100), opens_on, closes_on: opens_on + days(dice[3]) }
            }
            ProgrammeAction::StartStage(stage) => ProgrammeCommand::StartStage(stage),
            ProgrammeAction::CompleteStage(stage) => ProgrammeCommand::CompleteStage(stage),
            ProgrammeAction::DeferStage(stage) => {
                let next_day = held(stage).map_or(day("2020-11-23"), |held| held.opens_on) + chrono::Days::new(1);
                let opens_on = held(stage).map_or(next_day, |held| held.closes_on.max(next_day));
                let opens_on = stage.next().and_then(held).map_or(opens_on, |after| after.opens_on.min(opens_on));
                ProgrammeCommand::DeferStage { stage, reason: "The venue is closed.".into(), opens_on, closes_on: opens_on }
            }
            ProgrammeAction::Complete => ProgrammeCommand::Complete,
        };
        (command, facts)
    });
}
