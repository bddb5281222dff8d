//! Who authorises an analysis, what must be there before, and what a revision changes.

use lastresort_fact::Role;

use super::*;
use crate::guard::testing::{Tried, asked, asked_by, at, day, foretold_is_what_happens, id};

fn facts() -> NeedsAnalysisFacts {
    of(OrganisationKind::Client)
}

fn of(kind: OrganisationKind) -> NeedsAnalysisFacts {
    let organisation = Organisation { kind, time_zone: "Europe/London".into(), ..Organisation::default() };
    NeedsAnalysisFacts { organisation, employed_elsewhere: false }
}

fn whole() -> Analysis {
    Analysis {
        months_from: day("2018-10-01"),
        months_to: day("2020-09-30"),
        shorter_because: None,
        summary: "Staff know holds and hardly any words.".into(),
        without_person_identifiers: true,
        life_support_cover_confirmed: true,
        commitment_on_file: true,
        findings: vec!["De-escalation is hardly practised.".into()],
    }
}

fn bare() -> Analysis {
    Analysis {
        months_from: day("2020-01-31"),
        without_person_identifiers: false,
        life_support_cover_confirmed: false,
        commitment_on_file: false,
        ..whole()
    }
}

fn recorded(analysis: Analysis) -> NeedsAnalysis {
    NeedsAnalysis::given([NeedsAnalysisEvent::NeedsAnalysisRecorded { needs_analysis: id(3), analysis }])
}

fn lead() -> Asked {
    asked_by(2, Role::GovernanceLead, at("2021-03-01T12:00:00Z"))
}

#[test]
fn the_governance_lead_authorises_a_whole_analysis() {
    let mut analysis = recorded(whole());
    let happened = analysis.happens(NeedsAnalysisCommand::Authorise, &lead(), &facts());
    assert_eq!(happened, [NeedsAnalysisEvent::NeedsAnalysisAuthorised { version: 1 }]);
    assert_eq!(analysis.authorised(1), Some(lead().at));
    assert_eq!(analysis.refused(NeedsAnalysisCommand::Authorise, &lead(), &facts()), ["already_done"]);
}

#[test]
fn authorising_names_everything_that_is_missing() {
    let author = Asked { by: asked(Role::Manager).by, ..lead() };
    let by_provider = NeedsAnalysisFacts { employed_elsewhere: true, ..facts() };
    let refused = recorded(bare()).refused(NeedsAnalysisCommand::Authorise, &author, &by_provider);
    assert_eq!(refused, ["needs_analysis_not_authorised"; 6]);
}

#[test]
fn nobody_but_the_governance_lead_authorises() {
    for role in [Role::ProviderAdmin, Role::Manager, Role::Inspector] {
        let asked = Asked { role, ..lead() };
        assert_eq!(recorded(whole()).refused(NeedsAnalysisCommand::Authorise, &asked, &facts()), ["not_permitted"]);
    }
}

#[test]
fn twenty_four_months_are_counted_with_the_first_and_the_last() {
    assert_eq!(whole().months(), 24);
    assert_eq!(Analysis { months_to: day("2020-09-01"), ..whole() }.months(), 24);
    let shorter = Analysis { months_to: day("2020-08-31"), ..whole() };
    assert_eq!(shorter.months(), 23);
    let refused = recorded(shorter.clone()).refused(NeedsAnalysisCommand::Authorise, &lead(), &facts());
    assert_eq!(refused, ["needs_analysis_not_authorised"]);
    let because = Some("Incidents were not recorded electronically before.".to_owned());
    recorded(Analysis { shorter_because: because, ..shorter }).happens(NeedsAnalysisCommand::Authorise, &lead(), &facts());
}

#[test]
fn a_revision_is_a_version_nobody_has_authorised() {
    let mut analysis = recorded(whole());
    analysis.happens(NeedsAnalysisCommand::Authorise, &lead(), &facts());
    let other = asked_by(4, Role::Manager, lead().at);
    assert_eq!(analysis.happens(NeedsAnalysisCommand::Revise(whole()), &other, &facts()), [], "it says so already");
    let wider = Analysis { months_from: day("2018-01-01"), ..whole() };
    let happened = analysis.happens(NeedsAnalysisCommand::Revise(wider.clone()), &other, &facts());
    assert_eq!(happened, [NeedsAnalysisEvent::NeedsAnalysisRevised { version: 2, analysis: wider }]);
    assert_eq!((analysis.authorised(1).is_some(), analysis.authorised(2)), (true, None));
    let early = Asked { occurred_at: at("2021-03-01T11:59:00Z"), ..lead() };
    assert_eq!(analysis.refused(NeedsAnalysisCommand::Authorise, &early, &facts()), ["late_entry"]);
    let author = Asked { by: other.by, ..lead() };
    let refused = analysis.refused(NeedsAnalysisCommand::Authorise, &author, &facts());
    assert_eq!(refused, ["needs_analysis_not_authorised"], "whoever revised it is an author too");
}

#[test]
fn months_lie_in_order_and_in_the_past() {
    let astray = Analysis { months_from: day("2021-06-01"), months_to: day("2021-05-31"), ..whole() };
    let record = NeedsAnalysisCommand::Record { id: id(3), analysis: astray };
    assert_eq!(NeedsAnalysis::default().refused(record, &asked(Role::ProviderAdmin), &facts()), ["invalid", "late_entry"]);
}

#[test]
fn it_is_recorded_with_the_attestation_that_it_identifies_nobody() {
    let analysis = Analysis { without_person_identifiers: false, ..whole() };
    let record = NeedsAnalysisCommand::Record { id: id(3), analysis: analysis.clone() };
    assert_eq!(NeedsAnalysis::default().refused(record, &asked(Role::Manager), &facts()), ["invalid"]);
    let revise = NeedsAnalysisCommand::Revise(analysis);
    assert_eq!(recorded(whole()).refused(revise, &asked(Role::Manager), &facts()), ["invalid"]);
}

#[test]
fn it_is_recorded_once_and_at_a_client() {
    let record = NeedsAnalysisCommand::Record { id: id(3), analysis: whole() };
    let refused = recorded(whole()).refused(record, &asked(Role::Manager), &of(OrganisationKind::Provider));
    assert_eq!(refused, ["already_done", "not_in_state"]);
}

#[test]
fn what_is_foretold_is_what_happens() {
    foretold_is_what_happens::<NeedsAnalysis>(NeedsAnalysisAction::ALL, |_, action, _, attempt| {
        let dice = attempt.dice;
        let analysis = Analysis {
            months_from: if dice[0] > 80 { day("2018-01-01") } else { day("2019-06-01") },
            shorter_because: (dice[1] > 80).then(|| "The records begin then.".to_owned()),
            life_support_cover_confirmed: dice[3] > 40,
            commitment_on_file: dice[4] > 40,
            ..whole()
        };
        let command = match action {
            NeedsAnalysisAction::Record => NeedsAnalysisCommand::Record { id: id(3), analysis },
            NeedsAnalysisAction::Revise => NeedsAnalysisCommand::Revise(analysis),
            NeedsAnalysisAction::Authorise => NeedsAnalysisCommand::Authorise,
        };
        let kind = if dice[5] > 50 { OrganisationKind::Client } else { OrganisationKind::Provider };
        (command, NeedsAnalysisFacts { employed_elsewhere: dice[6] > 200, ..of(kind) })
    });
}
