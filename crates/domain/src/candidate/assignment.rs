//! Who mentors and assesses a candidate, and when. Rights follow the assignment
//! and its dates (rule 22); whether the provider's word lets somebody act is
//! asked when they are assigned and again on the day. Persons are compared,
//! never logins or grants (rule 10).

use chrono::NaiveDate;
use lastresort_fact::{Asked, PersonId, Refusal, Role, Unmet};
use serde::{Deserialize, Serialize};

use super::{Assign, Candidate, CandidateAction, CandidateEvent, CandidateFacts};
use crate::guard::unless;

/// Somebody assigned to a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Who.
    pub person: PersonId,
    /// The first day.
    pub from_on: NaiveDate,
    /// The last day, where one is known.
    pub to_on: Option<NaiveDate>,
}

impl Assignment {
    /// Whether it holds on a day.
    #[must_use]
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.from_on <= day && self.to_on.is_none_or(|to| day <= to)
    }
}

impl Candidate {
    /// The mentor on a day: of those whose dates cover it, the one assigned last.
    #[must_use]
    pub fn mentor_on(&self, day: NaiveDate) -> Option<PersonId> {
        self.mentors.iter().rev().find(|mentor| mentor.covers(day)).map(|mentor| mentor.person)
    }

    /// Whether somebody assesses the candidate on a day: by the dates last told of them.
    #[must_use]
    pub fn assessed_by(&self, person: PersonId, day: NaiveDate) -> bool {
        self.assessors.iter().rev().find(|assessor| assessor.person == person).is_some_and(|assessor| assessor.covers(day))
    }

    /// What stands against somebody who acts as the candidate, their mentor or their assessor.
    pub(super) fn unless_theirs(&self, action: CandidateAction, asked: &Asked, facts: &CandidateFacts, unmet: &mut Vec<Unmet>) {
        let (today, then) = (facts.organisation.day(asked.at), facts.organisation.day(asked.occurred_at));
        let by = asked.by.person();
        // What was seen before one was assigned is told as a witness.
        let seen = action == CandidateAction::Observe;
        if asked.role == Role::Candidate {
            let own = by.is_some() && by == self.person();
            unless(own, unmet, "not_permitted", "Only the candidate does this, for themselves.");
            unless(facts.asker.employed || !own, unmet, "not_permitted", "You are not employed here today.");
        } else if asked.role == Role::Mentor {
            let assigned = by.is_some() && by == self.mentor_on(today);
            unless(assigned, unmet, "not_permitted", "You are not this candidate's mentor today.");
            let in_time = seen || by == self.mentor_on(then);
            unless(!assigned || in_time, unmet, "late_entry", "You were not this candidate's mentor at that time.");
            unless(facts.asker.eligible || !assigned, unmet, "not_permitted", NOT_ELIGIBLE_TODAY);
        } else if asked.role == Role::Assessor {
            let assigned = by.is_some_and(|person| self.assessed_by(person, today));
            unless(assigned, unmet, "not_permitted", "You are not assigned to assess this candidate today.");
            let in_time = seen || by.is_some_and(|person| self.assessed_by(person, then));
            unless(!assigned || in_time, unmet, "late_entry", "You were not assigned to assess this candidate at that time.");
            unless(facts.asker.eligible || !assigned, unmet, "not_permitted", NOT_ELIGIBLE_TODAY);
        }
    }

    pub(super) fn assign_mentor(&self, told: Assign, asked: &Asked, facts: &CandidateFacts) -> Result<Vec<CandidateEvent>, Refusal> {
        self.may_be_assigned(told, asked, facts)?;
        let Assign { person, from_on, to_on } = told;
        Ok(vec![CandidateEvent::MentorAssigned { person, from_on, to_on }])
    }

    pub(super) fn assign_assessor(&self, told: Assign, asked: &Asked, facts: &CandidateFacts) -> Result<Vec<CandidateEvent>, Refusal> {
        self.may_be_assigned(told, asked, facts)?;
        let Assign { person, from_on, to_on } = told;
        let independent = self.mentors.iter().all(|mentor| mentor.person != person);
        Ok(vec![CandidateEvent::AssessorAssigned { person, from_on, to_on, independent }])
    }

    fn may_be_assigned(&self, told: Assign, asked: &Asked, facts: &CandidateFacts) -> Result<(), Refusal> {
        let mut unmet = Vec::new();
        let mut against = |code: &str, detail: &str, pointer: &str| unmet.push(Unmet::new(code, detail).at(pointer));
        if Some(told.person) == self.person() {
            against("self_assessment", "Nobody mentors or assesses themselves.", "/person");
        }
        if !facts.named.known {
            against("unknown_reference", "There is no such person in this organisation.", "/person");
        } else if !facts.named.eligible {
            against("not_in_state", "The provider's word does not let this person act on that day.", "/person");
        }
        if told.to_on.is_some_and(|to| to < told.from_on) {
            against("invalid", "The last day lies before the first.", "/to_on");
        }
        if told.from_on < facts.organisation.day(asked.at) {
            against("late_entry", "An assignment begins today or later, never in the past.", "/from_on");
        }
        Refusal::unless_met(unmet)
    }
}

const NOT_ELIGIBLE_TODAY: &str = "The provider's word does not let you act as mentor or assessor today.";

#[cfg(test)]
mod tests {
    use lastresort_fact::Role;

    use super::*;
    use crate::candidate::world::{
        ASSESSOR, BOSS, CANDIDATE, LAW, MENTOR, OTHER_MENTOR, as_assessor, as_candidate, as_mentor, assessing, enrolled, facts,
        having_entered, mentoring, seen, undecided,
    };
    use crate::candidate::{Asker, CandidateCommand, Named};
    use crate::guard::testing::{Tried as _, asked_by, at, day, id};
    use crate::stage::Stage;

    fn admin() -> Asked {
        asked_by(BOSS, Role::ProviderAdmin, at("2021-01-04T10:00:00Z"))
    }

    fn assign(person: u128, from_on: &str) -> Assign {
        Assign { person: id(person), from_on: day(from_on), to_on: None }
    }

    #[test]
    fn the_mentor_of_a_day_is_the_one_assigned_last() {
        let mut candidate = enrolled();
        candidate.happens(CandidateCommand::AssignMentor(assign(MENTOR, "2021-01-04")), &admin(), &facts());
        let cover = Assign { to_on: Some(day("2021-01-12")), ..assign(OTHER_MENTOR, "2021-01-11") };
        candidate.happens(CandidateCommand::AssignMentor(cover), &admin(), &facts());
        let mentor = |on| candidate.mentor_on(day(on));
        assert_eq!(mentor("2021-01-03"), None);
        assert_eq!(mentor("2021-01-10"), Some(id(MENTOR)));
        assert_eq!(mentor("2021-01-12"), Some(id(OTHER_MENTOR)));
        assert_eq!(mentor("2021-01-13"), Some(id(MENTOR)));
    }

    #[test]
    fn an_assignment_names_an_eligible_other_from_today_on() {
        let candidate = enrolled();
        let refused = |told, named| candidate.refused(CandidateCommand::AssignMentor(told), &admin(), &CandidateFacts { named, ..facts() });
        let known = Named { known: true, eligible: true };
        assert_eq!(refused(assign(CANDIDATE, "2021-01-04"), known), ["self_assessment"]);
        assert_eq!(refused(assign(MENTOR, "2021-01-03"), known), ["late_entry"]);
        assert_eq!(refused(assign(MENTOR, "2021-01-04"), Named::default()), ["unknown_reference"]);
        let suspended = Named { eligible: false, ..known };
        assert_eq!(refused(assign(MENTOR, "2021-01-04"), suspended), ["not_in_state"]);
        let backwards = Assign { to_on: Some(day("2021-01-03")), ..assign(MENTOR, "2021-01-04") };
        assert_eq!(refused(backwards, known), ["invalid"]);
    }

    #[test]
    fn an_assessor_who_was_never_the_mentor_is_independent() {
        let mut candidate = mentoring();
        let independent = |events: Vec<CandidateEvent>| matches!(events[..], [CandidateEvent::AssessorAssigned { independent: true, .. }]);
        assert!(independent(candidate.happens(CandidateCommand::AssignAssessor(assign(ASSESSOR, "2021-01-04")), &admin(), &facts())));
        assert!(!independent(candidate.happens(CandidateCommand::AssignAssessor(assign(MENTOR, "2021-01-04")), &admin(), &facts())));
    }

    #[test]
    fn the_dates_last_told_of_an_assessor_hold() {
        let mut candidate = assessing();
        assert!(candidate.assessed_by(id(ASSESSOR), day("2021-02-01")));
        let ended = Assign { to_on: Some(day("2021-01-05")), ..assign(ASSESSOR, "2021-01-04") };
        candidate.happens(CandidateCommand::AssignAssessor(ended), &admin(), &facts());
        assert!(!candidate.assessed_by(id(ASSESSOR), day("2021-02-01")));
    }

    #[test]
    fn nothing_is_told_of_a_time_before_the_assignment() {
        let mut candidate = enrolled();
        candidate.happens(CandidateCommand::AssignMentor(assign(MENTOR, "2021-01-04")), &admin(), &facts());
        candidate.happens(CandidateCommand::AssignAssessor(assign(ASSESSOR, "2021-01-04")), &admin(), &facts());
        let told = |asked: Asked| Asked { occurred_at: at("2021-01-03T10:00:00Z"), ..asked };
        let allot = CandidateCommand::AllotModules { modules: vec![id(LAW)] };
        assert_eq!(candidate.refused(allot, &told(as_mentor()), &facts()), ["late_entry"]);
        let assessor = as_assessor("2021-01-04T10:00:00Z");
        assert_eq!(candidate.refused(CandidateCommand::Assess(undecided()), &told(assessor), &facts()), ["late_entry"]);
        let backdated = Asked { at: at("2021-01-05T10:00:00Z"), ..admin() };
        assert_eq!(candidate.refused(CandidateCommand::AssignMentor(assign(MENTOR, "2021-01-04")), &backdated, &facts()), ["late_entry"]);
    }

    #[test]
    fn a_leavers_authority_ends_at_once() {
        let candidate = assessing();
        let ask = CandidateCommand::RequestRemedial { request: id(1), topic: "More.".to_owned(), competencies: Vec::new(), rank: 1 };
        let left = CandidateFacts { employed: false, asker: Asker::default(), ..facts() };
        assert_eq!(candidate.refused(ask, &as_candidate("2021-01-04T10:00:00Z"), &left), ["not_permitted"]);
        let enter = CandidateCommand::EnterStage { stage: Stage::PreLoad };
        assert_eq!(candidate.refused(enter, &admin(), &left), ["not_employed"]);
        let end = having_entered(Stage::RemedialWorkshop);
        assert_eq!(end.refused(CandidateCommand::Complete, &admin(), &left), ["not_employed"]);
        assert_eq!(candidate.refused(CandidateCommand::Observe(seen(1)), &as_mentor(), &left), ["not_permitted"]);
    }

    #[test]
    fn rights_follow_the_assignment_and_the_providers_word() {
        let candidate = mentoring();
        let allot = || CandidateCommand::AllotModules { modules: Vec::new() };
        let other = asked_by(OTHER_MENTOR, Role::Mentor, at("2021-01-04T10:00:00Z"));
        assert_eq!(candidate.refused(allot(), &other, &facts()), ["not_permitted"]);
        assert_eq!(candidate.refused(CandidateCommand::Observe(seen(1)), &other, &facts()), ["not_permitted"], "nor as a witness");
        let suspended = CandidateFacts { asker: Asker::default(), ..facts() };
        assert_eq!(candidate.refused(allot(), &as_mentor(), &suspended), ["not_permitted"]);
    }
}
