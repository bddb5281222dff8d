//! The learners of a session: who they are, what they attended, and what they
//! attained. Attendance is never attainment; what a candidate judged in
//! co-delivery is provisional until the mentor countersigns it (rule 8).

use std::collections::{BTreeMap, BTreeSet};

use lastresort_fact::{Asked, Instant, ModuleId, PersonId, PersonalText, Refusal, Stamp, Unmet};
use serde::{Deserialize, Serialize};

use super::{AttainmentResult, Attended, Judged, LearnerModule, Planned, Session, SessionEvent, SessionFacts, SessionKind, TrainerPart};
use crate::correction::{Told, unless_wholly_corrected};
use crate::guard::unless;

/// What was judged of a learner in a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// What was attained.
    pub result: AttainmentResult,
    /// By whom.
    pub by: Option<PersonId>,
    /// It waits for the mentor.
    pub provisional: bool,
    /// The fact that says it.
    pub told: Told,
}

impl Judgement {
    /// Whether anything was judged at all.
    fn says_something(&self) -> bool {
        self.result != AttainmentResult::NotJudged
    }
}

impl Session {
    /// Those who were there for any time at all.
    #[must_use]
    pub fn attending(&self) -> BTreeSet<PersonId> {
        let there = |modules: &BTreeMap<ModuleId, (u32, Told)>| modules.values().any(|(minutes, _)| *minutes > 0);
        self.attendance.iter().filter(|(_, modules)| there(modules)).map(|(person, _)| *person).collect()
    }

    /// What waits for the mentor's signature.
    pub fn provisional(&self) -> impl Iterator<Item = LearnerModule> + '_ {
        let waits = |(person, modules): (&PersonId, &BTreeMap<ModuleId, Judgement>)| {
            let waiting: Vec<_> = modules.iter().filter(|(_, judged)| judged.provisional).map(|(module, _)| *module).collect();
            let person = *person;
            waiting.into_iter().map(move |module| LearnerModule { person, module })
        };
        self.attainment.iter().flat_map(waits)
    }

    pub(super) fn minutes(&self, person: PersonId, module: ModuleId) -> Option<&(u32, Told)> {
        self.attendance.get(&person).and_then(|modules| modules.get(&module))
    }

    /// Where a line names no learner, or no module, of this session.
    fn unless_of_the_session(&self, list: &str, lines: impl Iterator<Item = (PersonId, ModuleId)>, unmet: &mut Vec<Unmet>) {
        let modules: BTreeSet<_> = self.planned.iter().flat_map(|planned| &planned.modules).map(|module| module.module).collect();
        let mut named = BTreeSet::new();
        let mut against = |code: &str, detail: &str, index: usize, field: &str| {
            unmet.push(Unmet::new(code, detail).at(&format!("/{list}/{index}{field}")));
        };
        for (index, (person, module)) in lines.enumerate() {
            if !self.roster.contains(&person) {
                against("unknown_reference", "They are not on the roster of this session.", index, "/person");
            }
            if !modules.contains(&module) {
                against("unknown_reference", "The session has no such module.", index, "/module");
            }
            if !named.insert((person, module)) {
                against("invalid", "This learner and module are named twice.", index, "");
            }
        }
        if named.is_empty() {
            unmet.push(Unmet::new("invalid", "At least one line is to be told.").at(&format!("/{list}")));
        }
    }

    /// What stands against any roster: those who were there are on it, and one learner at least.
    pub(super) fn unless_teachable(&self, facts: &SessionFacts, unmet: &mut Vec<Unmet>) {
        if let Some(planned) = &self.planned {
            let least = u32::try_from(self.attending().len()).unwrap_or(u32::MAX).max(1);
            planned.unless_staffed(least, facts, unmet);
        }
    }

    pub(super) fn set_roster(&self, learners: Vec<PersonId>, facts: &SessionFacts) -> Result<Vec<SessionEvent>, Refusal> {
        let Some(planned) = &self.planned else { return Ok(Vec::new()) };
        let mut unmet = Vec::new();
        for (index, learner) in learners.iter().enumerate() {
            let mut against = |code: &str, detail: &str| unmet.push(Unmet::new(code, detail).at(&format!("/learners/{index}")));
            match facts.people.get(learner) {
                None => against("unknown_reference", "There is no such person in this organisation."),
                Some(known) if !known.employed => against("not_employed", "They are not employed here on that day."),
                Some(_) if planned.trainers.iter().any(|trainer| trainer.person == *learner) => {
                    against("invalid", "They teach in this session.");
                }
                Some(_) if learners[..index].contains(learner) => against("invalid", "They are named twice."),
                Some(_) => {}
            }
        }
        let gone = self.attending().into_iter().filter(|person| !learners.contains(person)).count();
        let detail = format!("Attendance is recorded of {gone} who would no longer be on the roster.");
        unless(gone == 0, &mut unmet, "not_in_state", &detail);
        if learners.is_empty() {
            unmet.push(Unmet::new("invalid", "A roster names at least one learner.").at("/learners"));
        }
        let count = u32::try_from(learners.len()).unwrap_or(u32::MAX);
        let detail = format!("The session has places for {} learners; {count} are named.", planned.learners_max);
        unless(count <= planned.learners_max, &mut unmet, "cohort_too_large", &detail);
        planned.unless_staffed(count, facts, &mut unmet);
        Refusal::unless_met(unmet)?;
        let known = self.roster.len() == learners.len() && learners.iter().all(|learner| self.roster.contains(learner));
        Ok(if known { Vec::new() } else { vec![SessionEvent::RosterSet { learners }] })
    }

    /// What stands against recording anything of the day before it has come.
    pub(super) fn unless_begun(&self, at: Instant, unmet: &mut Vec<Unmet>) {
        if let Some(planned) = &self.planned {
            unless(planned.starts_at <= at, unmet, "late_entry", "The session has not begun yet.");
        }
    }

    /// What stands against recording attendance of anybody in anything.
    pub(super) fn unless_expected(&self, unmet: &mut Vec<Unmet>) {
        let teaches = self.planned.as_ref().is_none_or(|planned| !planned.modules.is_empty());
        unless(teaches, unmet, "not_in_state", "The session has no modules.");
        unless(!self.roster.is_empty(), unmet, "not_in_state", "The session has no roster yet.");
    }

    pub(super) fn record_attendance(
        &self,
        attendance: Vec<Attended>,
        reason: Option<PersonalText>,
        asked: &Asked,
    ) -> Result<Vec<SessionEvent>, Refusal> {
        let mut unmet = Vec::new();
        self.unless_of_the_session("attendance", attendance.iter().map(|line| (line.person, line.module)), &mut unmet);
        let longest = self.planned.as_ref().map_or(0, Planned::span);
        self.unless_within(&attendance, longest, &mut unmet);
        let mut news = Vec::new();
        for (index, line) in attendance.into_iter().enumerate() {
            let held = self.minutes(line.person, line.module);
            let mut against = |code: &str, detail: &str| unmet.push(Unmet::new(code, detail).at(&format!("/attendance/{index}/minutes")));
            if i64::from(line.minutes) > longest {
                against("invalid", "This is longer than the session.");
            }
            if line.minutes == 0 && self.judgement(line.person, line.module).is_some_and(Judgement::says_something) {
                let detail = "Attainment is recorded of them in this module, so they were there: that is corrected first, to not_judged.";
                against("not_in_state", detail);
            }
            if asked.supersedes.is_some() || held.is_none_or(|(minutes, _)| *minutes != line.minutes) {
                news.push((line, held.map(|(_, told)| *told)));
            }
        }
        let (attendance, restated): (Vec<_>, Vec<_>) = news.into_iter().unzip();
        let held = self.attendance.values().flat_map(BTreeMap::values).map(|(_, told)| *told);
        unless_wholly_corrected(&restated, held, asked, &mut unmet);
        Refusal::unless_met(unmet)?;
        Ok(if attendance.is_empty() { Vec::new() } else { vec![SessionEvent::AttendanceRecorded { attendance, reason }] })
    }

    /// A learner's minutes in all modules together fit into the session; one that alone does not is told by its line.
    fn unless_within(&self, attendance: &[Attended], longest: i64, unmet: &mut Vec<Unmet>) {
        let mut minutes: BTreeMap<PersonId, BTreeMap<ModuleId, i64>> = BTreeMap::new();
        for line in attendance {
            let held = || self.attendance.get(&line.person).into_iter().flatten().map(|(module, (held, _))| (*module, i64::from(*held)));
            minutes.entry(line.person).or_insert_with(|| held().collect()).insert(line.module, i64::from(line.minutes));
        }
        for (index, line) in attendance.iter().enumerate() {
            let modules = minutes.get(&line.person);
            let last = attendance[index + 1..].iter().all(|other| other.person != line.person);
            let alone = modules.is_some_and(|modules| modules.values().any(|minutes| *minutes > longest));
            let total: i64 = modules.into_iter().flatten().map(|(_, minutes)| minutes).sum();
            if last && !alone && total > longest {
                let pointer = format!("/attendance/{index}/minutes");
                unmet.push(Unmet::new("invalid", "All their modules together are longer than the session.").at(&pointer));
            }
        }
    }

    /// What stands against judging anybody's attainment.
    pub(super) fn unless_attended(&self, unmet: &mut Vec<Unmet>) {
        unless(!self.attending().is_empty(), unmet, "not_in_state", "No attendance is recorded, and only those who were there are judged.");
    }

    /// Where a line judges what cannot be judged; that somebody was not judged can be said of whoever stayed away, too.
    pub(super) fn unless_judgeable(&self, attainment: &[Judged], unmet: &mut Vec<Unmet>) {
        self.unless_of_the_session("attainment", attainment.iter().map(|line| (line.person, line.module)), unmet);
        for (index, line) in attainment.iter().enumerate() {
            let away = self.minutes(line.person, line.module).is_none_or(|(minutes, _)| *minutes == 0);
            if away && line.result != AttainmentResult::NotJudged {
                let detail = "They did not attend this module, so nothing can be judged of them.";
                unmet.push(Unmet::new("not_in_state", detail).at(&format!("/attainment/{index}")));
            }
        }
    }

    pub(super) fn judge(&self, attainment: Vec<Judged>, asked: &Asked) -> Result<Vec<SessionEvent>, Refusal> {
        let mut unmet = Vec::new();
        self.unless_judgeable(&attainment, &mut unmet);
        Refusal::unless_met(unmet)?;
        let by = asked.by.person();
        let provisional = self.kind() == Some(SessionKind::CoDelivery) && self.part_of(by) == Some(TrainerPart::Candidate);
        let known = |line: &Judged| {
            let held = self.judgement(line.person, line.module);
            held.is_some_and(|held| held.result == line.result && (held.by == by || !held.provisional && provisional))
        };
        let attainment: Vec<_> = attainment.into_iter().filter(|line| !known(line)).collect();
        Ok(if attainment.is_empty() {
            Vec::new()
        } else {
            vec![SessionEvent::AttainmentRecorded { attainment, provisional, reason: None }]
        })
    }

    pub(super) fn judgement(&self, person: PersonId, module: ModuleId) -> Option<&Judgement> {
        self.attainment.get(&person).and_then(|modules| modules.get(&module))
    }

    /// Rule 8, before a session may be completed.
    pub(super) fn unless_countersigned(&self, unmet: &mut Vec<Unmet>) {
        let mut waiting: BTreeMap<ModuleId, usize> = BTreeMap::new();
        for waits in self.provisional() {
            *waiting.entry(waits.module).or_default() += 1;
        }
        for (module, count) in waiting {
            let detail = format!("What was judged of {count} learners in module {module} waits for the mentor.");
            unmet.push(Unmet::new("attainment_uncountersigned", detail));
        }
    }

    pub(super) fn attended(&mut self, attendance: &[Attended], told: Told) {
        for line in attendance {
            self.attendance.entry(line.person).or_default().insert(line.module, (line.minutes, told));
        }
    }

    pub(super) fn judged(&mut self, attainment: &[Judged], provisional: bool, stamp: &Stamp) {
        self.judged_at = self.judged_at.max(Some(stamp.occurred_at));
        for line in attainment {
            let judged = Judgement { result: line.result, by: stamp.by.person(), provisional, told: Told::by(stamp) };
            self.attainment.entry(line.person).or_default().insert(line.module, judged);
        }
    }

    pub(super) fn countersigned(&mut self, attainment: &[LearnerModule]) {
        for line in attainment {
            if let Some(judged) = self.attainment.get_mut(&line.person).and_then(|modules| modules.get_mut(&line.module)) {
                judged.provisional = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lastresort_fact::Role;

    use super::*;
    use crate::guard::testing::{Tried as _, asked_by, at, id};
    use crate::session::world::{
        AFTER, BEFORE, CANDIDATE, DURING, HOLD, LAW, LEARNER, MENTOR, TRAINED, agreed, all_attained, all_there, boss, candidate,
        correcting, course, facts, learners, mentor, planned,
    };
    use crate::session::{Known, Owner, Responsibility, SessionCommand};

    fn there(attendance: Vec<Attended>) -> SessionCommand {
        SessionCommand::RecordAttendance { attendance }
    }

    fn judged(attainment: Vec<Judged>) -> SessionCommand {
        SessionCommand::RecordAttainment { attainment }
    }

    fn line(person: u128, module: u128, minutes: u32) -> Attended {
        Attended { person: id(person), module: id(module), minutes }
    }

    fn held() -> Session {
        let mut session = agreed();
        session.happens(there(all_there(12)), &candidate(DURING), &facts());
        session
    }

    #[test]
    fn a_roster_names_employed_learners_within_the_places() {
        let mut session = planned(course());
        let set = |learners| SessionCommand::SetRoster { learners };
        assert_eq!(session.refused(set(learners(13)), &boss(BEFORE), &facts()), ["cohort_too_large"]);
        assert_eq!(session.refused(set(Vec::new()), &boss(BEFORE), &facts()), ["invalid"]);
        let mut left = facts();
        left.people.insert(id(LEARNER), Known::default());
        let odd = vec![id(LEARNER), id(TRAINED), id(999), id(LEARNER + 1), id(LEARNER + 1)];
        assert_eq!(session.refused(set(odd), &boss(BEFORE), &left), ["not_employed", "invalid", "unknown_reference", "invalid"]);
        session.happens(set(learners(12)), &boss(BEFORE), &facts());
        assert_eq!(session.happens(set(learners(12)), &boss(BEFORE), &facts()), []);
        session.happens(set(learners(11)), &asked_by(TRAINED, Role::Candidate, at(BEFORE)), &facts());
    }

    #[test]
    fn nobody_who_was_there_leaves_the_roster() {
        let set = SessionCommand::SetRoster { learners: learners(11) };
        assert_eq!(held().refused(set, &boss(AFTER), &facts()), ["not_in_state"]);
    }

    #[test]
    fn attendance_is_of_learners_on_the_roster_once_it_has_begun() {
        let session = agreed();
        assert_eq!(session.refused(there(all_there(12)), &mentor(BEFORE), &facts()), ["late_entry"]);
        assert_eq!(planned(course()).refused(there(all_there(1)), &mentor(DURING), &facts()), ["not_in_state"], "nobody is expected yet");
        let odd = vec![line(999, LAW, 45), line(LEARNER, 99, 45), line(LEARNER, LAW, 421), line(LEARNER, LAW, 45)];
        let refused = session.refused(there(odd), &mentor(DURING), &facts());
        assert_eq!(refused, ["unknown_reference", "unknown_reference", "invalid", "invalid"]);
        assert_eq!(session.refused(there(Vec::new()), &mentor(DURING), &facts()), ["invalid"]);
    }

    #[test]
    fn nobody_attends_for_longer_than_the_session() {
        let mut session = agreed();
        let day = |law, hold| there(vec![line(LEARNER, LAW, law), line(LEARNER, HOLD, hold)]);
        assert_eq!(session.refused(day(300, 121), &mentor(AFTER), &facts()), ["invalid"]);
        session.happens(day(300, 120), &mentor(AFTER), &facts());
        session.happens(there(vec![line(LEARNER + 1, LAW, 300)]), &mentor(AFTER), &facts());
        let more = there(vec![line(LEARNER + 1, HOLD, 121)]);
        assert_eq!(session.refused(more, &mentor(AFTER), &facts()), ["invalid"], "together with what is recorded already");
    }

    #[test]
    fn nobody_is_judged_before_the_session_has_begun() {
        let early = lastresort_fact::Asked { occurred_at: at(BEFORE), ..mentor(AFTER) };
        assert_eq!(held().refused(judged(all_attained(12)), &early, &facts()), ["late_entry"]);
    }

    #[test]
    fn attendance_is_corrected_record_by_record() {
        let mut session = held();
        assert_eq!(session.happens(there(all_there(12)), &mentor(AFTER), &facts()), [], "the same again changes nothing");
        assert_eq!(session.refused(there(vec![line(LEARNER, LAW, 30)]), &mentor(AFTER), &facts()), ["supersede_only"]);
        let correction = correcting(mentor(DURING), 0);
        assert_eq!(session.refused(there(vec![line(LEARNER, LAW, 30)]), &correction, &facts()), ["supersede_only"], "not in part");
        let mut all = all_there(12);
        all[0].minutes = 0;
        session.happens(there(all), &correction, &facts());
        assert_eq!(session.attending().len(), 12, "there for the other module");
    }

    #[test]
    fn attendance_is_never_attainment() {
        let mut session = agreed();
        assert_eq!(session.refused(judged(all_attained(12)), &mentor(DURING), &facts()), ["not_in_state"]);
        session.happens(there(vec![line(LEARNER, LAW, 45), line(LEARNER, HOLD, 0)]), &mentor(DURING), &facts());
        assert!(session.attainment.is_empty());
        assert_eq!(session.refused(judged(all_attained(1)), &mentor(AFTER), &facts()), ["not_in_state"], "not there for the second");
        session.happens(judged(all_attained(1)[..1].to_vec()), &mentor(AFTER), &facts());
        let gone = there(vec![line(LEARNER, LAW, 0), line(LEARNER, HOLD, 0)]);
        assert_eq!(session.refused(gone, &correcting(mentor(DURING), 0), &facts()), ["not_in_state"], "who attained was there");
    }

    #[test]
    fn what_a_candidate_judges_waits_for_the_mentor() {
        let mut session = held();
        session.happens(judged(all_attained(12)), &candidate(AFTER), &facts());
        assert_eq!(session.provisional().count(), 24);
        let own = asked_by(CANDIDATE, Role::Mentor, at(AFTER));
        assert_eq!(session.refused(SessionCommand::Countersign, &own, &facts()), ["not_permitted"]);
        let early = lastresort_fact::Asked { occurred_at: at(DURING), ..mentor(AFTER) };
        assert_eq!(session.refused(SessionCommand::Countersign, &early, &facts()), ["late_entry"], "before it was judged");
        session.happens(SessionCommand::Countersign, &mentor(AFTER), &facts());
        assert_eq!(session.provisional().count(), 0);
        assert_eq!(session.refused(SessionCommand::Countersign, &mentor(AFTER), &facts()), ["not_in_state"]);
        assert_eq!(session.happens(judged(all_attained(12)), &candidate(AFTER), &facts()), [], "the same again waits for nobody");
        let again = Judged { result: AttainmentResult::NotYet, ..all_attained(1)[0] };
        session.happens(judged(vec![again]), &candidate(AFTER), &facts());
        assert_eq!(session.provisional().count(), 1, "another judgement waits again");
        session.happens(judged(vec![again]), &mentor(AFTER), &facts());
        assert_eq!(session.provisional().count(), 0, "what a mentor judges waits for nobody");
    }

    #[test]
    fn a_candidate_judges_where_that_is_agreed_to_be_theirs() {
        let mut session = held();
        let owners = Owner { responsibility: Responsibility::AssessingAttainment, owner: id(MENTOR) };
        let change = SessionCommand::Change {
            responsibility: owners.responsibility,
            owner: owners.owner,
            reason: "As agreed by telephone.".to_owned(),
        };
        session.happens(change, &mentor(DURING), &facts());
        assert_eq!(session.refused(judged(all_attained(12)), &candidate(AFTER), &facts()), ["not_permitted"]);
    }

    #[test]
    fn what_is_judged_again_is_another_judgement_and_no_correction() {
        let mut session = held();
        session.happens(judged(all_attained(12)), &mentor(AFTER), &facts());
        assert_eq!(session.refused(judged(all_attained(12)), &correcting(mentor(AFTER), 0), &facts()), ["supersede_only"]);
    }
}
