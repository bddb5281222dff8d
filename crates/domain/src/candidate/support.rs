//! What a candidate asks for and what is demanded of them: two things. A
//! remedial request never counts against anybody and blocks nothing; it ends
//! covered or not, before the programme does. Only a required action blocks
//! (rule 13).

use lastresort_fact::{Asked, CompetencyId, Instant, Refusal, RemedialRequestId, RequiredActionId, Unmet};
use serde::{Deserialize, Serialize};

use super::judging::{known_competencies, known_competency};
use super::{Candidate, CandidateEvent, CandidateFacts};
use crate::guard::unless;
use crate::stage::Stage;

/// A remedial request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedial {
    /// How urgent it is: 1 comes first.
    pub rank: u32,
    /// When it was made.
    pub at: Instant,
    /// Whether it was covered, once that is said.
    pub covered: Option<bool>,
}

/// A required action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequiredAction {
    /// About which competency.
    pub competency: CompetencyId,
    /// When it was demanded.
    pub at: Instant,
    /// When that was recorded: nobody can have answered it before.
    pub recorded_at: Instant,
    /// It was done.
    pub settled: bool,
}

impl Candidate {
    /// Requests of which nobody has said yet what became of them, the most urgent first.
    pub fn open_requests(&self) -> impl Iterator<Item = RemedialRequestId> + '_ {
        let mut open: Vec<_> =
            self.remedial.iter().filter(|(_, request)| request.covered.is_none()).map(|(id, request)| (request.rank, *id)).collect();
        open.sort_unstable();
        open.into_iter().map(|(_, id)| id)
    }

    /// Demands that are not settled.
    pub fn open_actions(&self) -> impl Iterator<Item = RequiredActionId> + '_ {
        self.actions.iter().filter(|(_, demand)| !demand.settled).map(|(id, _)| *id)
    }

    pub(super) fn unless_open(&self, action: RequiredActionId, asked: &Asked, unmet: &mut Vec<Unmet>) {
        match self.actions.get(&action) {
            None => unmet.push(Unmet::new("unknown_reference", "Nothing of this id was demanded of this candidate.")),
            Some(demand) => {
                unless(!demand.settled, unmet, "already_done", "What was demanded is settled already.");
                unless(demand.at <= asked.occurred_at, unmet, "late_entry", "This was demanded later than that.");
            }
        }
    }

    pub(super) fn unless_asked(&self, request: RemedialRequestId, asked: &Asked, unmet: &mut Vec<Unmet>) {
        match self.remedial.get(&request) {
            None => unmet.push(Unmet::new("unknown_reference", "The candidate made no request of this id.")),
            Some(held) => {
                unless(held.covered.is_none(), unmet, "already_done", "It is said already what became of this request.");
                unless(held.at <= asked.occurred_at, unmet, "late_entry", "This was asked for later than that.");
            }
        }
    }

    pub(super) fn unless_complete(&self, asked: &Asked, unmet: &mut Vec<Unmet>) {
        for stage in Stage::ALL {
            let spoken = stage.spoken();
            match self.entered.get(&stage) {
                None => unmet.push(Unmet::new("stage_gate_unmet", format!("The candidate has not entered the {spoken}."))),
                Some(at) if *at > asked.occurred_at => {
                    unmet.push(Unmet::new("late_entry", format!("The candidate entered the {spoken} later than that.")));
                }
                Some(_) => {}
            }
        }
        for request in self.open_requests() {
            unmet.push(Unmet::new("not_in_state", format!("Nobody has said yet what became of the remedial request {request}.")));
        }
        for action in self.open_actions() {
            unmet.push(Unmet::new("not_in_state", format!("The required action {action} is not settled.")));
        }
    }

    pub(super) fn demand(
        &self,
        action: RequiredActionId,
        competency: CompetencyId,
        what: String,
        facts: &CandidateFacts,
    ) -> Result<Vec<CandidateEvent>, Refusal> {
        let mut unmet = Vec::new();
        unless(!self.actions.contains_key(&action), &mut unmet, "already_done", "This action was demanded already.");
        known_competency(competency, facts, "/competency", &mut unmet);
        Refusal::unless_met(unmet)?;
        Ok(vec![CandidateEvent::ActionRequired { action, competency, what: self.narrative(what) }])
    }

    pub(super) fn request(
        &self,
        request: RemedialRequestId,
        topic: String,
        competencies: Vec<CompetencyId>,
        rank: u32,
        facts: &CandidateFacts,
    ) -> Result<Vec<CandidateEvent>, Refusal> {
        let mut unmet = Vec::new();
        unless(!self.remedial.contains_key(&request), &mut unmet, "already_done", "This request was made already.");
        known_competencies(&competencies, facts, &mut unmet);
        if rank == 0 {
            unmet.push(Unmet::new("invalid", "Ranks begin at 1.").at("/rank"));
        }
        Refusal::unless_met(unmet)?;
        Ok(vec![CandidateEvent::RemedialRequested { request, topic: self.narrative(topic), competencies, rank }])
    }

    pub(super) fn cover(&self, request: RemedialRequestId, covered: bool, carries_over: Option<String>) -> CandidateEvent {
        let carries_over = carries_over.map(|text| self.narrative(text));
        if covered {
            CandidateEvent::RemedialCovered { request, carries_over }
        } else {
            CandidateEvent::RemedialNotCovered { request, carries_over }
        }
    }

    pub(super) fn ended_with(&mut self, request: RemedialRequestId, covered: bool) {
        if let Some(held) = self.remedial.get_mut(&request) {
            held.covered = Some(covered);
        }
    }
}

#[cfg(test)]
mod tests {
    use lastresort_fact::Role;

    use super::*;
    use crate::candidate::world::{BOSS, LISTENS, MENTOR, TEACHES, as_assessor, as_candidate, facts, having_entered};
    use crate::candidate::{CandidateAction, CandidateCommand};
    use crate::guard::Guarded as _;
    use crate::guard::testing::{Tried as _, asked_by, at, id};

    const NOON: &str = "2021-03-24T12:00:00Z";

    fn mentor() -> Asked {
        asked_by(MENTOR, Role::Mentor, at("2021-03-24T16:00:00Z"))
    }

    fn ask(number: u128, rank: u32) -> CandidateCommand {
        CandidateCommand::RequestRemedial {
            request: id(number),
            topic: "The law on holding.".to_owned(),
            competencies: vec![id(LISTENS)],
            rank,
        }
    }

    fn cover(number: u128, covered: bool) -> CandidateCommand {
        CandidateCommand::CoverRemedial { request: id(number), covered, carries_over: None }
    }

    #[test]
    fn a_request_is_made_once_ranked_and_ends_covered_or_not() {
        let mut candidate = having_entered(Stage::RemedialWorkshop);
        let own = as_candidate(NOON);
        assert_eq!(candidate.refused(ask(1, 0), &own, &facts()), ["invalid"]);
        candidate.happens(ask(1, 2), &own, &facts());
        candidate.happens(ask(2, 1), &own, &facts());
        assert_eq!(candidate.refused(ask(1, 1), &own, &facts()), ["already_done"]);
        assert_eq!(candidate.open_requests().collect::<Vec<_>>(), [id(2), id(1)], "the most urgent first");
        candidate.happens(cover(1, false), &mentor(), &facts());
        assert_eq!(candidate.refused(cover(1, true), &mentor(), &facts()), ["already_done"]);
        assert_eq!(candidate.refused(cover(9, true), &mentor(), &facts()), ["unknown_reference"]);
        assert_eq!(candidate.refused(ask(3, 1), &mentor(), &facts()), ["not_permitted"]);
    }

    #[test]
    fn a_request_stands_in_the_way_of_no_stage_and_no_decision() {
        let before = having_entered(Stage::TransferWeek);
        let mut after = before.clone();
        after.happens(ask(1, 1), &as_candidate(NOON), &facts());
        for action in before.actions().into_iter().filter(|action| *action != CandidateAction::Complete) {
            for asked in [mentor(), as_assessor(NOON), as_candidate(NOON)] {
                assert_eq!(before.foretold(action, &asked, &facts()), after.foretold(action, &asked, &facts()), "{action:?}");
            }
        }
    }

    #[test]
    fn a_programme_is_completed_once_all_is_entered_ended_and_settled() {
        let admin = asked_by(BOSS, Role::ProviderAdmin, at("2021-03-31T12:00:00Z"));
        let early = having_entered(Stage::CoDeliveryWeek);
        assert_eq!(early.refused(CandidateCommand::Complete, &admin, &facts()), ["stage_gate_unmet"]);
        let mut candidate = having_entered(Stage::RemedialWorkshop);
        candidate.happens(ask(1, 1), &as_candidate(NOON), &facts());
        let demand =
            |number| CandidateCommand::DemandAction { action: id(number), competency: id(TEACHES), what: "Plan it again.".to_owned() };
        candidate.happens(demand(1), &as_assessor(NOON), &facts());
        assert_eq!(candidate.refused(demand(1), &as_assessor(NOON), &facts()), ["already_done"]);
        assert_eq!(candidate.refused(CandidateCommand::Complete, &admin, &facts()), ["not_in_state", "not_in_state"]);
        candidate.happens(cover(1, true), &mentor(), &facts());
        let settle = |number| CandidateCommand::SettleAction { action: id(number) };
        candidate.happens(settle(1), &as_assessor(NOON), &facts());
        assert_eq!(candidate.refused(settle(1), &as_assessor(NOON), &facts()), ["already_done"]);
        assert_eq!(candidate.refused(settle(2), &as_assessor(NOON), &facts()), ["unknown_reference"]);
        candidate.happens(CandidateCommand::Complete, &admin, &facts());
        assert_eq!(candidate.refused(CandidateCommand::Complete, &admin, &facts()), ["not_in_state"]);
    }
}
