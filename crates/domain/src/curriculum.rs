//! A curriculum: what a provider teaches, module by module, and what it asks
//! of a trainer, competency by competency. It lives in the provider's ledger
//! and is worked on as a draft; publishing freezes the draft as a version, and
//! programmes copy a version by value, so that nothing they rest on can move.

mod content;

use lastresort_fact::{Asked, CurriculumId, Decides, Instant, Refusal, Stamp, Unmet, happenings};
use serde::{Deserialize, Serialize};

pub use self::content::{Competency, Content, Criterion, Module, ModuleKind, Strand};
use crate::correction::no_correction;
use crate::guard::{Guarded, actions, unless};
use crate::organisation::OrganisationKind;

/// What may be asked of a curriculum.
#[derive(Clone, Debug)]
pub enum CurriculumCommand {
    /// Begin one.
    Draft {
        /// Its id.
        id: CurriculumId,
        /// Its title.
        title: String,
    },
    /// Add a competency to the draft.
    AddCompetency(Competency),
    /// State a competency of the draft anew.
    ReviseCompetency(Competency),
    /// Add a module to the draft.
    AddModule(Module),
    /// State a module of the draft anew.
    ReviseModule(Module),
    /// Freeze the draft as the next version.
    Publish,
}

happenings! {
    /// What can have happened to a curriculum.
    pub enum CurriculumEvent {
        /// It was begun.
        CurriculumDrafted {
            /// Its id.
            curriculum: CurriculumId,
            /// Its title.
            title: String,
        },
        /// A competency was added to the draft.
        CompetencyAdded {
            /// The competency.
            competency: Competency,
        },
        /// A competency was stated anew in the draft; versions keep what they were published with.
        CompetencyRevised {
            /// The competency.
            competency: Competency,
        },
        /// A module was added to the draft.
        ModuleAdded {
            /// The module.
            module: Module,
        },
        /// A module was stated anew in the draft; versions keep what they were published with.
        ModuleRevised {
            /// The module.
            module: Module,
        },
        /// The draft was frozen as a version.
        CurriculumPublished {
            /// Which version, counted from 1.
            version: u32,
        },
    }
}

actions! {
    /// What may be done to a curriculum.
    pub enum CurriculumAction {
        /// Begin one.
        Draft = "draft" [ProviderAdmin],
        /// Add a competency.
        AddCompetency = "add_competency" [ProviderAdmin],
        /// Revise a competency.
        ReviseCompetency = "revise_competency" [ProviderAdmin],
        /// Add a module.
        AddModule = "add_module" [ProviderAdmin],
        /// Revise a module.
        ReviseModule = "revise_module" [ProviderAdmin],
        /// Publish the draft.
        Publish = "publish" [ProviderAdmin],
    }
}

/// What a decision on a curriculum rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CurriculumFacts {
    /// The kind of organisation whose ledger it is.
    pub kind: OrganisationKind,
}

/// What a curriculum remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Curriculum {
    /// Its id, once begun.
    pub id: Option<CurriculumId>,
    /// The draft: the latest version, and what was changed since.
    pub draft: Content,
    /// When the draft was changed or published last: what is told of it is told in order.
    changed_at: Instant,
    versions: Vec<Content>,
}

impl Curriculum {
    /// A version as published, counted from 1.
    #[must_use]
    pub fn version(&self, number: u32) -> Option<&Content> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.versions.get(index)
    }

    /// The latest version's number; 0 before the first is published.
    #[must_use]
    pub fn latest(&self) -> u32 {
        u32::try_from(self.versions.len()).unwrap_or(u32::MAX)
    }

    fn state_competency(&self, told: Competency, new: bool) -> Result<Vec<CurriculumEvent>, Refusal> {
        let held = self.draft.competencies.get(&told.id);
        let mut unmet = Vec::new();
        known(held.is_some(), new, &mut unmet);
        unmet.extend(self.draft.faults_of_competency(&told));
        Refusal::unless_met(unmet)?;
        Ok(match held {
            Some(held) if *held == told => Vec::new(),
            Some(_) => vec![CurriculumEvent::CompetencyRevised { competency: told }],
            None => vec![CurriculumEvent::CompetencyAdded { competency: told }],
        })
    }

    fn state_module(&self, told: Module, new: bool) -> Result<Vec<CurriculumEvent>, Refusal> {
        let held = self.draft.modules.get(&told.id);
        let mut unmet = Vec::new();
        known(held.is_some(), new, &mut unmet);
        unmet.extend(self.draft.faults_of_module(&told));
        Refusal::unless_met(unmet)?;
        Ok(match held {
            Some(held) if *held == told => Vec::new(),
            Some(_) => vec![CurriculumEvent::ModuleRevised { module: told }],
            None => vec![CurriculumEvent::ModuleAdded { module: told }],
        })
    }
}

/// What is added is not there yet; what is revised is.
fn known(held: bool, new: bool, unmet: &mut Vec<Unmet>) {
    match (held, new) {
        (true, true) => unmet.push(Unmet::new("already_done", "It was added already; revise it instead.").at("/id")),
        (false, false) => unmet.push(Unmet::new("unknown_reference", "There is no such thing in this curriculum to revise.").at("/id")),
        (true, false) | (false, true) => {}
    }
}

impl CurriculumCommand {
    const fn action(&self) -> CurriculumAction {
        match self {
            Self::Draft { .. } => CurriculumAction::Draft,
            Self::AddCompetency(_) => CurriculumAction::AddCompetency,
            Self::ReviseCompetency(_) => CurriculumAction::ReviseCompetency,
            Self::AddModule(_) => CurriculumAction::AddModule,
            Self::ReviseModule(_) => CurriculumAction::ReviseModule,
            Self::Publish => CurriculumAction::Publish,
        }
    }
}

impl Guarded for Curriculum {
    type Action = CurriculumAction;

    fn actions(&self) -> Vec<CurriculumAction> {
        CurriculumAction::ALL.iter().copied().filter(|action| *action != CurriculumAction::Draft).collect()
    }

    fn unmet(&self, action: CurriculumAction, asked: &Asked, facts: &CurriculumFacts) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        unless(self.changed_at <= asked.occurred_at, &mut unmet, "late_entry", "The curriculum was changed later than that.");
        match action {
            CurriculumAction::Draft => {
                unless(self.id.is_none(), &mut unmet, "already_done", "This curriculum was begun already.");
                let provider = facts.kind == OrganisationKind::Provider;
                unless(provider, &mut unmet, "not_in_state", "Only a provider has curricula; a client's programme copies one.");
            }
            CurriculumAction::AddCompetency | CurriculumAction::AddModule => {
                unless(self.id.is_some(), &mut unmet, "not_in_state", "There is no such curriculum.");
            }
            CurriculumAction::ReviseCompetency => {
                unless(!self.draft.competencies.is_empty(), &mut unmet, "not_in_state", "There is no competency to revise yet.");
            }
            CurriculumAction::ReviseModule => {
                unless(!self.draft.modules.is_empty(), &mut unmet, "not_in_state", "There is no module to revise yet.");
            }
            CurriculumAction::Publish => unmet.extend(self.draft.unpublishable(self.versions.last())),
        }
        unmet
    }
}

impl Decides for Curriculum {
    const TYPE: &'static str = "curriculum";
    type Command = CurriculumCommand;
    type Event = CurriculumEvent;
    type Facts = CurriculumFacts;

    fn decide(&self, command: CurriculumCommand, asked: &Asked, facts: &CurriculumFacts) -> Result<Vec<CurriculumEvent>, Refusal> {
        no_correction(asked)?;
        self.permit(command.action(), asked, facts)?;
        match command {
            CurriculumCommand::Draft { id, title } => Ok(vec![CurriculumEvent::CurriculumDrafted { curriculum: id, title }]),
            CurriculumCommand::AddCompetency(competency) => self.state_competency(competency, true),
            CurriculumCommand::ReviseCompetency(competency) => self.state_competency(competency, false),
            CurriculumCommand::AddModule(module) => self.state_module(module, true),
            CurriculumCommand::ReviseModule(module) => self.state_module(module, false),
            CurriculumCommand::Publish => Ok(vec![CurriculumEvent::CurriculumPublished { version: self.latest() + 1 }]),
        }
    }

    fn apply(&mut self, event: &CurriculumEvent, stamp: &Stamp) {
        self.changed_at = stamp.occurred_at;
        match event {
            CurriculumEvent::CurriculumDrafted { curriculum, .. } => self.id = Some(*curriculum),
            CurriculumEvent::CompetencyAdded { competency } | CurriculumEvent::CompetencyRevised { competency } => {
                self.draft.competencies.insert(competency.id, competency.clone());
            }
            CurriculumEvent::ModuleAdded { module } | CurriculumEvent::ModuleRevised { module } => {
                self.draft.modules.insert(module.id, module.clone());
            }
            CurriculumEvent::CurriculumPublished { .. } => self.versions.push(self.draft.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use lastresort_fact::Role;

    use super::*;
    use crate::guard::testing::{Tried, asked, foretold_is_what_happens, id};

    const PROVIDER: CurriculumFacts = CurriculumFacts { kind: OrganisationKind::Provider };

    fn competency(number: u128) -> Competency {
        let criteria = vec![Criterion { id: id(number * 10), text: "Says what the law asks before any restraint.".into() }];
        Competency { id: id(number), code: format!("C{number}"), title: "Law and last resort".into(), must_pass: true, criteria }
    }

    fn module(number: u128, competencies: &[u128]) -> Module {
        Module {
            id: id(number),
            code: format!("M{number}"),
            title: "The legal framework".into(),
            strand: Strand::NonEscalation,
            kind: ModuleKind::Knowledge,
            minutes: 90,
            pre_load: false,
            competencies: competencies.iter().map(|number| id(*number)).collect(),
        }
    }

    fn drafted() -> Curriculum {
        Curriculum::given([CurriculumEvent::CurriculumDrafted { curriculum: id(7), title: "Trainer development".into() }])
    }

    fn publishable() -> Curriculum {
        let mut curriculum = drafted();
        curriculum.happens(CurriculumCommand::AddCompetency(competency(1)), &asked(Role::ProviderAdmin), &PROVIDER);
        curriculum.happens(CurriculumCommand::AddModule(module(1, &[1])), &asked(Role::ProviderAdmin), &PROVIDER);
        curriculum
    }

    #[test]
    fn a_provider_drafts_a_curriculum_and_a_client_does_not() {
        let draft = CurriculumCommand::Draft { id: id(7), title: "Trainer development".into() };
        let by = asked(Role::ProviderAdmin);
        let happened = Curriculum::default().happens(draft.clone(), &by, &PROVIDER);
        assert_eq!(happened, [CurriculumEvent::CurriculumDrafted { curriculum: id(7), title: "Trainer development".into() }]);
        let client = CurriculumFacts { kind: OrganisationKind::Client };
        assert_eq!(Curriculum::default().refused(draft.clone(), &asked(Role::Manager), &client), ["not_permitted", "not_in_state"]);
        assert_eq!(drafted().refused(draft, &by, &PROVIDER), ["already_done"]);
    }

    #[test]
    fn a_module_refers_to_competencies_of_its_own_curriculum() {
        let refused = publishable().refused(CurriculumCommand::AddModule(module(2, &[1, 9, 1])), &asked(Role::ProviderAdmin), &PROVIDER);
        assert_eq!(refused, ["unknown_reference", "invalid"]);
    }

    #[test]
    fn what_is_added_is_new_and_what_is_revised_is_not() {
        let curriculum = publishable();
        let by = asked(Role::ProviderAdmin);
        let again = Module { minutes: 0, ..module(1, &[]) };
        assert_eq!(curriculum.refused(CurriculumCommand::AddModule(again), &by, &PROVIDER), ["already_done", "invalid"]);
        let same_code = Competency { code: "C1".into(), criteria: Vec::new(), ..competency(2) };
        let refused = curriculum.refused(CurriculumCommand::ReviseCompetency(same_code), &by, &PROVIDER);
        assert_eq!(refused, ["unknown_reference", "already_done", "invalid"]);
        let same_criterion = Competency { id: id(2), code: "C2".into(), ..competency(1) };
        assert_eq!(curriculum.refused(CurriculumCommand::AddCompetency(same_criterion), &by, &PROVIDER), ["already_done"]);
    }

    #[test]
    fn publishing_names_everything_that_is_missing() {
        let by = asked(Role::ProviderAdmin);
        assert_eq!(drafted().refused(CurriculumCommand::Publish, &by, &PROVIDER), ["not_in_state"]);
        let mut curriculum = publishable();
        for number in [2, 3] {
            curriculum.happens(CurriculumCommand::AddModule(module(number, &[])), &by, &PROVIDER);
        }
        let refusal = curriculum.decide(CurriculumCommand::Publish, &by, &PROVIDER).expect_err("two modules serve nothing");
        assert_eq!(refusal.to_string(), "Module M2 serves no competency. Module M3 serves no competency.");
    }

    #[test]
    fn what_is_told_of_a_draft_is_told_in_order() {
        let before = Asked { occurred_at: Instant::from_micros(0), ..asked(Role::ProviderAdmin) };
        assert_eq!(publishable().refused(CurriculumCommand::Publish, &before, &PROVIDER), ["late_entry"]);
    }

    #[test]
    fn a_module_that_served_nothing_is_revised_and_published() {
        let by = asked(Role::ProviderAdmin);
        let mut curriculum = publishable();
        curriculum.happens(CurriculumCommand::AddModule(module(2, &[])), &by, &PROVIDER);
        let happened = curriculum.happens(CurriculumCommand::ReviseModule(module(2, &[1])), &by, &PROVIDER);
        assert_eq!(happened, [CurriculumEvent::ModuleRevised { module: module(2, &[1]) }]);
        assert_eq!(curriculum.happens(CurriculumCommand::ReviseModule(module(2, &[1])), &by, &PROVIDER), [], "it says so already");
        curriculum.happens(CurriculumCommand::Publish, &by, &PROVIDER);
    }

    #[test]
    fn a_published_version_stays_as_it_was() {
        let by = asked(Role::ProviderAdmin);
        let mut curriculum = publishable();
        let happened = curriculum.happens(CurriculumCommand::Publish, &by, &PROVIDER);
        assert_eq!(happened, [CurriculumEvent::CurriculumPublished { version: 1 }]);
        assert_eq!(curriculum.refused(CurriculumCommand::Publish, &by, &PROVIDER), ["not_in_state"], "nothing changed since");
        let longer = Module { minutes: 120, ..module(1, &[1]) };
        curriculum.happens(CurriculumCommand::ReviseModule(longer), &by, &PROVIDER);
        curriculum.happens(CurriculumCommand::AddModule(module(2, &[1])), &by, &PROVIDER);
        curriculum.happens(CurriculumCommand::Publish, &by, &PROVIDER);
        let minutes = |version| {
            let content = curriculum.version(version)?;
            Some(content.modules.values().map(|module| module.minutes).collect::<Vec<_>>())
        };
        assert_eq!((minutes(0), minutes(1), minutes(2), minutes(3)), (None, Some(vec![90]), Some(vec![120, 90]), None));
        assert_eq!(curriculum.latest(), 2);
    }

    #[test]
    fn what_is_foretold_is_what_happens() {
        foretold_is_what_happens::<Curriculum>(CurriculumAction::ALL, |curriculum, action, _, attempt| {
            let new = u128::from(u64::from_be_bytes(attempt.dice)) * 100;
            let held = curriculum.draft.modules.values().next().cloned().unwrap_or_else(|| module(new, &[]));
            let served = curriculum.draft.competencies.keys().filter(|_| attempt.dice[0] > 60).copied().collect();
            let command = match action {
                CurriculumAction::Draft => CurriculumCommand::Draft { id: id(7), title: "Trainer development".into() },
                CurriculumAction::AddCompetency => CurriculumCommand::AddCompetency(competency(new)),
                CurriculumAction::ReviseCompetency => {
                    let held = curriculum.draft.competencies.values().next().cloned().unwrap_or_else(|| competency(new));
                    CurriculumCommand::ReviseCompetency(Competency { must_pass: attempt.dice[2] > 60, ..held })
                }
                CurriculumAction::AddModule => CurriculumCommand::AddModule(Module { competencies: served, ..module(new, &[]) }),
                CurriculumAction::ReviseModule => CurriculumCommand::ReviseModule(Module { competencies: served, ..held }),
                CurriculumAction::Publish => CurriculumCommand::Publish,
            };
            let kind = if attempt.dice[1] > 50 { OrganisationKind::Provider } else { OrganisationKind::Client };
            (command, CurriculumFacts { kind })
        });
    }
}
