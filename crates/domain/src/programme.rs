//! A programme: six stages by which a client's own people become trainers. It
//! lives in the client's ledger and pins what it rests on – a version of the
//! needs analysis, one of the client's policy, and one of the provider's
//! curriculum copied by value – so that every candidate ends on what they began with.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use lastresort_fact::{
    Asked, CompetencyId, Decides, Instant, ModuleId, ProgrammeId, Refusal, Role, StageId, Stamp, Unmet, happenings, plain,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::correction::no_correction;
pub use crate::curriculum::{Competency as PinnedCompetency, Criterion, Module as PinnedModule, ModuleKind, Strand};
use crate::guard::{Action, Guarded, unless};
use crate::needs_analysis::NeedsAnalysis;
use crate::organisation::{Organisation, OrganisationKind};
use crate::stage::Stage;

pub use self::plan::{CurriculumPin, NeedsAnalysisPin, Plan};

mod order;
mod plan;
#[cfg(test)]
mod tests;

/// How far a stage has come. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// It has dates.
    Scheduled,
    /// It was put off, and has later dates.
    Deferred,
    /// It runs.
    Started,
    /// It is over.
    Completed,
}

plain!(StageState);

/// What may be asked of a programme.
#[derive(Clone, Debug)]
pub enum ProgrammeCommand {
    /// Plan it, and pin what it rests on.
    Plan(Plan),
    /// Give a stage its dates.
    ScheduleStage {
        /// Which stage.
        stage: Stage,
        /// The id of this occurrence, new.
        id: StageId,
        /// The first day it may be started.
        opens_on: NaiveDate,
        /// The day it is meant to end.
        closes_on: NaiveDate,
    },
    /// Start a stage.
    StartStage(Stage),
    /// Complete a stage.
    CompleteStage(Stage),
    /// Put a stage off that has not started.
    DeferStage {
        /// Which stage.
        stage: Stage,
        /// Why; names nobody.
        reason: String,
        /// The first day it may be started now.
        opens_on: NaiveDate,
        /// The day it is meant to end now.
        closes_on: NaiveDate,
    },
    /// Complete the programme.
    Complete,
}

happenings! {
    /// What can have happened to a programme.
    pub enum ProgrammeEvent {
        /// It was planned; what it copied of the curriculum follows, piece by piece.
        ProgrammePlanned {
            /// Its id.
            programme: ProgrammeId,
            /// Its title.
            title: String,
            /// The needs analysis it rests on.
            needs_analysis: NeedsAnalysisPin,
            /// The curriculum it rests on.
            curriculum: CurriculumPin,
            /// The version of the organisation's policy it rests on: how many settings had been told by then.
            policy_version: Option<u32>,
        },
        /// A competency of the pinned curriculum was copied.
        CompetencyPinned {
            /// The competency.
            competency: PinnedCompetency,
        },
        /// A module of the pinned curriculum was copied.
        ModulePinned {
            /// The module.
            module: PinnedModule,
        },
        /// A stage got its dates.
        StageScheduled {
            /// This occurrence of the stage.
            occurrence: StageId,
            /// Which stage.
            stage: Stage,
            /// The first day it may be started.
            opens_on: NaiveDate,
            /// The day it is meant to end.
            closes_on: NaiveDate,
        },
        /// A stage was started.
        StageStarted {
            /// This occurrence of the stage.
            occurrence: StageId,
            /// Which stage.
            stage: Stage,
        },
        /// A stage was completed.
        StageCompleted {
            /// This occurrence of the stage.
            occurrence: StageId,
            /// Which stage.
            stage: Stage,
        },
        /// A stage was put off.
        StageDeferred {
            /// This occurrence of the stage.
            occurrence: StageId,
            /// Which stage.
            stage: Stage,
            /// Why.
            reason: String,
            /// The first day it may be started now.
            opens_on: NaiveDate,
            /// The day it is meant to end now.
            closes_on: NaiveDate,
        },
        /// It was completed.
        ProgrammeCompleted {
            /// Its id.
            programme: ProgrammeId,
        },
    }
}

/// What may be done to a programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgrammeAction {
    /// Plan it.
    Plan,
    /// Give a stage its dates.
    ScheduleStage(Stage),
    /// Start a stage.
    StartStage(Stage),
    /// Complete a stage.
    CompleteStage(Stage),
    /// Put a stage off.
    DeferStage(Stage),
    /// Complete the programme.
    Complete,
}

impl Action for ProgrammeAction {
    fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::ScheduleStage(_) => "schedule_stage",
            Self::StartStage(_) => "start_stage",
            Self::CompleteStage(_) => "complete_stage",
            Self::DeferStage(_) => "defer_stage",
            Self::Complete => "complete",
        }
    }

    fn roles(self) -> &'static [Role] {
        &[Role::ProviderAdmin]
    }

    fn part(self) -> Option<(&'static str, String)> {
        match self {
            Self::ScheduleStage(stage) | Self::StartStage(stage) | Self::CompleteStage(stage) | Self::DeferStage(stage) => {
                Some(("stage", stage.name().to_owned()))
            }
            Self::Plan | Self::Complete => None,
        }
    }
}

/// What a decision on a programme rests on.
#[derive(Clone, Debug, Default)]
pub struct ProgrammeFacts {
    /// The organisation whose ledger it is.
    pub organisation: Organisation,
    /// The needs analysis it pins or is about to pin, where there is such a one.
    pub needs_analysis: Option<NeedsAnalysis>,
}

/// A stage as it stands in a programme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageOccurrence {
    /// Its id; a repeat would have another.
    pub id: StageId,
    /// How far it has come.
    pub state: StageState,
    /// The first day it may be started.
    pub opens_on: NaiveDate,
    /// The day it is meant to end.
    pub closes_on: NaiveDate,
    /// When these dates were told.
    pub dated_at: Instant,
    /// When it was started.
    pub started_at: Option<Instant>,
    /// When it was completed.
    pub completed_at: Option<Instant>,
}

/// What a programme remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Programme {
    /// Its id, once planned.
    pub id: Option<ProgrammeId>,
    /// The needs analysis it pinned.
    pub needs_analysis: Option<NeedsAnalysisPin>,
    /// The curriculum it pinned.
    pub curriculum: Option<CurriculumPin>,
    /// The version of the organisation's policy it pinned.
    pub policy_version: Option<u32>,
    /// The modules it copied.
    pub modules: BTreeMap<ModuleId, PinnedModule>,
    /// The competencies it copied.
    pub competencies: BTreeMap<CompetencyId, PinnedCompetency>,
    /// Its stages that have dates.
    pub stages: BTreeMap<Stage, StageOccurrence>,
    /// It is over.
    pub completed: bool,
}

impl Programme {
    /// Whether a stage has begun, and perhaps ended.
    #[must_use]
    pub fn has_started(&self, stage: Stage) -> bool {
        self.stages.get(&stage).is_some_and(|occurrence| occurrence.state >= StageState::Started)
    }

    /// Whether a stage runs at the moment.
    #[must_use]
    pub fn is_open(&self, stage: Stage) -> bool {
        self.stages.get(&stage).is_some_and(|occurrence| occurrence.state == StageState::Started)
    }
}

impl ProgrammeCommand {
    const fn action(&self) -> ProgrammeAction {
        match self {
            Self::Plan(_) => ProgrammeAction::Plan,
            Self::ScheduleStage { stage, .. } => ProgrammeAction::ScheduleStage(*stage),
            Self::StartStage(stage) => ProgrammeAction::StartStage(*stage),
            Self::CompleteStage(stage) => ProgrammeAction::CompleteStage(*stage),
            Self::DeferStage { stage, .. } => ProgrammeAction::DeferStage(*stage),
            Self::Complete => ProgrammeAction::Complete,
        }
    }
}

impl Guarded for Programme {
    type Action = ProgrammeAction;

    fn actions(&self) -> Vec<ProgrammeAction> {
        let of_stage = |stage| {
            [
                ProgrammeAction::ScheduleStage(stage),
                ProgrammeAction::StartStage(stage),
                ProgrammeAction::CompleteStage(stage),
                ProgrammeAction::DeferStage(stage),
            ]
        };
        Stage::ALL.into_iter().flat_map(of_stage).chain([ProgrammeAction::Complete]).collect()
    }

    fn programme(&self, _: &ProgrammeFacts) -> Option<ProgrammeId> {
        self.id
    }

    fn unmet(&self, action: ProgrammeAction, asked: &Asked, facts: &ProgrammeFacts) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        if action == ProgrammeAction::Plan {
            unless(self.id.is_none(), &mut unmet, "already_done", "This programme was planned already.");
            let client = facts.organisation.kind == OrganisationKind::Client;
            unless(client, &mut unmet, "not_in_state", "A programme lives in the ledger of the client whose people it develops.");
            return unmet;
        }
        unless(self.id.is_some(), &mut unmet, "not_in_state", "There is no such programme.");
        unless(!self.completed, &mut unmet, "already_done", "The programme is completed.");
        match action {
            ProgrammeAction::Plan => {}
            ProgrammeAction::ScheduleStage(stage) => self.unschedulable(stage, &mut unmet),
            ProgrammeAction::StartStage(stage) => self.unstartable(stage, asked, facts, &mut unmet),
            ProgrammeAction::CompleteStage(stage) => self.uncompletable(stage, asked, &mut unmet),
            ProgrammeAction::DeferStage(stage) => self.undeferrable(stage, asked, &mut unmet),
            ProgrammeAction::Complete => self.unfinished(asked, &mut unmet),
        }
        unmet
    }
}

impl Decides for Programme {
    const TYPE: &'static str = "programme";
    type Command = ProgrammeCommand;
    type Event = ProgrammeEvent;
    type Facts = ProgrammeFacts;

    fn decide(&self, command: ProgrammeCommand, asked: &Asked, facts: &ProgrammeFacts) -> Result<Vec<ProgrammeEvent>, Refusal> {
        no_correction(asked)?;
        let mut unmet = self.foretold(command.action(), asked, facts);
        let occurrence = |stage| self.stages.get(&stage).map(|found| found.id).unwrap_or_default();
        match command {
            ProgrammeCommand::Plan(plan) => {
                self.misplanned(&plan, facts, &mut unmet);
                Refusal::unless_met(unmet)?;
                Ok(plan.happens(facts.organisation.policy.version()))
            }
            ProgrammeCommand::ScheduleStage { stage, id, opens_on, closes_on } => {
                self.misfits(stage, opens_on, closes_on, &mut unmet);
                Refusal::unless_met(unmet)?;
                Ok(vec![ProgrammeEvent::StageScheduled { occurrence: id, stage, opens_on, closes_on }])
            }
            ProgrammeCommand::StartStage(stage) => {
                Refusal::unless_met(unmet)?;
                Ok(vec![ProgrammeEvent::StageStarted { occurrence: occurrence(stage), stage }])
            }
            ProgrammeCommand::CompleteStage(stage) => {
                Refusal::unless_met(unmet)?;
                Ok(vec![ProgrammeEvent::StageCompleted { occurrence: occurrence(stage), stage }])
            }
            ProgrammeCommand::DeferStage { stage, reason, opens_on, closes_on } => {
                self.misfits(stage, opens_on, closes_on, &mut unmet);
                self.not_later(stage, opens_on, &mut unmet);
                Refusal::unless_met(unmet)?;
                Ok(vec![ProgrammeEvent::StageDeferred { occurrence: occurrence(stage), stage, reason, opens_on, closes_on }])
            }
            ProgrammeCommand::Complete => {
                Refusal::unless_met(unmet)?;
                Ok(vec![ProgrammeEvent::ProgrammeCompleted { programme: self.id.unwrap_or_default() }])
            }
        }
    }

    fn apply(&mut self, event: &ProgrammeEvent, stamp: &Stamp) {
        match event {
            ProgrammeEvent::ProgrammePlanned { programme, needs_analysis, curriculum, policy_version, .. } => {
                self.id = Some(*programme);
                self.needs_analysis = Some(*needs_analysis);
                self.curriculum = Some(*curriculum);
                self.policy_version = *policy_version;
            }
            ProgrammeEvent::CompetencyPinned { competency } => {
                self.competencies.insert(competency.id, competency.clone());
            }
            ProgrammeEvent::ModulePinned { module } => {
                self.modules.insert(module.id, module.clone());
            }
            ProgrammeEvent::StageScheduled { occurrence, stage, opens_on, closes_on } => {
                self.stages.insert(*stage, StageOccurrence::scheduled(*occurrence, *opens_on, *closes_on, stamp.occurred_at));
            }
            ProgrammeEvent::StageStarted { stage, .. } => {
                if let Some(occurrence) = self.stages.get_mut(stage) {
                    occurrence.state = StageState::Started;
                    occurrence.started_at = Some(stamp.occurred_at);
                }
            }
            ProgrammeEvent::StageCompleted { stage, .. } => {
                if let Some(occurrence) = self.stages.get_mut(stage) {
                    occurrence.state = StageState::Completed;
                    occurrence.completed_at = Some(stamp.occurred_at);
                }
            }
            ProgrammeEvent::StageDeferred { stage, opens_on, closes_on, .. } => {
                if let Some(occurrence) = self.stages.get_mut(stage) {
                    occurrence.state = StageState::Deferred;
                    occurrence.opens_on = *opens_on;
                    occurrence.closes_on = *closes_on;
                    occurrence.dated_at = stamp.occurred_at;
                }
            }
            ProgrammeEvent::ProgrammeCompleted { .. } => self.completed = true,
        }
    }
}

impl StageOccurrence {
    const fn scheduled(id: StageId, opens_on: NaiveDate, closes_on: NaiveDate, dated_at: Instant) -> Self {
        Self { id, state: StageState::Scheduled, opens_on, closes_on, dated_at, started_at: None, completed_at: None }
    }
}
