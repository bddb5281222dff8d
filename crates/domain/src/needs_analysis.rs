//! A training needs analysis: why a client trains at all. Provider or manager
//! record it; the client's governance lead, and nobody else, authorises it
//! (rule 1). A revision is a new version, which nobody has authorised yet; what
//! was authorised of an earlier one stays said, because programmes pin it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use lastresort_fact::{Asked, Decides, Instant, NeedsAnalysisId, PersonId, Refusal, Stamp, Unmet, happenings, parts};
use serde::{Deserialize, Serialize};

use crate::correction::no_correction;
use crate::guard::{Guarded, actions, unless};
use crate::organisation::{Organisation, OrganisationKind};

/// The months of incident data an analysis covers, or says why not.
pub const MONTHS_MIN: i32 = 24;

parts! {
    /// What an analysis says. Free text in it names nobody, neither staff nor people supported.
    #[derive(Eq)]
    pub struct Analysis {
        /// A day of the first month of incident data reviewed.
        pub months_from: NaiveDate,
        /// A day of the last month of incident data reviewed, which counts too.
        pub months_to: NaiveDate,
        /// Why less than 24 months were reviewed, where less were.
        pub shorter_because: Option<String>,
        /// What it comes to.
        pub summary: String,
        /// Whoever sends it attests that it identifies no person.
        pub without_person_identifiers: bool,
        /// Somebody trained in immediate life support is at hand wherever people are restrained.
        pub life_support_cover_confirmed: bool,
        /// The client's commitment to reduce restrictive practice is on file.
        pub commitment_on_file: bool,
        /// The needs it found.
        pub findings: Vec<String>,
    }
}

/// What may be asked of a needs analysis.
#[derive(Clone, Debug)]
pub enum NeedsAnalysisCommand {
    /// Record it.
    Record {
        /// Its id.
        id: NeedsAnalysisId,
        /// What it says.
        analysis: Analysis,
    },
    /// Say it anew, as the next version.
    Revise(Analysis),
    /// Authorise the version there is.
    Authorise,
}

happenings! {
    /// What can have happened to a needs analysis.
    pub enum NeedsAnalysisEvent {
        /// It was recorded, as version 1.
        NeedsAnalysisRecorded {
            /// Its id.
            needs_analysis: NeedsAnalysisId,
            /// What it says.
            analysis: Analysis,
        },
        /// It was said anew.
        NeedsAnalysisRevised {
            /// Which version this is.
            version: u32,
            /// What it says.
            analysis: Analysis,
        },
        /// The governance lead authorised a version.
        NeedsAnalysisAuthorised {
            /// Which version.
            version: u32,
        },
    }
}

actions! {
    /// What may be done to a needs analysis.
    pub enum NeedsAnalysisAction {
        /// Record it.
        Record = "record" [ProviderAdmin, Manager],
        /// Revise it.
        Revise = "revise" [ProviderAdmin, Manager],
        /// Authorise it.
        Authorise = "authorise" [GovernanceLead],
    }
}

/// What a decision on a needs analysis rests on.
#[derive(Clone, Debug, Default)]
pub struct NeedsAnalysisFacts {
    /// The organisation whose ledger it is.
    pub organisation: Organisation,
    /// Whoever asks is employed by another organisation: the provider's, whatever grants they hold here.
    pub employed_elsewhere: bool,
}

/// What a needs analysis remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NeedsAnalysis {
    /// Its id, once recorded.
    pub id: Option<NeedsAnalysisId>,
    /// The latest version's number, counted from 1.
    pub version: u32,
    /// What the latest version says.
    pub analysis: Option<Analysis>,
    /// When the latest version was said.
    said_at: Instant,
    /// Everybody who wrote a version.
    authors: BTreeSet<PersonId>,
    /// When each version was authorised that was.
    authorised: BTreeMap<u32, Instant>,
}

impl Analysis {
    /// How many months of incident data it covers, the first and the last included.
    #[must_use]
    pub fn months(&self) -> i32 {
        let month = |day: NaiveDate| day.year() * 12 + i32::try_from(day.month0()).unwrap_or_default();
        month(self.months_to) - month(self.months_from) + 1
    }

    fn faults(&self, day: NaiveDate) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        if self.months_to < self.months_from {
            unmet.push(Unmet::new("invalid", "The last month is not before the first.").at("/months_to"));
        }
        if self.months_to > day {
            unmet.push(Unmet::new("late_entry", "Incident data of days to come cannot have been reviewed.").at("/months_to"));
        }
        // What is recorded is kept for ever, in the open.
        if !self.without_person_identifiers {
            let detail = "A needs analysis is recorded only with the attestation that it identifies no person.";
            unmet.push(Unmet::new("invalid", detail).at("/without_person_identifiers"));
        }
        unmet
    }

    /// What rule 1 misses in it.
    fn lacks(&self) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        let mut needs = |met: bool, detail: &str| unless(met, &mut unmet, "needs_analysis_not_authorised", detail);
        needs(
            self.months() >= MONTHS_MIN || self.shorter_because.is_some(),
            "It covers less than 24 months of incident data and does not say why.",
        );
        needs(self.without_person_identifiers, "Nobody has attested that it identifies no person.");
        needs(self.life_support_cover_confirmed, "Immediate life support cover is not confirmed.");
        needs(self.commitment_on_file, "A commitment to reduce restrictive practice is not on file.");
        unmet
    }
}

impl NeedsAnalysis {
    /// When a version was authorised, if it was.
    #[must_use]
    pub fn authorised(&self, version: u32) -> Option<Instant> {
        self.authorised.get(&version).copied()
    }

    fn unauthorisable(&self, asked: &Asked, facts: &NeedsAnalysisFacts) -> Vec<Unmet> {
        let Some(analysis) = &self.analysis else { return vec![Unmet::new("not_in_state", "There is no such needs analysis.")] };
        let mut unmet = Vec::new();
        let open = self.authorised(self.version).is_none();
        unless(open, &mut unmet, "already_done", "This version was authorised already.");
        unless(self.said_at <= asked.occurred_at, &mut unmet, "late_entry", "This version was recorded later than that.");
        let mut needs = |met: bool, detail: &str| unless(met, &mut unmet, "needs_analysis_not_authorised", detail);
        needs(!facts.employed_elsewhere, "The client's own governance lead authorises it, never the provider.");
        let wrote = asked.by.person().is_some_and(|person| self.authors.contains(&person));
        needs(!wrote, "Whoever wrote it does not authorise it.");
        unmet.extend(analysis.lacks());
        unmet
    }
}

impl NeedsAnalysisCommand {
    const fn action(&self) -> NeedsAnalysisAction {
        match self {
            Self::Record { .. } => NeedsAnalysisAction::Record,
            Self::Revise(_) => NeedsAnalysisAction::Revise,
            Self::Authorise => NeedsAnalysisAction::Authorise,
        }
    }
}

impl Guarded for NeedsAnalysis {
    type Action = NeedsAnalysisAction;

    fn actions(&self) -> Vec<NeedsAnalysisAction> {
        vec![NeedsAnalysisAction::Revise, NeedsAnalysisAction::Authorise]
    }

    fn unmet(&self, action: NeedsAnalysisAction, asked: &Asked, facts: &NeedsAnalysisFacts) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        match action {
            NeedsAnalysisAction::Record => {
                unless(self.id.is_none(), &mut unmet, "already_done", "This needs analysis was recorded already.");
                let client = facts.organisation.kind == OrganisationKind::Client;
                unless(client, &mut unmet, "not_in_state", "A needs analysis is of a client: it lives in the client's ledger.");
            }
            NeedsAnalysisAction::Revise => {
                unless(self.id.is_some(), &mut unmet, "not_in_state", "There is no such needs analysis.");
            }
            NeedsAnalysisAction::Authorise => unmet.extend(self.unauthorisable(asked, facts)),
        }
        unmet
    }
}

impl Decides for NeedsAnalysis {
    const TYPE: &'static str = "needs_analysis";
    type Command = NeedsAnalysisCommand;
    type Event = NeedsAnalysisEvent;
    type Facts = NeedsAnalysisFacts;

    fn decide(&self, command: NeedsAnalysisCommand, asked: &Asked, facts: &NeedsAnalysisFacts) -> Result<Vec<NeedsAnalysisEvent>, Refusal> {
        no_correction(asked)?;
        self.permit(command.action(), asked, facts)?;
        let day = facts.organisation.day(asked.occurred_at);
        match command {
            NeedsAnalysisCommand::Record { id, analysis } => {
                Refusal::unless_met(analysis.faults(day))?;
                Ok(vec![NeedsAnalysisEvent::NeedsAnalysisRecorded { needs_analysis: id, analysis }])
            }
            NeedsAnalysisCommand::Revise(analysis) => {
                Refusal::unless_met(analysis.faults(day))?;
                let same = self.analysis.as_ref() == Some(&analysis);
                let version = self.version + 1;
                Ok(if same { Vec::new() } else { vec![NeedsAnalysisEvent::NeedsAnalysisRevised { version, analysis }] })
            }
            NeedsAnalysisCommand::Authorise => Ok(vec![NeedsAnalysisEvent::NeedsAnalysisAuthorised { version: self.version }]),
        }
    }

    fn apply(&mut self, event: &NeedsAnalysisEvent, stamp: &Stamp) {
        match event {
            NeedsAnalysisEvent::NeedsAnalysisRecorded { needs_analysis, analysis } => {
                self.id = Some(*needs_analysis);
                self.write(1, analysis, stamp);
            }
            NeedsAnalysisEvent::NeedsAnalysisRevised { version, analysis } => self.write(*version, analysis, stamp),
            NeedsAnalysisEvent::NeedsAnalysisAuthorised { version } => {
                self.authorised.insert(*version, stamp.occurred_at);
            }
        }
    }
}

impl NeedsAnalysis {
    fn write(&mut self, version: u32, analysis: &Analysis, stamp: &Stamp) {
        self.version = version;
        self.analysis = Some(analysis.clone());
        self.said_at = stamp.occurred_at;
        self.authors.extend(stamp.by.person());
    }
}

#[cfg(test)]
mod tests;
