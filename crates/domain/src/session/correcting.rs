//! Corrections of a completed session (rule 17). Its mentor or the provider's
//! administrator tells one whole record anew – who was there, what was attained,
//! or what it came to – in place of the fact that says it now, and says why.
//!
//! Nothing new is told so: no line that was not there before. What rested on the
//! record holds, or the correction is refused: whoever attained something was
//! there, so their judgement is corrected first, to `not_judged`; somebody was
//! there; and a group that turns out larger is held to the ratios again (rule
//! 5). A corrected judgement is its corrector's own, and waits for no signature
//! (rule 8); a mentor's signature on what it supersedes stays readable beside it.

use std::collections::BTreeMap;

use lastresort_fact::{Asked, Class, PersonId, Personal, PersonalText, Refusal, Unmet};

use super::{Attended, Ended, Judged, Record, Session, SessionEvent, SessionFacts, SessionKind};
use crate::correction::{Told, unless_corrected, unless_wholly_corrected};
use crate::guard::unless;

impl Session {
    /// What stands against correcting any record.
    pub(super) fn unless_completed(&self, unmet: &mut Vec<Unmet>) {
        let detail = match self.ended {
            Some(Ended::Completed(_)) => return,
            Some(Ended::Cancelled) => "The session was cancelled.",
            None => "The session is not completed; until then those who teach in it tell what is to be told.",
        };
        unmet.push(Unmet::new("not_in_state", detail));
    }

    pub(super) fn correct(
        &self,
        record: Record,
        reason: String,
        asked: &Asked,
        facts: &SessionFacts,
    ) -> Result<Vec<SessionEvent>, Refusal> {
        if asked.supersedes.is_none() {
            return Err(Unmet::new("supersede_only", "A correction names the fact it supersedes.").at("/supersedes").into());
        }
        match record {
            Record::Attendance(attendance) => self.correct_attendance(&attendance, reason, asked, facts),
            Record::Attainment(attainment) => self.correct_attainment(attainment, reason, asked),
            Record::Completion { owners, modules } => {
                let held = self.ended.and_then(|ended| if let Ended::Completed(told) = ended { Some(told) } else { None });
                let mut unmet = Vec::new();
                unless_corrected(held.as_ref(), asked, &mut unmet);
                Refusal::unless_met(unmet)?;
                self.complete(&owners, &modules, Some(self.because(reason)))
            }
        }
    }

    fn correct_attendance(
        &self,
        attendance: &[Attended],
        reason: String,
        asked: &Asked,
        facts: &SessionFacts,
    ) -> Result<Vec<SessionEvent>, Refusal> {
        let told_wrongly = |line: &&Attended| self.minutes(line.person, line.module).is_none_or(|(minutes, _)| *minutes != line.minutes);
        let about = attendance.iter().find(told_wrongly).or(attendance.first()).map(|line| line.person);
        let events = self.record_attendance(attendance.to_vec(), Some(because_of(about, reason)), asked)?;
        let mut corrected = self.clone();
        corrected.attended(attendance, Told::default());
        let (before, after) = (self.attending().len(), corrected.attending().len());
        let mut unmet = Vec::new();
        let needed = self.kind() != Some(SessionKind::Workshop);
        unless(after > 0 || !needed, &mut unmet, "not_in_state", "Then nobody was there, and the session was not held.");
        if let Some(planned) = self.planned.as_ref().filter(|_| after > before) {
            planned.unless_staffed(u32::try_from(after).unwrap_or(u32::MAX), facts, &mut unmet);
        }
        Refusal::unless_met(unmet)?;
        Ok(events)
    }

    fn correct_attainment(&self, attainment: Vec<Judged>, reason: String, asked: &Asked) -> Result<Vec<SessionEvent>, Refusal> {
        let mut unmet = Vec::new();
        self.unless_judgeable(&attainment, &mut unmet);
        let told = |line: &Judged| self.judgement(line.person, line.module).map(|judged| judged.told);
        let restated: Vec<_> = attainment.iter().map(told).collect();
        let held = self.attainment.values().flat_map(BTreeMap::values).map(|judged| judged.told);
        unless_wholly_corrected(&restated, held, asked, &mut unmet);
        Refusal::unless_met(unmet)?;
        let told_wrongly = |line: &&Judged| self.judgement(line.person, line.module).is_none_or(|judged| judged.result != line.result);
        let about = attainment.iter().find(told_wrongly).or(attainment.first()).map(|line| line.person);
        Ok(vec![SessionEvent::AttainmentRecorded { attainment, provisional: false, reason: Some(because_of(about, reason)) }])
    }
}

/// A reason about the first learner of whom something else is told now.
fn because_of(learner: Option<PersonId>, reason: String) -> PersonalText {
    Personal::new(learner.unwrap_or_default(), Class::Narrative, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::testing::{Tried as _, at, id};
    use crate::session::world::{
        AFTER, CANDIDATE, DURING, HOLD, LAW, LEARNER, agreed, all_attained, all_there, boss, candidate, correcting, done, facts, mentor,
        minutes,
    };
    use crate::session::{AttainmentResult, Owner, Responsibility, SessionCommand};

    fn correct(record: Record) -> SessionCommand {
        SessionCommand::Correct { record, reason: "Taken from the wrong sheet.".to_owned() }
    }

    /// The attendance of twelve, the first of whom was there for so long.
    fn there(first: u32) -> Vec<Attended> {
        let mut all = all_there(12);
        all[0].minutes = first;
        all[1].minutes = first;
        all
    }

    fn judged(first: AttainmentResult) -> Vec<Judged> {
        let mut all = all_attained(12);
        all[0].result = first;
        all[1].result = first;
        all
    }

    /// Told during and after the day, which is over. In these tests all facts have the same id.
    fn completed() -> Session {
        let mut session = agreed();
        session.happens(SessionCommand::RecordAttendance { attendance: all_there(12) }, &candidate(DURING), &facts());
        session.happens(SessionCommand::RecordAttainment { attainment: all_attained(12) }, &candidate(AFTER), &facts());
        session.happens(SessionCommand::Countersign, &mentor(AFTER), &facts());
        session.happens(done(), &mentor(AFTER), &facts());
        session
    }

    #[test]
    fn a_completed_session_is_corrected_by_its_mentor_or_the_providers_administrator() {
        let mut session = completed();
        let attendance = || correct(Record::Attendance(there(45)));
        let again = SessionCommand::RecordAttendance { attendance: there(45) };
        assert_eq!(session.refused(again, &correcting(mentor(DURING), 0), &facts()), ["not_in_state"]);
        assert_eq!(session.refused(attendance(), &correcting(candidate(DURING), 0), &facts()), ["not_permitted"]);
        session.happens(attendance(), &correcting(mentor(DURING), 0), &facts());
        assert_eq!(session.minutes(id(LEARNER), id(LAW)).map(|(minutes, _)| *minutes), Some(45));
        session.happens(correct(Record::Attendance(there(30))), &correcting(boss(DURING), 0), &facts());
        assert_eq!(agreed().refused(attendance(), &correcting(mentor(DURING), 0), &facts()), ["not_in_state"], "not completed yet");
    }

    #[test]
    fn a_correction_names_what_it_supersedes_and_restates_all_of_it() {
        let session = completed();
        let attendance = || correct(Record::Attendance(there(45)));
        assert_eq!(session.refused(attendance(), &mentor(DURING), &facts()), ["supersede_only"]);
        assert_eq!(session.refused(attendance(), &correcting(mentor(DURING), 7), &facts()), ["supersede_only"]);
        assert_eq!(session.refused(attendance(), &correcting(mentor(AFTER), 0), &facts()), ["supersede_only"], "it keeps its time");
        let part = correct(Record::Attendance(there(45)[..1].to_vec()));
        assert_eq!(session.refused(part, &correcting(mentor(DURING), 0), &facts()), ["supersede_only"]);
        let part = correct(Record::Attainment(judged(AttainmentResult::NotYet)[1..].to_vec()));
        assert_eq!(session.refused(part, &correcting(mentor(AFTER), 0), &facts()), ["supersede_only"]);
    }

    #[test]
    fn nothing_new_is_told_by_a_correction() {
        let mut few = agreed();
        few.happens(SessionCommand::RecordAttendance { attendance: all_there(11) }, &mentor(DURING), &facts());
        few.happens(done(), &mentor(AFTER), &facts());
        let more = correct(Record::Attendance(all_there(12)));
        assert_eq!(few.refused(more, &correcting(mentor(DURING), 0), &facts()), ["supersede_only"], "nobody had told of the twelfth");
        let stranger = correct(Record::Attendance(all_there(13)));
        assert!(few.refused(stranger, &correcting(mentor(DURING), 0), &facts()).contains(&"unknown_reference".to_owned()));
        let judged = correct(Record::Attainment(all_attained(1)));
        assert_eq!(few.refused(judged, &correcting(mentor(AFTER), 0), &facts()), ["supersede_only"], "nobody had judged them");
    }

    #[test]
    fn whoever_attained_something_was_there_so_that_is_corrected_first() {
        let mut session = completed();
        let absent = || correct(Record::Attendance(there(0)));
        assert_eq!(session.refused(absent(), &correcting(boss(DURING), 0), &facts()), ["not_in_state"; 2]);
        session.happens(correct(Record::Attainment(judged(AttainmentResult::NotJudged))), &correcting(boss(AFTER), 0), &facts());
        session.happens(absent(), &correcting(boss(DURING), 0), &facts());
        assert_eq!(session.attending().len(), 11);
        let attained = correct(Record::Attainment(all_attained(12)));
        assert_eq!(session.refused(attained, &correcting(boss(AFTER), 0), &facts()), ["not_in_state"; 2], "nor does it come back");
    }

    #[test]
    fn a_corrected_judgement_is_its_correctors_own() {
        let mut session = completed();
        let events =
            session.happens(correct(Record::Attainment(judged(AttainmentResult::NotYet))), &correcting(mentor(AFTER), 0), &facts());
        assert!(matches!(&events[..], [SessionEvent::AttainmentRecorded { provisional: false, reason: Some(_), .. }]), "{events:?}");
        let held = session.judgement(id(LEARNER), id(HOLD)).expect("a judgement");
        assert_eq!((held.result, held.by, held.provisional), (AttainmentResult::NotYet, mentor(AFTER).by.person(), false));
    }

    #[test]
    fn a_group_that_turns_out_larger_is_held_to_the_ratios_again() {
        let mut session = agreed();
        session.happens(SessionCommand::RecordAttendance { attendance: there(0) }, &mentor(DURING), &facts());
        session.happens(done(), &mentor(AFTER), &facts());
        let mut strict = facts();
        strict.organisation.policy.0.push((crate::organisation::PolicyName::CohortMax, at(DURING).date(), 11));
        let all = || correct(Record::Attendance(all_there(12)));
        assert_eq!(session.refused(all(), &correcting(mentor(DURING), 0), &strict), ["cohort_too_large"]);
        session.happens(all(), &correcting(mentor(DURING), 0), &facts());
        session.happens(correct(Record::Attendance(there(30))), &correcting(mentor(DURING), 0), &strict);
        let nobody = all_there(12).into_iter().map(|line| Attended { minutes: 0, ..line }).collect();
        assert_eq!(session.refused(correct(Record::Attendance(nobody)), &correcting(mentor(DURING), 0), &facts()), ["not_in_state"]);
    }

    #[test]
    fn what_a_session_came_to_is_corrected_as_it_was_told() {
        let mut session = completed();
        let owners = vec![Owner { responsibility: Responsibility::Timing, owner: id(CANDIDATE) }];
        let record = Record::Completion { owners, modules: vec![minutes(HOLD, 80)] };
        let events = session.happens(correct(record), &correcting(mentor(AFTER), 0), &facts());
        let [SessionEvent::SessionCompleted { owners, modules, reason: Some(_) }] = &events[..] else { panic!("{events:?}") };
        assert_eq!((owners[0].owner, owners.len(), modules[1].minutes), (id(CANDIDATE), 7, 80));
        let long = Record::Completion { owners: Vec::new(), modules: vec![minutes(HOLD, 800)] };
        assert_eq!(session.refused(correct(long), &correcting(mentor(AFTER), 0), &facts()), ["invalid"]);
    }
}
