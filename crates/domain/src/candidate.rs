//! A candidate: one person's enrolment in one programme, and the record of how
//! they grow into a trainer. It holds who mentors and assesses them and when,
//! what they learnt, showed and handed in, what was decided on it and by whom,
//! and what they asked for. Gates are judged here, candidate by candidate.
//!
//! Read in this order: [`command`](self::CandidateCommand) is what may be
//! asked, [`event`](self::CandidateEvent) what can have happened, `action` who
//! may do it; then this file; the rules stand in `assignment`, `gate`,
//! `judging` and `support`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use lastresort_fact::{
    Asked, AssessmentId, CandidateId, Class, Decides, EvidenceId, Instant, ModuleId, ObservationId, PersonId, Personal, PersonalText,
    ProgrammeId, Refusal, RemedialRequestId, RequiredActionId, Stamp, Unmet,
};
use serde::{Deserialize, Serialize};

use crate::correction::{Told, no_correction};
use crate::guard::{Action as _, Guarded, unless};
use crate::organisation::Organisation;
use crate::programme::Programme;
use crate::stage::Stage;

mod action;
mod assignment;
mod command;
mod event;
mod gate;
mod judging;
mod support;
#[cfg(test)]
mod world;

pub use action::CandidateAction;
pub use assignment::Assignment;
pub use command::{Assess, Assign, CandidateCommand, Observe, SubmitEvidence};
pub use event::{CandidateEvent, Capacity, CriterionResult, Decision, EvidenceKind, Met, ObservationKind, SupervisionLevel};
pub use judging::{Assessed, Observed, Submitted};
pub use support::{Remedial, RequiredAction};

/// What a decision on a candidate rests on.
#[derive(Clone, Debug, Default)]
pub struct CandidateFacts {
    /// The organisation: its calendar and its policy.
    pub organisation: Organisation,
    /// The candidate's programme; the one named where somebody is nominated.
    pub programme: Programme,
    /// The candidate is employed today; whoever is named where somebody is nominated.
    pub employed: bool,
    /// Whoever asks, today.
    pub asker: Asker,
    /// Whom an assignment names.
    pub named: Named,
    /// The session that an observation names is in this ledger, and of no other programme.
    pub session_known: bool,
}

/// What is known of whoever asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// They are employed here.
    pub employed: bool,
    /// The provider's word lets them act as mentor or assessor.
    pub eligible: bool,
}

/// What is known of somebody who is to mentor or assess, on the first day of
/// it. Whether they hold a grant is not asked: without one they do nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// They are registered in this ledger.
    pub known: bool,
    /// The provider's word lets them act.
    pub eligible: bool,
}

/// What a candidate remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Candidate {
    /// Who is a candidate of what, once nominated.
    pub nominated: Option<Nominated>,
    /// When they were enrolled.
    pub enrolled_at: Option<Instant>,
    /// How it ended and when, once it did.
    pub ended: Option<(Ended, Instant)>,
    /// Mentors, in the order assigned.
    pub mentors: Vec<Assignment>,
    /// Assessors, in the order assigned.
    pub assessors: Vec<Assignment>,
    /// How far they are in each module of the pre-load.
    pub pre_load: BTreeMap<ModuleId, (u8, Told)>,
    /// The stages they entered, and when.
    pub entered: BTreeMap<Stage, Instant>,
    /// The minutes they were there, by stage and day.
    pub attended: BTreeMap<Stage, BTreeMap<NaiveDate, (u32, Told)>>,
    /// The modules they deliver in the projects week.
    pub allotted: BTreeSet<ModuleId>,
    /// What was seen of them.
    pub observations: BTreeMap<ObservationId, Observed>,
    /// What was handed in.
    pub evidence: BTreeMap<EvidenceId, Submitted>,
    /// What was decided.
    pub assessments: BTreeMap<AssessmentId, Assessed>,
    /// What they asked for.
    pub remedial: BTreeMap<RemedialRequestId, Remedial>,
    /// What was demanded.
    pub actions: BTreeMap<RequiredActionId, RequiredAction>,
}

/// A nomination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nominated {
    /// The candidate's id.
    pub candidate: CandidateId,
    /// Who.
    pub person: PersonId,
    /// For which programme.
    pub programme: ProgrammeId,
    /// When.
    pub at: Instant,
}

/// How an enrolment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// Completed.
    Completed,
    /// Withdrawn.
    Withdrawn,
}

impl Candidate {
    /// Who the candidate is, once nominated.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        self.nominated.map(|nominated| nominated.person)
    }

    /// Their programme.
    fn of(&self) -> ProgrammeId {
        self.nominated.map(|nominated| nominated.programme).unwrap_or_default()
    }

    /// A text about the candidate, on its way into a fact.
    fn narrative(&self, text: String) -> PersonalText {
        Personal::new(self.person().unwrap_or_default(), Class::Narrative, text)
    }

    /// What stands against anything that asks for a running enrolment, and tells of a time within it (rule 4).
    fn running(&self, asked: &Asked, unmet: &mut Vec<Unmet>) {
        self.not_ended(asked, unmet);
        if self.nominated.is_some() && self.ended.is_none() {
            unless(self.enrolled_at.is_some(), unmet, "not_in_state", "The candidate is nominated and not yet enrolled.");
        }
        let in_time = self.enrolled_at.is_none_or(|at| at <= asked.occurred_at);
        unless(in_time, unmet, "late_entry", "The candidate was enrolled later than that.");
    }

    /// A leaver goes no further (rule 23).
    fn unless_gone(&self, facts: &CandidateFacts, unmet: &mut Vec<Unmet>) {
        let employed = facts.employed || self.nominated.is_none();
        unless(employed, unmet, "not_employed", "The candidate is not employed here today.");
    }

    fn not_ended(&self, asked: &Asked, unmet: &mut Vec<Unmet>) {
        unless(self.nominated.is_some(), unmet, "not_in_state", "Nobody has been nominated here.");
        let in_time = self.nominated.is_none_or(|nominated| nominated.at <= asked.occurred_at);
        unless(in_time, unmet, "late_entry", "The candidate was nominated later than that.");
        match self.ended {
            None => {}
            Some((Ended::Completed, _)) => unmet.push(Unmet::new("not_in_state", "The candidate has completed the programme.")),
            Some((Ended::Withdrawn, _)) => unmet.push(Unmet::new("not_in_state", "The candidate was withdrawn.")),
        }
    }

    fn nominate(
        id: CandidateId,
        person: PersonId,
        programme: ProgrammeId,
        asked: &Asked,
        facts: &CandidateFacts,
    ) -> Result<Vec<CandidateEvent>, Refusal> {
        let mut unmet = Vec::new();
        unless(asked.by.person() != Some(person), &mut unmet, "not_permitted", "Nobody nominates themselves.");
        if !facts.employed {
            unmet.push(Unmet::new("not_employed", "This person is not employed here today.").at("/person"));
        }
        if facts.programme.id != Some(programme) {
            unmet.push(Unmet::new("unknown_reference", "There is no such programme in this organisation.").at("/programme"));
        } else if facts.programme.completed {
            unmet.push(Unmet::new("not_in_state", "The programme is completed.").at("/programme"));
        }
        Refusal::unless_met(unmet)?;
        Ok(vec![CandidateEvent::CandidateNominated { candidate: id, person, programme }])
    }
}

impl Guarded for Candidate {
    type Action = CandidateAction;

    fn actions(&self) -> Vec<CandidateAction> {
        let mut actions =
            vec![CandidateAction::Enrol, CandidateAction::AssignMentor, CandidateAction::AssignAssessor, CandidateAction::RecordPreLoad];
        actions.extend(self.next_stage().map(CandidateAction::EnterStage));
        actions.extend([
            CandidateAction::RecordAttendance,
            CandidateAction::AllotModules,
            CandidateAction::Observe,
            CandidateAction::SubmitEvidence,
        ]);
        actions.extend([CandidateAction::Assess, CandidateAction::DemandAction]);
        actions.extend(self.open_actions().map(CandidateAction::SettleAction));
        actions.push(CandidateAction::RequestRemedial);
        actions.extend(self.open_requests().map(CandidateAction::CoverRemedial));
        actions.extend([CandidateAction::Complete, CandidateAction::Withdraw]);
        actions
    }

    fn programme(&self, facts: &CandidateFacts) -> Option<ProgrammeId> {
        self.nominated.map(|nominated| nominated.programme).or(facts.programme.id)
    }

    fn unmet(&self, action: CandidateAction, asked: &Asked, facts: &CandidateFacts) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        if action.roles().contains(&asked.role) {
            self.unless_theirs(action, asked, facts, &mut unmet);
        }
        let own = asked.by.person().is_some() && asked.by.person() == self.person();
        unless(!(own && action.judges()), &mut unmet, "self_assessment", "Nobody judges themselves.");
        match action {
            CandidateAction::Nominate => {
                unless(self.nominated.is_none(), &mut unmet, "already_done", "This candidate was nominated already.");
            }
            CandidateAction::Enrol => {
                self.not_ended(asked, &mut unmet);
                unless(self.enrolled_at.is_none(), &mut unmet, "already_done", "The candidate is enrolled already.");
                self.unless_gone(facts, &mut unmet);
            }
            CandidateAction::Withdraw => self.not_ended(asked, &mut unmet),
            CandidateAction::AssignMentor
            | CandidateAction::AssignAssessor
            | CandidateAction::Observe
            | CandidateAction::SubmitEvidence
            | CandidateAction::Assess
            | CandidateAction::DemandAction
            | CandidateAction::RequestRemedial => self.running(asked, &mut unmet),
            CandidateAction::RecordPreLoad | CandidateAction::RecordAttendance | CandidateAction::AllotModules => {
                self.running(asked, &mut unmet);
                self.unless_due(action, asked, facts, &mut unmet);
            }
            CandidateAction::EnterStage(stage) => {
                self.running(asked, &mut unmet);
                self.unless_gone(facts, &mut unmet);
                unmet.extend(self.gate(stage, facts, asked.occurred_at));
            }
            CandidateAction::SettleAction(action) => {
                self.running(asked, &mut unmet);
                self.unless_open(action, asked, &mut unmet);
            }
            CandidateAction::CoverRemedial(request) => {
                self.running(asked, &mut unmet);
                self.unless_asked(request, asked, &mut unmet);
            }
            CandidateAction::Complete => {
                self.running(asked, &mut unmet);
                self.unless_gone(facts, &mut unmet);
                self.unless_complete(asked, &mut unmet);
            }
        }
        unmet
    }
}

impl Decides for Candidate {
    const TYPE: &'static str = "candidate";
    type Command = CandidateCommand;
    type Event = CandidateEvent;
    type Facts = CandidateFacts;

    fn decide(&self, command: CandidateCommand, asked: &Asked, facts: &CandidateFacts) -> Result<Vec<CandidateEvent>, Refusal> {
        self.permit(command.action(), asked, facts)?;
        if !command.may_correct() {
            no_correction(asked)?;
        }
        match command {
            CandidateCommand::Nominate { id, person, programme } => Self::nominate(id, person, programme, asked, facts),
            CandidateCommand::Enrol => Ok(vec![CandidateEvent::CandidateEnrolled { programme: self.of() }]),
            CandidateCommand::AssignMentor(told) => self.assign_mentor(told, asked, facts),
            CandidateCommand::AssignAssessor(told) => self.assign_assessor(told, asked, facts),
            CandidateCommand::RecordPreLoad { module, percent } => self.progress(module, percent, asked, facts),
            CandidateCommand::EnterStage { stage } => Ok(vec![CandidateEvent::StageEntered { stage }]),
            CandidateCommand::RecordAttendance { stage, on, minutes } => self.attend(stage, on, minutes, asked, facts),
            CandidateCommand::AllotModules { modules } => self.allot(modules, facts),
            CandidateCommand::Observe(told) => self.observe(told, asked, facts),
            CandidateCommand::SubmitEvidence(told) => self.submit(told, asked, facts),
            CandidateCommand::Assess(told) => self.assess(told, asked, facts),
            CandidateCommand::DemandAction { action, competency, what } => self.demand(action, competency, what, facts),
            CandidateCommand::SettleAction { action } => Ok(vec![CandidateEvent::ActionSettled { action }]),
            CandidateCommand::RequestRemedial { request, topic, competencies, rank } => {
                self.request(request, topic, competencies, rank, facts)
            }
            CandidateCommand::CoverRemedial { request, covered, carries_over } => Ok(vec![self.cover(request, covered, carries_over)]),
            CandidateCommand::Complete => Ok(vec![CandidateEvent::CandidateCompleted { programme: self.of() }]),
            CandidateCommand::Withdraw { reason } => Ok(vec![CandidateEvent::CandidateWithdrawn { reason: self.narrative(reason) }]),
        }
    }
    fn apply(&mut self, event: &CandidateEvent, stamp: &Stamp) {
        match event {
            CandidateEvent::CandidateNominated { candidate, person, programme } => {
                let at = stamp.occurred_at;
                self.nominated = Some(Nominated { candidate: *candidate, person: *person, programme: *programme, at });
            }
            CandidateEvent::CandidateEnrolled { .. } => self.enrolled_at = Some(stamp.occurred_at),
            CandidateEvent::MentorAssigned { person, from_on, to_on } => {
                self.mentors.push(Assignment { person: *person, from_on: *from_on, to_on: *to_on });
            }
            CandidateEvent::AssessorAssigned { person, from_on, to_on, .. } => {
                self.assessors.push(Assignment { person: *person, from_on: *from_on, to_on: *to_on });
            }
            CandidateEvent::PreLoadProgressed { module, percent } => self.progressed(*module, *percent, stamp),
            CandidateEvent::StageEntered { stage } => {
                self.entered.insert(*stage, stamp.occurred_at);
            }
            CandidateEvent::StageAttended { stage, on, minutes } => {
                self.attended.entry(*stage).or_default().insert(*on, (*minutes, Told::by(stamp)));
            }
            CandidateEvent::ModulesAllotted { modules } => self.allotted = modules.iter().copied().collect(),
            CandidateEvent::ObservationRecorded { observation, competency, kind, capacity, .. } => {
                let seen = Observed { by: stamp.by, competency: *competency, kind: *kind, capacity: *capacity, told: Told::by(stamp) };
                self.observations.insert(*observation, seen);
            }
            CandidateEvent::EvidenceSubmitted { evidence, competencies, .. } => {
                self.evidence.insert(*evidence, Submitted { competencies: competencies.clone(), told: Told::by(stamp) });
            }
            CandidateEvent::CompetencyAssessed { assessment, competency, module, decision, .. } => {
                let decided =
                    Assessed { by: stamp.by, competency: *competency, module: *module, decision: *decision, at: stamp.occurred_at };
                self.assessments.insert(*assessment, decided);
            }
            CandidateEvent::ActionRequired { action, competency, .. } => {
                let (at, recorded_at) = (stamp.occurred_at, stamp.recorded_at);
                self.actions.insert(*action, RequiredAction { competency: *competency, at, recorded_at, settled: false });
            }
            CandidateEvent::ActionSettled { action } => {
                if let Some(demanded) = self.actions.get_mut(action) {
                    demanded.settled = true;
                }
            }
            CandidateEvent::RemedialRequested { request, rank, .. } => {
                self.remedial.insert(*request, Remedial { rank: *rank, at: stamp.occurred_at, covered: None });
            }
            CandidateEvent::RemedialCovered { request, .. } => self.ended_with(*request, true),
            CandidateEvent::RemedialNotCovered { request, .. } => self.ended_with(*request, false),
            CandidateEvent::CandidateCompleted { .. } => self.ended = Some((Ended::Completed, stamp.occurred_at)),
            CandidateEvent::CandidateWithdrawn { .. } => self.ended = Some((Ended::Withdrawn, stamp.occurred_at)),
        }
    }
}
