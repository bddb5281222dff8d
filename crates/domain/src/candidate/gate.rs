//! The gates between stages, judged candidate by candidate (rule 2), and what
//! they are judged by: pre-load, attendance and the modules allotted. Leaving
//! the projects week asks that every allotted module was assessed, not that
//! the candidate was found competent: somebody not yet competent goes on.

use chrono::NaiveDate;
use lastresort_fact::{Asked, Instant, ModuleId, Refusal, Stamp, Unmet};

use super::{Candidate, CandidateAction, CandidateEvent, CandidateFacts};
use crate::correction::{Told, unless_corrected};
use crate::guard::unless;
use crate::programme::ModuleKind;
use crate::stage::Stage;

impl Candidate {
    /// The stage they would enter next; none after the last.
    #[must_use]
    pub fn next_stage(&self) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| !self.entered.contains_key(stage))
    }

    /// Everything that stands between the candidate and a stage at an instant, by what was so by then.
    #[must_use]
    pub fn gate(&self, stage: Stage, facts: &CandidateFacts, at: Instant) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        let spoken = stage.spoken();
        unless(!self.entered.contains_key(&stage), &mut unmet, "already_done", &format!("The candidate has entered the {spoken} already."));
        let started = format!("The programme has not started its {spoken}.");
        unless(facts.programme.has_started(stage), &mut unmet, "stage_gate_unmet", &started);
        let began = facts.programme.stages.get(&stage).and_then(|occurrence| occurrence.started_at);
        let late = format!("The programme started its {spoken} later than that.");
        unless(began.is_none_or(|began| began <= at), &mut unmet, "late_entry", &late);
        if let Some(previous) = stage.previous() {
            let entered = self.entered.get(&previous);
            let detail = format!("The candidate has not entered the {}, which comes before.", previous.spoken());
            unless(entered.is_some(), &mut unmet, "stage_out_of_order", &detail);
            let late = format!("The candidate entered the {} later than that.", previous.spoken());
            unless(entered.is_none_or(|entered| *entered <= at), &mut unmet, "late_entry", &late);
            self.unless_left(previous, facts, at, &mut unmet);
        }
        unmet
    }

    /// What leaving a stage asks.
    fn unless_left(&self, stage: Stage, facts: &CandidateFacts, at: Instant, unmet: &mut Vec<Unmet>) {
        match stage {
            Stage::PreLoad => {
                for module in facts.programme.modules.values().filter(|module| module.pre_load) {
                    let done = self.pre_load.get(&module.id).filter(|(_, told)| told.at <= at);
                    let percent = done.map_or(0, |(percent, _)| *percent);
                    let detail = format!("{} of the pre-load stands at {percent} of 100 per cent.", module.code);
                    unless(percent == 100, unmet, "stage_gate_unmet", &detail);
                }
            }
            Stage::Introductions => {
                let mentor = self.mentor_on(facts.organisation.day(at));
                unless(mentor.is_some(), unmet, "stage_gate_unmet", "The candidate has no mentor today.");
                self.unless_attended(stage, facts.organisation.day(at), unmet);
            }
            Stage::TransferWeek | Stage::CoDeliveryWeek | Stage::RemedialWorkshop => {
                self.unless_attended(stage, facts.organisation.day(at), unmet);
            }
            Stage::ProjectsWeek => {
                unless(!self.allotted.is_empty(), unmet, "stage_gate_unmet", "No module has been allotted for the projects week.");
                for module in self.allotted.iter().filter(|module| !self.was_assessed_in(**module, at)) {
                    let code = facts.programme.modules.get(module).map_or("A module", |module| module.code.as_str());
                    unmet.push(Unmet::new("stage_gate_unmet", format!("{code} is allotted and has not been assessed.")));
                }
            }
        }
    }

    fn unless_attended(&self, stage: Stage, by: NaiveDate, unmet: &mut Vec<Unmet>) {
        let there = self.attended.get(&stage).is_some_and(|days| days.range(..=by).any(|(_, (minutes, _))| *minutes > 0));
        unless(there, unmet, "stage_gate_unmet", &format!("No attendance of the {} is recorded.", stage.spoken()));
    }

    fn was_assessed_in(&self, module: ModuleId, by: Instant) -> bool {
        self.assessments.values().any(|decided| decided.module == Some(module) && decided.at <= by)
    }

    /// What stands against recording anything of this kind at all.
    pub(super) fn unless_due(&self, action: CandidateAction, asked: &Asked, facts: &CandidateFacts, unmet: &mut Vec<Unmet>) {
        if action == CandidateAction::RecordPreLoad {
            let any = facts.programme.modules.values().any(|module| module.pre_load);
            unless(any, unmet, "not_in_state", "The programme has no modules in its pre-load.");
        }
        if action == CandidateAction::RecordAttendance {
            unless(!self.entered.is_empty(), unmet, "stage_out_of_order", "The candidate has not entered any stage.");
            let day = facts.organisation.day(asked.occurred_at);
            let in_time = self.entered.is_empty() || self.entered.values().any(|at| facts.organisation.day(*at) <= day);
            unless(in_time, unmet, "late_entry", "The candidate entered their first stage later than that.");
        }
        if action == CandidateAction::AllotModules {
            let any = facts.programme.modules.values().any(|module| module.kind == ModuleKind::Knowledge);
            unless(any, unmet, "not_in_state", "The programme has no knowledge modules to deliver.");
            let before = !self.entered.contains_key(&Stage::CoDeliveryWeek);
            unless(before, unmet, "not_in_state", "The candidate has left the projects week.");
        }
    }

    pub(super) fn progress(
        &self,
        module: ModuleId,
        percent: u8,
        asked: &Asked,
        facts: &CandidateFacts,
    ) -> Result<Vec<CandidateEvent>, Refusal> {
        let mut unmet = Vec::new();
        let held = self.pre_load.get(&module);
        if !facts.programme.modules.get(&module).is_some_and(|module| module.pre_load) {
            unmet.push(Unmet::new("unknown_reference", "The pre-load of the programme has no such module.").at("/module"));
        }
        if percent > 100 {
            unmet.push(Unmet::new("invalid", "More than 100 per cent cannot be done.").at("/percent"));
        }
        let backwards = held.is_some_and(|(held, told)| percent < *held && told.at <= asked.occurred_at);
        if backwards || asked.supersedes.is_some() {
            unless_corrected(held.map(|(_, told)| told), asked, &mut unmet);
        }
        Refusal::unless_met(unmet)?;
        let known = held.is_some_and(|(held, _)| *held == percent) && asked.supersedes.is_none();
        Ok(if known { Vec::new() } else { vec![CandidateEvent::PreLoadProgressed { module, percent }] })
    }

    /// What came in late of an earlier hour does not undo what is known of a later one.
    pub(super) fn progressed(&mut self, module: ModuleId, percent: u8, stamp: &Stamp) {
        let told = Told::by(stamp);
        if self.pre_load.get(&module).is_none_or(|(_, held)| held.at <= told.at) {
            self.pre_load.insert(module, (percent, told));
        }
    }

    pub(super) fn attend(
        &self,
        stage: Stage,
        on: NaiveDate,
        minutes: u32,
        asked: &Asked,
        facts: &CandidateFacts,
    ) -> Result<Vec<CandidateEvent>, Refusal> {
        let mut unmet = Vec::new();
        let held = self.attended.get(&stage).and_then(|days| days.get(&on));
        match self.entered.get(&stage) {
            None => {
                let detail = format!("The candidate has not entered the {}.", stage.spoken());
                unmet.push(Unmet::new("stage_out_of_order", detail).at("/stage"));
            }
            Some(at) if on < facts.organisation.day(*at) => {
                let detail = format!("The candidate entered the {} later than that.", stage.spoken());
                unmet.push(Unmet::new("late_entry", detail).at("/on"));
            }
            Some(_) => {}
        }
        if on > facts.organisation.day(asked.occurred_at) {
            unmet.push(Unmet::new("late_entry", "What is told must have happened already.").at("/on"));
        }
        if minutes > DAY_MINUTES_MAX || (minutes == 0 && held.is_none()) {
            let detail = format!("Between 1 and {DAY_MINUTES_MAX} minutes of a day; 0 only where that corrects what was recorded.");
            unmet.push(Unmet::new("invalid", detail).at("/minutes"));
        }
        let known = held.is_some_and(|(held, _)| *held == minutes) && asked.supersedes.is_none();
        if !known {
            unless_corrected(held.map(|(_, told)| told), asked, &mut unmet);
        }
        Refusal::unless_met(unmet)?;
        Ok(if known { Vec::new() } else { vec![CandidateEvent::StageAttended { stage, on, minutes }] })
    }

    pub(super) fn allot(&self, modules: Vec<ModuleId>, facts: &CandidateFacts) -> Result<Vec<CandidateEvent>, Refusal> {
        let mut unmet = Vec::new();
        if modules.is_empty() {
            unmet.push(Unmet::new("invalid", "At least one module is to be allotted.").at("/modules"));
        }
        for (index, module) in modules.iter().enumerate() {
            let pointer = format!("/modules/{index}");
            match facts.programme.modules.get(module) {
                None => unmet.push(Unmet::new("unknown_reference", "The programme has no such module.").at(&pointer)),
                Some(found) if found.kind != ModuleKind::Knowledge => {
                    unmet.push(Unmet::new("invalid", "The projects week is held at a distance: knowledge modules only.").at(&pointer));
                }
                Some(_) if modules[..index].contains(module) => {
                    unmet.push(Unmet::new("invalid", "This module is named twice.").at(&pointer));
                }
                Some(_) => {}
            }
        }
        Refusal::unless_met(unmet)?;
        let known = self.allotted.len() == modules.len() && modules.iter().all(|module| self.allotted.contains(module));
        Ok(if known { Vec::new() } else { vec![CandidateEvent::ModulesAllotted { modules }] })
    }
}

const DAY_MINUTES_MAX: u32 = 1_440;

#[cfg(test)]
mod tests {
    use lastresort_fact::Role;

    use super::*;
    use crate::candidate::CandidateCommand;
    use crate::candidate::world::{
        BOSS, FILM, HOLD, LAW, as_assessor, as_candidate, as_mentor, assessing, correcting, facts, having_entered, undecided,
    };
    use crate::candidate::{Assess, Assign};
    use crate::guard::testing::{Tried as _, asked_by, at, day, id};

    fn enter(stage: Stage) -> CandidateCommand {
        CandidateCommand::EnterStage { stage }
    }

    fn attend(stage: Stage) -> CandidateCommand {
        CandidateCommand::RecordAttendance { stage, on: day("2021-01-04"), minutes: 90 }
    }

    fn watch(percent: u8) -> CandidateCommand {
        CandidateCommand::RecordPreLoad { module: id(FILM), percent }
    }

    fn details(candidate: &Candidate, stage: Stage) -> Vec<String> {
        candidate.gate(stage, &facts(), as_mentor().at).into_iter().map(|unmet| unmet.detail).collect()
    }

    #[test]
    fn stages_run_in_order_and_every_unmet_condition_is_told() {
        let mut candidate = assessing();
        let refused = candidate.refused(enter(Stage::Introductions), &as_mentor(), &facts());
        assert_eq!(refused, ["stage_out_of_order", "stage_gate_unmet"], "not entered before, and a film not watched");
        candidate.happens(enter(Stage::PreLoad), &as_mentor(), &facts());
        assert_eq!(candidate.refused(enter(Stage::PreLoad), &as_mentor(), &facts()), ["already_done"]);
        assert_eq!(details(&candidate, Stage::Introductions), ["FILM-1 of the pre-load stands at 0 of 100 per cent."]);
        candidate.happens(watch(100), &as_candidate("2021-01-04T09:00:00Z"), &facts());
        assert_eq!(candidate.next_stage(), Some(Stage::Introductions));
        candidate.happens(enter(Stage::Introductions), &as_mentor(), &facts());
    }

    #[test]
    fn a_stage_is_entered_once_the_programme_has_started_it() {
        let mut facts = facts();
        facts.programme.stages.remove(&Stage::PreLoad);
        assert_eq!(assessing().refused(enter(Stage::PreLoad), &as_mentor(), &facts), ["stage_gate_unmet"]);
    }

    #[test]
    fn introductions_are_left_with_a_mentor_and_having_been_there() {
        let mut candidate = having_entered(Stage::Introductions);
        let admin = asked_by(BOSS, Role::ProviderAdmin, at("2021-01-04T10:00:00Z"));
        let ended = Assign { person: id(2), from_on: day("2021-01-04"), to_on: Some(day("2021-01-04")) };
        let mut without = candidate.clone();
        without.mentors.clear();
        without.happens(CandidateCommand::AssignMentor(ended), &admin, &facts());
        let later = asked_by(BOSS, Role::ProviderAdmin, at("2021-01-05T10:00:00Z"));
        assert_eq!(without.refused(enter(Stage::TransferWeek), &later, &facts()), ["stage_gate_unmet", "stage_gate_unmet"]);
        candidate.happens(attend(Stage::Introductions), &as_mentor(), &facts());
        candidate.happens(enter(Stage::TransferWeek), &as_mentor(), &facts());
    }

    #[test]
    fn the_projects_week_is_left_once_every_allotted_module_was_assessed_whatever_the_decision() {
        let mut candidate = having_entered(Stage::ProjectsWeek);
        assert_eq!(details(&candidate, Stage::CoDeliveryWeek), ["No module has been allotted for the projects week."]);
        candidate.happens(CandidateCommand::AllotModules { modules: vec![id(LAW), id(FILM)] }, &as_mentor(), &facts());
        assert_eq!(candidate.gate(Stage::CoDeliveryWeek, &facts(), as_mentor().at).len(), 2);
        for (assessment, module) in [(1, LAW), (2, FILM)] {
            let decided = Assess { assessment: id(assessment), module: Some(id(module)), ..undecided() };
            candidate.happens(CandidateCommand::Assess(decided), &as_assessor("2021-02-10T10:00:00Z"), &facts());
        }
        let after = asked_by(BOSS, Role::ProviderAdmin, at("2021-02-12T10:00:00Z"));
        candidate.happens(enter(Stage::CoDeliveryWeek), &after, &facts());
        let allot = CandidateCommand::AllotModules { modules: vec![id(LAW)] };
        assert_eq!(candidate.refused(allot, &after, &facts()), ["not_in_state"]);
    }

    #[test]
    fn knowledge_modules_of_the_programme_are_allotted_each_once() {
        let candidate = having_entered(Stage::ProjectsWeek);
        let refused = |modules: &[u128]| {
            let modules = modules.iter().map(|number| id(*number)).collect();
            candidate.refused(CandidateCommand::AllotModules { modules }, &as_mentor(), &facts())
        };
        assert_eq!(refused(&[]), ["invalid"]);
        assert_eq!(refused(&[HOLD, 99, LAW, LAW]), ["invalid", "unknown_reference", "invalid"]);
    }

    #[test]
    fn the_later_weeks_are_left_having_been_there() {
        for stage in [Stage::TransferWeek, Stage::CoDeliveryWeek] {
            let mut candidate = having_entered(stage);
            let next = stage.next().expect("not the last");
            assert_eq!(candidate.refused(enter(next), &as_mentor(), &facts()), ["stage_gate_unmet"]);
            candidate.happens(attend(stage), &as_mentor(), &facts());
            candidate.happens(enter(next), &as_mentor(), &facts());
        }
    }

    #[test]
    fn pre_load_never_goes_back_in_silence() {
        let mut candidate = assessing();
        candidate.happens(watch(60), &as_candidate("2021-01-04T09:00:00Z"), &facts());
        let later = as_candidate("2021-01-05T09:00:00Z");
        assert_eq!(candidate.refused(watch(50), &later, &facts()), ["supersede_only"]);
        assert_eq!(candidate.refused(watch(101), &later, &facts()), ["invalid"]);
        assert_eq!(candidate.happens(watch(60), &later, &facts()), [], "the same message twice changes nothing");
        let earlier = as_candidate("2021-01-03T09:00:00Z");
        candidate.happens(watch(40), &earlier, &facts());
        assert_eq!(candidate.pre_load[&id(FILM)].0, 60, "what comes in late of an earlier hour does not undo a later one");
        let correction = correcting(as_candidate("2021-01-04T09:00:00Z"), 0);
        candidate.happens(watch(50), &correction, &facts());
        assert_eq!(candidate.pre_load[&id(FILM)].0, 50);
        let other = CandidateCommand::RecordPreLoad { module: id(LAW), percent: 10 };
        assert_eq!(candidate.refused(other, &later, &facts()), ["unknown_reference"]);
    }

    #[test]
    fn attendance_is_of_a_stage_entered_and_of_a_day_gone_by() {
        let mut candidate = having_entered(Stage::TransferWeek);
        let record = |stage, on, minutes| CandidateCommand::RecordAttendance { stage, on: day(on), minutes };
        let refused = candidate.refused(record(Stage::ProjectsWeek, "2021-01-05", 2_000), &as_mentor(), &facts());
        assert_eq!(refused, ["stage_out_of_order", "late_entry", "invalid"]);
        candidate.happens(attend(Stage::TransferWeek), &as_mentor(), &facts());
        assert_eq!(candidate.happens(attend(Stage::TransferWeek), &as_mentor(), &facts()), []);
        let again = record(Stage::TransferWeek, "2021-01-04", 30);
        assert_eq!(candidate.refused(again.clone(), &as_mentor(), &facts()), ["supersede_only"]);
        candidate.happens(again, &correcting(as_mentor(), 0), &facts());
        candidate.happens(record(Stage::TransferWeek, "2021-01-04", 0), &correcting(as_mentor(), 0), &facts());
        assert_eq!(candidate.refused(enter(Stage::ProjectsWeek), &as_mentor(), &facts()), ["stage_gate_unmet"]);
    }

    #[test]
    fn a_stage_is_entered_by_what_was_so_by_then() {
        let mut candidate = assessing();
        let told = |when| Asked { occurred_at: at(when), ..as_mentor() };
        let refused = candidate.refused(enter(Stage::PreLoad), &told("2020-11-22T08:00:00Z"), &facts());
        assert_eq!(refused, ["late_entry"], "the programme has not started it");
        candidate.happens(enter(Stage::PreLoad), &told("2020-11-24T08:00:00Z"), &facts());
        candidate.happens(watch(100), &as_candidate("2020-12-03T09:00:00Z"), &facts());
        let refused = candidate.refused(enter(Stage::Introductions), &told("2020-11-23T08:00:00Z"), &facts());
        assert_eq!(refused, ["late_entry", "stage_gate_unmet"], "before the first, and the film");
        candidate.happens(enter(Stage::Introductions), &told("2020-12-07T08:00:00Z"), &facts());
        candidate.happens(attend(Stage::Introductions), &as_mentor(), &facts());
        let refused = candidate.refused(enter(Stage::TransferWeek), &told("2021-01-03T10:00:00Z"), &facts());
        assert_eq!(refused, ["stage_gate_unmet"], "they were there a day later only");
    }

    #[test]
    fn attendance_begins_with_the_stage() {
        let mut candidate = assessing();
        candidate.happens(enter(Stage::PreLoad), &as_mentor(), &facts());
        let record = |on| CandidateCommand::RecordAttendance { stage: Stage::PreLoad, on: day(on), minutes: 60 };
        assert_eq!(candidate.refused(record("2021-01-03"), &as_mentor(), &facts()), ["late_entry"]);
        let told = Asked { occurred_at: at("2021-01-03T10:00:00Z"), ..as_mentor() };
        assert_eq!(candidate.refused(record("2021-01-04"), &told, &facts()), ["late_entry"]);
        candidate.happens(record("2021-01-04"), &as_mentor(), &facts());
    }

    #[test]
    fn nobody_lets_themselves_through() {
        let own = asked_by(1, Role::ProviderAdmin, at("2021-01-04T10:00:00Z"));
        assert_eq!(assessing().refused(enter(Stage::PreLoad), &own, &facts()), ["self_assessment"]);
    }
}
