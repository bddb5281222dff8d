//! A programme as it is shown, however its facts came in.

use lastresort_domain::programme::{Criterion, ModuleKind, Strand};

use super::StageStatus::{Completed, Deferred, Unscheduled};
use super::*;
use crate::testing::{at, day, fold, id, in_any_order};

fn history() -> Vec<Happening> {
    let criteria = vec![Criterion { id: id(50), text: "Says what the law asks.".into() }];
    let competency = PinnedCompetency { id: id(5), code: "C1".into(), title: "Law".into(), must_pass: true, criteria };
    let module = PinnedModule {
        id: id(6),
        code: "M1".into(),
        title: "The legal framework".into(),
        strand: Strand::NonEscalation,
        kind: ModuleKind::Knowledge,
        minutes: 90,
        pre_load: true,
        competencies: vec![id(5)],
    };
    let (first, second) = ((id(100), Stage::PreLoad), (id(101), Stage::Introductions));
    let defer = |(occurrence, stage), opens_on: &str, closes_on: &str| {
        let (opens_on, closes_on) = (day(opens_on), day(closes_on));
        ProgrammeEvent::StageDeferred { occurrence, stage, reason: "The venue is closed.".into(), opens_on, closes_on }
    };
    let schedule = |(occurrence, stage), opens_on: &str, closes_on: &str| {
        let (opens_on, closes_on) = (day(opens_on), day(closes_on));
        ProgrammeEvent::StageScheduled { occurrence, stage, opens_on, closes_on }
    };
    let events = vec![
        ProgrammeEvent::ProgrammePlanned {
            programme: id(1),
            title: "Trainers 2021".into(),
            needs_analysis: NeedsAnalysisPin { needs_analysis: id(3), version: 1 },
            curriculum: CurriculumPin { organisation: id(9), curriculum: id(7), version: 2, position: 41 },
            policy_version: Some(1),
        },
        ProgrammeEvent::CompetencyPinned { competency },
        ProgrammeEvent::ModulePinned { module },
        schedule(first, "2020-11-02", "2020-11-06"),
        schedule(second, "2020-12-07", "2020-12-11"),
        defer(first, "2020-11-09", "2020-11-13"),
        defer(first, "2020-11-23", "2020-12-06"),
        ProgrammeEvent::StageStarted { occurrence: first.0, stage: first.1 },
        ProgrammeEvent::StageCompleted { occurrence: first.0, stage: first.1 },
        defer(second, "2020-12-14", "2020-12-18"),
    ];
    events.into_iter().map(Happening::Programme).collect()
}

fn stages(events: &[Happening]) -> Vec<StageShown> {
    fold::<Programmes>(events).shown().stages
}

#[test]
fn all_six_stages_are_shown_in_order_however_far_they_are() {
    let shown = stages(&history());
    assert_eq!(shown.iter().map(|shown| shown.stage).collect::<Vec<_>>(), Stage::ALL);
    let status: Vec<_> = shown.iter().map(|shown| shown.status).collect();
    assert_eq!(status, [Completed, Deferred, Unscheduled, Unscheduled, Unscheduled, Unscheduled]);
    assert_eq!((shown[1].opens_on, shown[1].closes_on), (Some(day("2020-12-14")), Some(day("2020-12-18"))));
    assert_eq!((shown[2].occurrence, shown[2].opens_on), (None, None));
}

#[test]
fn each_deferral_keeps_its_reason_and_dates() {
    let shown = stages(&history());
    let dates: Vec<_> = shown[0].deferrals.iter().map(|deferral| (deferral.deferred_at, deferral.opens_on)).collect();
    assert_eq!(dates, [(at("2020-11-01T13:00:00Z"), day("2020-11-09")), (at("2020-11-01T14:00:00Z"), day("2020-11-23"))]);
}

#[test]
fn a_programme_runs_from_its_first_stage_on() {
    let status = |events: &[Happening]| fold::<Programmes>(events).shown().status;
    assert_eq!(status(&history()[..7]), ProgrammeStatus::Planned);
    assert_eq!(status(&history()), ProgrammeStatus::Running);
    let over = [history(), vec![Happening::Programme(ProgrammeEvent::ProgrammeCompleted { programme: id(1) })]].concat();
    assert_eq!(status(&over), ProgrammeStatus::Completed);
}

#[test]
fn any_order_of_late_arrival_gives_the_same_row() {
    in_any_order::<Programmes, _>(&history(), |row| {
        let shown = row.shown();
        (shown.status, shown.modules, shown.competencies, shown.stages)
    });
}
