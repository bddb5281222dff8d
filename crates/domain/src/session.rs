//! A session: one delivery – a course day, a day that candidate and mentor
//! teach together, a workshop – from its plan to what its learners attained.
//! It answers who taught whom what on which day, which is what is asked when
//! somebody was restrained.
//!
//! Read in this order: [`command`](self::SessionCommand) is what may be asked
//! and by whom, [`event`](self::SessionEvent) what can have happened; then this
//! file; the rules stand in `staffing`, `responsibility`, `learning` and
//! `correcting`.

use std::collections::{BTreeMap, BTreeSet};

use lastresort_fact::{
    Asked, Class, Decides, Instant, ModuleId, PersonId, Personal, PersonalText, ProgrammeId, Refusal, Role, SessionId, Stamp, Unmet,
};
use serde::{Deserialize, Serialize};

use crate::candidate::{self, Candidate};
use crate::correction::{Told, no_correction};
use crate::guard::{Action as _, Guarded, unless};
use crate::organisation::Organisation;
use crate::programme::Programme;

mod command;
mod correcting;
mod event;
mod learning;
mod responsibility;
mod staffing;
#[cfg(test)]
mod world;

pub use command::{Plan, Record, SessionAction, SessionCommand};
pub use event::{
    AttainmentResult, Attended, Judged, LearnerModule, LowRisk, ModuleMinutes, Owner, Responsibility, SessionEvent, SessionKind, Trainer,
    TrainerPart,
};
pub use learning::Judgement;
pub use responsibility::Owned;

/// What a decision on a session rests on.
#[derive(Clone, Debug, Default)]
pub struct SessionFacts {
    /// The organisation: its calendar, its units and its policy.
    pub organisation: Organisation,
    /// The programme it belongs to; the one named where it is planned.
    pub programme: Option<Programme>,
    /// Whoever asks, teaches or is to learn, as far as this ledger knows them: as they were on the day of the session.
    pub people: BTreeMap<PersonId, Known>,
    /// Whoever asks, today.
    pub asker: Known,
}

/// What is known of somebody on a day: for the most part, that of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// They are employed here.
    pub employed: bool,
    /// The provider's word lets them act as mentor or assessor.
    pub eligible: bool,
    /// Where they stand in the session's programme.
    pub candidate: CandidateStanding,
}

impl Known {
    /// They may act here by their part in something: employed here, or by the provider's word (rule 23).
    #[must_use]
    pub const fn present(self) -> bool {
        self.employed || self.eligible
    }
}

/// Where somebody stands as a candidate of a programme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CandidateStanding {
    /// They are none, or no longer.
    #[default]
    None,
    /// They are enrolled.
    Enrolled,
    /// They have completed it.
    Completed,
}

impl CandidateStanding {
    /// Where a candidate stood at an instant; of days to come, where they stand by now.
    #[must_use]
    pub fn at(candidate: &Candidate, at: Instant) -> Self {
        match candidate.ended.filter(|(_, ended_at)| *ended_at <= at) {
            Some((candidate::Ended::Completed, _)) => Self::Completed,
            None if candidate.enrolled_at.is_some_and(|enrolled_at| enrolled_at <= at) => Self::Enrolled,
            Some((candidate::Ended::Withdrawn, _)) | None => Self::None,
        }
    }
}

/// What a session remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Session {
    /// Its id, once planned.
    pub id: Option<SessionId>,
    /// The plan.
    pub planned: Option<Planned>,
    /// Who answers for what.
    pub owned: BTreeMap<Responsibility, Owned>,
    /// The learners.
    pub roster: BTreeSet<PersonId>,
    /// The minutes each learner attended of each module.
    pub attendance: BTreeMap<PersonId, BTreeMap<ModuleId, (u32, Told)>>,
    /// What each learner attained in each module.
    pub attainment: BTreeMap<PersonId, BTreeMap<ModuleId, Judgement>>,
    /// How it ended, once it did.
    pub ended: Option<Ended>,
    /// Of what time plan and responsibilities were told last.
    pub arranged_at: Option<Instant>,
    /// Of what time attainment was told last.
    pub judged_at: Option<Instant>,
}

/// A plan, as far as decisions rest on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The programme it belongs to.
    pub programme: Option<ProgrammeId>,
    /// What it is.
    pub kind: SessionKind,
    /// Its modules.
    pub modules: Vec<ModuleMinutes>,
    /// When it begins.
    pub starts_at: Instant,
    /// When it ends.
    pub ends_at: Instant,
    /// Who teaches.
    pub trainers: Vec<Trainer>,
    /// How many learners it has places for.
    pub learners_max: u32,
    /// Physical skills are taught in it.
    pub physical: bool,
    /// The risk assessment, where one was made.
    pub low_risk: Option<LowRisk>,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// It was held, as this fact says.
    Completed(Told),
    /// It was cancelled.
    Cancelled,
}

impl Planned {
    /// How long it is, in minutes: nothing in it takes longer.
    fn span(&self) -> i64 {
        (self.ends_at.micros() - self.starts_at.micros()) / 60_000_000
    }
}

impl From<&Plan> for Planned {
    fn from(told: &Plan) -> Self {
        Self {
            programme: told.programme,
            kind: told.kind,
            modules: told.modules.clone(),
            starts_at: told.starts_at,
            ends_at: told.ends_at,
            trainers: told.trainers.clone(),
            learners_max: told.learners_max,
            physical: told.physical,
            low_risk: told.low_risk,
        }
    }
}

impl Session {
    /// What it is, once planned.
    #[must_use]
    pub fn kind(&self) -> Option<SessionKind> {
        self.planned.as_ref().map(|planned| planned.kind)
    }

    /// What somebody is in it.
    #[must_use]
    pub fn part_of(&self, person: Option<PersonId>) -> Option<TrainerPart> {
        let planned = self.planned.as_ref()?;
        planned.trainers.iter().find(|trainer| Some(trainer.person) == person).map(|trainer| trainer.part)
    }

    fn running(&self, unmet: &mut Vec<Unmet>) {
        unless(self.planned.is_some(), unmet, "not_in_state", "Nothing has been planned here.");
        match self.ended {
            None => {}
            Some(Ended::Completed(_)) => unmet.push(Unmet::new("not_in_state", "The session was completed.")),
            Some(Ended::Cancelled) => unmet.push(Unmet::new("not_in_state", "The session was cancelled.")),
        }
    }

    fn shared(&self, unmet: &mut Vec<Unmet>) {
        let shared = self.kind().is_none_or(|kind| kind == SessionKind::CoDelivery);
        unless(shared, unmet, "not_in_state", "Responsibilities are divided in co-delivery only.");
    }

    /// Rules 22 and 23: what stands against somebody whose rights follow from their part in the session, and end when they leave.
    fn unless_theirs(&self, action: SessionAction, asked: &Asked, facts: &SessionFacts, unmet: &mut Vec<Unmet>) {
        use TrainerPart::{Candidate, Lead, Mentor, Second};
        let part = self.part_of(asked.by.person());
        let (parts, detail): (&[TrainerPart], _) = match (asked.role, action) {
            (_, SessionAction::Plan) => return,
            (Role::Mentor, SessionAction::Agree | SessionAction::Change | SessionAction::Countersign) => {
                (&[Mentor], "Only a mentor of this session does this.")
            }
            (Role::Mentor, SessionAction::Complete | SessionAction::Correct) => {
                (&[Lead, Mentor], "Only the lead or a mentor of this session does this.")
            }
            (Role::Mentor, _) => (&[Lead, Second, Mentor], "Only those who teach in this session do this."),
            (Role::Candidate, SessionAction::Complete | SessionAction::Cancel) => (&[Lead], "Only the lead of this session does this."),
            (Role::Candidate, SessionAction::Agree) => (&[Candidate], "Only a candidate of this session does this."),
            (Role::Candidate, _) => (&[Lead, Second, Candidate], "Only those who teach in this session do this."),
            _ => return,
        };
        let theirs = part.is_some_and(|part| parts.contains(&part));
        unless(theirs, unmet, "not_permitted", detail);
        let detail = "You are not employed here today, nor does the provider's word let you act.";
        unless(facts.asker.present() || !theirs, unmet, "not_permitted", detail);
        if action == SessionAction::RecordAttainment && part == Some(Candidate) {
            let owner = self.owned.get(&Responsibility::AssessingAttainment).map(|owned| owned.owner);
            let owns = owner.is_some() && owner == asked.by.person() && self.stands(Responsibility::AssessingAttainment);
            unless(owns, unmet, "not_permitted", "Assessing attainment is not agreed to be yours in this session.");
        }
    }

    fn complete(&self, owners: &[Owner], modules: &[ModuleMinutes], reason: Option<PersonalText>) -> Result<Vec<SessionEvent>, Refusal> {
        let mut unmet = Vec::new();
        let owners = self.actual_owners(owners, &mut unmet);
        let modules = self.actual_minutes(modules, &mut unmet);
        Refusal::unless_met(unmet)?;
        Ok(vec![SessionEvent::SessionCompleted { owners, modules, reason }])
    }

    /// A reason about the session as a whole: about whoever answers for it.
    fn because(&self, reason: String) -> PersonalText {
        let trainers = self.planned.iter().flat_map(|planned| &planned.trainers);
        let about = trainers.min_by_key(|trainer| !matches!(trainer.part, TrainerPart::Lead | TrainerPart::Mentor));
        Personal::new(about.map_or_else(PersonId::default, |trainer| trainer.person), Class::Narrative, reason)
    }

    fn unless_complete(&self, asked: &Asked, facts: &SessionFacts, unmet: &mut Vec<Unmet>) {
        let Some(planned) = &self.planned else { return };
        unless(planned.ends_at <= asked.occurred_at, unmet, "not_in_state", "The session has not ended yet.");
        planned.unless_left(facts, unmet);
        let learners = self.attending().len();
        let needed = planned.kind != SessionKind::Workshop;
        unless(learners > 0 || !needed, unmet, "not_in_state", "No attendance is recorded.");
        if learners > 0 {
            planned.unless_staffed(u32::try_from(learners).unwrap_or(u32::MAX), facts, unmet);
        }
        self.unless_owned(unmet);
        self.unless_countersigned(unmet);
    }
}

impl Guarded for Session {
    type Action = SessionAction;

    fn actions(&self) -> Vec<SessionAction> {
        let shared = [SessionAction::Propose, SessionAction::Agree, SessionAction::Change, SessionAction::Countersign];
        let listed = |action: &SessionAction| {
            *action != SessionAction::Plan && (self.kind() == Some(SessionKind::CoDelivery) || !shared.contains(action))
        };
        SessionAction::ALL.iter().copied().filter(listed).collect()
    }

    fn programme(&self, facts: &SessionFacts) -> Option<ProgrammeId> {
        staffing::programme(self.planned.as_ref(), facts)
    }

    fn unmet(&self, action: SessionAction, asked: &Asked, facts: &SessionFacts) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        if action.roles().contains(&asked.role) {
            self.unless_theirs(action, asked, facts, &mut unmet);
        }
        if action != SessionAction::Plan && action != SessionAction::Correct {
            self.running(&mut unmet);
            self.unless_earlier(action, asked, &mut unmet);
        }
        match action {
            SessionAction::Plan => {
                unless(self.planned.is_none(), &mut unmet, "already_done", "This session was planned already.");
                staffing::unless_may_plan(asked, facts, &mut unmet);
            }
            SessionAction::Propose => {
                self.shared(&mut unmet);
                self.unless_beforehand(asked, &mut unmet);
            }
            SessionAction::Agree => {
                self.shared(&mut unmet);
                self.unless_beforehand(asked, &mut unmet);
                self.unless_to_be_agreed(asked, &mut unmet);
            }
            SessionAction::Change => self.shared(&mut unmet),
            SessionAction::ChangeTrainers => {}
            SessionAction::SetRoster => self.unless_teachable(facts, &mut unmet),
            SessionAction::RecordAttendance => {
                self.unless_expected(&mut unmet);
                self.unless_begun(asked.occurred_at, &mut unmet);
            }
            SessionAction::RecordAttainment => {
                self.unless_attended(&mut unmet);
                self.unless_begun(asked.occurred_at, &mut unmet);
            }
            SessionAction::Countersign => {
                self.shared(&mut unmet);
                unless(self.provisional().next().is_some(), &mut unmet, "not_in_state", "Nothing waits for the mentor.");
            }
            SessionAction::Complete => self.unless_complete(asked, facts, &mut unmet),
            SessionAction::Cancel => {
                unless(self.attending().is_empty(), &mut unmet, "not_in_state", "Attendance is recorded, so the session was held.");
            }
            SessionAction::Correct => self.unless_completed(&mut unmet),
        }
        unmet
    }
}

impl Decides for Session {
    const TYPE: &'static str = "session";
    type Command = SessionCommand;
    type Event = SessionEvent;
    type Facts = SessionFacts;

    fn decide(&self, command: SessionCommand, asked: &Asked, facts: &SessionFacts) -> Result<Vec<SessionEvent>, Refusal> {
        self.permit(command.action(), asked, facts)?;
        if !matches!(command.action(), SessionAction::RecordAttendance | SessionAction::Correct) {
            no_correction(asked)?;
        }
        match command {
            SessionCommand::Plan(told) => staffing::plan(told, asked, facts),
            SessionCommand::Propose { owners } => self.propose(&owners, asked),
            SessionCommand::Agree { owners } => self.agree(&owners, asked),
            SessionCommand::Change { responsibility, owner, reason } => self.change(responsibility, owner, reason, asked),
            SessionCommand::ChangeTrainers { trainers, reason } => self.change_trainers(trainers, reason, facts),
            SessionCommand::SetRoster { learners } => self.set_roster(learners, facts),
            SessionCommand::RecordAttendance { attendance } => self.record_attendance(attendance, None, asked),
            SessionCommand::RecordAttainment { attainment } => self.judge(attainment, asked),
            SessionCommand::Countersign => Ok(vec![SessionEvent::AttainmentCountersigned { attainment: self.provisional().collect() }]),
            SessionCommand::Complete { owners, modules } => self.complete(&owners, &modules, None),
            SessionCommand::Cancel { reason } => Ok(vec![SessionEvent::SessionCancelled { reason: self.because(reason) }]),
            SessionCommand::Correct { record, reason } => self.correct(record, reason, asked, facts),
        }
    }

    fn apply(&mut self, event: &SessionEvent, stamp: &Stamp) {
        match event {
            SessionEvent::SessionPlanned {
                session,
                programme,
                kind,
                modules,
                starts_at,
                ends_at,
                trainers,
                learners_max,
                physical,
                low_risk,
                ..
            } => {
                self.arranged(stamp);
                self.id = Some(*session);
                self.planned = Some(Planned {
                    programme: *programme,
                    kind: *kind,
                    modules: modules.clone(),
                    starts_at: *starts_at,
                    ends_at: *ends_at,
                    trainers: trainers.clone(),
                    learners_max: *learners_max,
                    physical: *physical,
                    low_risk: *low_risk,
                });
            }
            SessionEvent::ResponsibilityProposed { responsibility, owner } => self.proposed(*responsibility, *owner, stamp),
            SessionEvent::ResponsibilityAgreed { responsibility, .. } => self.agreed(*responsibility, stamp),
            SessionEvent::ResponsibilityChanged { responsibility, owner, .. } => self.changed(*responsibility, *owner, stamp),
            SessionEvent::SessionTrainersChanged { trainers, .. } => {
                self.arranged(stamp);
                if let Some(planned) = &mut self.planned {
                    planned.trainers.clone_from(trainers);
                }
            }
            SessionEvent::RosterSet { learners } => self.roster = learners.iter().copied().collect(),
            SessionEvent::AttendanceRecorded { attendance, .. } => self.attended(attendance, Told::by(stamp)),
            SessionEvent::AttainmentRecorded { attainment, provisional, .. } => self.judged(attainment, *provisional, stamp),
            SessionEvent::AttainmentCountersigned { attainment } => self.countersigned(attainment),
            SessionEvent::SessionCompleted { .. } => self.ended = Some(Ended::Completed(Told::by(stamp))),
            SessionEvent::SessionCancelled { .. } => self.ended = Some(Ended::Cancelled),
        }
    }
}
