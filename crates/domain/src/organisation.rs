//! An organisation: a provider or a client, and its ledger's first fact. Its
//! units, and the settings that are its policy, each with source and author.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use lastresort_fact::{Asked, Decides, OrganisationId, Refusal, Role, Stamp, UnitId, Unmet, happenings, plain};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::guard::{Guarded, actions, unless};

/// What an organisation is. Open: clients must expect more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    /// Trains trainers: curricula, mentors, assessors.
    Provider,
    /// Supports people, and asks for the training.
    #[default]
    Client,
}

/// Where care is given; rules attach to it. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// A care home.
    CareHome,
    /// In-patient mental health.
    MentalHealthUnit,
    /// A school.
    School,
    /// Support in people's own homes.
    SupportedLiving,
    /// Anything else.
    Other,
}

plain!(OrganisationKind, Setting);

/// A whole number that is the organisation's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyName {
    /// Learners per trainer in physical skills, never more than 12.
    LearnersPerTrainerMax,
    /// Learners in one physical session, never more than 18.
    CohortMax,
    /// Direct observations a `competent` decision must rest on.
    ObservationsMin,
    /// Different raters among them.
    RatersMin,
    /// Different days among them.
    OccasionsMin,
    /// How old an observation may be when it is relied on, in days.
    EvidenceCurrencyDays,
}

plain!(PolicyName);

impl PolicyName {
    /// Every setting.
    pub const ALL: [Self; 6] = [
        Self::LearnersPerTrainerMax,
        Self::CohortMax,
        Self::ObservationsMin,
        Self::RatersMin,
        Self::OccasionsMin,
        Self::EvidenceCurrencyDays,
    ];

    /// The value where nobody has set another. Ratios: Restraint Reduction
    /// Network Training Standards 2019, 3.2; observations: the programme's own.
    #[must_use]
    pub const fn default_value(self) -> u32 {
        match self {
            Self::LearnersPerTrainerMax => 12,
            Self::CohortMax => 18,
            Self::ObservationsMin | Self::OccasionsMin => 2,
            Self::RatersMin => 1,
            Self::EvidenceCurrencyDays => 365,
        }
    }

    /// The bounds no policy may leave: rule 5's are the law's.
    #[must_use]
    pub const fn bounds(self) -> (u32, u32) {
        match self {
            Self::LearnersPerTrainerMax => (1, 12),
            Self::CohortMax => (1, 18),
            Self::ObservationsMin | Self::RatersMin | Self::OccasionsMin => (1, 50),
            Self::EvidenceCurrencyDays => (1, 3_650),
        }
    }
}

/// Every setting, with the day it takes effect and its value, in the order
/// they were told. The policy's version is how many were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy(pub Vec<(PolicyName, NaiveDate, u32)>);

impl Policy {
    /// A setting's value on a day: the latest in effect by then, else the default.
    #[must_use]
    pub fn on(&self, name: PolicyName, day: NaiveDate) -> u32 {
        let told = self.0.iter().filter(|(setting, from, _)| *setting == name && *from <= day);
        told.max_by_key(|(_, from, _)| *from).map_or(name.default_value(), |(_, _, value)| *value)
    }

    /// Which version it is.
    #[must_use]
    pub fn version(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// The policy as it was in a version; as it is, where none is named.
    #[must_use]
    pub fn pinned(&self, version: Option<u32>) -> Self {
        let told = version.map_or(self.0.len(), |version| self.0.len().min(version as usize));
        Self(self.0[..told].to_vec())
    }
}

/// What may be asked of an organisation.
#[derive(Clone, Debug)]
pub enum OrganisationCommand {
    /// Register it: the first fact of its ledger.
    Register {
        /// Its id.
        id: OrganisationId,
        /// Provider or client.
        kind: OrganisationKind,
        /// Its name.
        name: String,
        /// Whose law applies: `scotland`, `england`.
        jurisdiction: String,
        /// Its IANA time zone.
        time_zone: String,
        /// The ledger is written on a moved clock.
        demonstration: bool,
    },
    /// Open a unit.
    OpenUnit {
        /// The unit's id, new.
        unit: UnitId,
        /// A short name for reading, unique in the organisation.
        code: String,
        /// Its name.
        name: String,
        /// What kind of service it is.
        setting: Setting,
        /// How many people it can support.
        places: u32,
    },
    /// Set a policy.
    SetPolicy {
        /// Which setting.
        policy: PolicyName,
        /// Its value.
        value: u32,
        /// From which day.
        effective_on: NaiveDate,
        /// Where the value comes from.
        source: String,
    },
}

happenings! {
    /// What can have happened to an organisation.
    pub enum OrganisationEvent {
        /// It was registered.
        OrganisationRegistered {
            /// Its id.
            organisation: OrganisationId,
            /// Provider or client.
            kind: OrganisationKind,
            /// Its name.
            name: String,
            /// Whose law applies.
            jurisdiction: String,
            /// Its IANA time zone.
            time_zone: String,
            /// The ledger is written on a moved clock.
            demonstration: bool,
        },
        /// A unit was opened.
        UnitOpened {
            /// The unit.
            unit: UnitId,
            /// Its short name.
            code: String,
            /// Its name.
            name: String,
            /// What kind of service it is.
            setting: Setting,
            /// How many people it can support.
            places: u32,
        },
        /// A policy was set.
        PolicySet {
            /// Which setting.
            policy: PolicyName,
            /// Its value.
            value: u32,
            /// From which day.
            effective_on: NaiveDate,
            /// Where the value comes from.
            source: String,
        },
    }
}

actions! {
    /// What may be done to an organisation.
    pub enum OrganisationAction {
        /// Register it.
        Register = "register" [Bootstrap, Operator],
        /// Open a unit.
        OpenUnit = "open_unit" [Manager],
        /// Set a policy.
        SetPolicy = "set_policy" [GovernanceLead, ProviderAdmin],
    }
}

/// What an organisation remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Organisation {
    /// Its id, once registered.
    pub id: Option<OrganisationId>,
    /// Provider or client.
    pub kind: OrganisationKind,
    /// Its IANA time zone.
    pub time_zone: String,
    /// The ledger is written on a moved clock.
    pub demonstration: bool,
    /// Its units by id, with their short names.
    pub units: BTreeMap<UnitId, String>,
    /// Its policy.
    pub policy: Policy,
}

impl Organisation {
    /// The unit of that id or short name.
    #[must_use]
    pub fn unit(&self, id: UnitId) -> Option<&str> {
        self.units.get(&id).map(String::as_str)
    }

    /// The calendar day of an instant where the organisation is.
    #[must_use]
    pub fn day(&self, at: lastresort_fact::Instant) -> NaiveDate {
        match self.time_zone.parse::<chrono_tz::Tz>() {
            Ok(zone) => at.utc().with_timezone(&zone).date_naive(),
            Err(_) => at.date(),
        }
    }
}

impl OrganisationCommand {
    const fn action(&self) -> OrganisationAction {
        match self {
            Self::Register { .. } => OrganisationAction::Register,
            Self::OpenUnit { .. } => OrganisationAction::OpenUnit,
            Self::SetPolicy { .. } => OrganisationAction::SetPolicy,
        }
    }
}

impl Guarded for Organisation {
    type Action = OrganisationAction;

    fn actions(&self) -> Vec<OrganisationAction> {
        vec![OrganisationAction::OpenUnit, OrganisationAction::SetPolicy]
    }

    fn unmet(&self, action: OrganisationAction, asked: &Asked, (): &()) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        match action {
            OrganisationAction::Register => {
                unless(self.id.is_none(), &mut unmet, "already_done", "The organisation is registered already.");
            }
            OrganisationAction::OpenUnit => {
                let client = self.kind == OrganisationKind::Client;
                unless(client, &mut unmet, "not_in_state", "Only a client has units: a provider supports nobody.");
            }
            OrganisationAction::SetPolicy => {
                let guest = asked.role == Role::ProviderAdmin && self.kind == OrganisationKind::Client;
                unless(!guest, &mut unmet, "not_permitted", "Policy is the client's own; a provider sets its own at home.");
            }
        }
        unmet
    }
}

impl Decides for Organisation {
    const TYPE: &'static str = "organisation";
    type Command = OrganisationCommand;
    type Event = OrganisationEvent;
    type Facts = ();

    fn decide(&self, command: OrganisationCommand, asked: &Asked, facts: &()) -> Result<Vec<OrganisationEvent>, Refusal> {
        self.permit(command.action(), asked, facts)?;
        match command {
            OrganisationCommand::Register { id, kind, name, jurisdiction, time_zone, demonstration } => {
                if time_zone.parse::<chrono_tz::Tz>().is_err() {
                    return Err(Unmet::new("invalid", "The time zone must be a name of the IANA database, such as Europe/London.")
                        .at("/time_zone")
                        .into());
                }
                Ok(vec![OrganisationEvent::OrganisationRegistered { organisation: id, kind, name, jurisdiction, time_zone, demonstration }])
            }
            OrganisationCommand::OpenUnit { unit, code, name, setting, places } => {
                if self.units.values().any(|taken| *taken == code) {
                    return Err(Unmet::new("already_done", "A unit of this code is open already.").at("/code").into());
                }
                Ok(vec![OrganisationEvent::UnitOpened { unit, code, name, setting, places }])
            }
            OrganisationCommand::SetPolicy { policy, value, effective_on, source } => {
                let (least, most) = policy.bounds();
                if !(least..=most).contains(&value) {
                    let detail = format!("This setting must lie between {least} and {most}.");
                    return Err(Unmet::new("invalid", detail).at("/value").into());
                }
                if effective_on < self.day(asked.at) {
                    let detail = "A policy takes effect today or later, never in the past.";
                    return Err(Unmet::new("late_entry", detail).at("/effective_on").into());
                }
                Ok(vec![OrganisationEvent::PolicySet { policy, value, effective_on, source }])
            }
        }
    }

    fn apply(&mut self, event: &OrganisationEvent, _: &Stamp) {
        match event {
            OrganisationEvent::OrganisationRegistered { organisation, kind, time_zone, demonstration, .. } => {
                self.id = Some(*organisation);
                self.kind = *kind;
                self.demonstration = *demonstration;
                self.time_zone.clone_from(time_zone);
            }
            OrganisationEvent::UnitOpened { unit, code, .. } => {
                self.units.insert(*unit, code.clone());
            }
            OrganisationEvent::PolicySet { policy, value, effective_on, .. } => {
                self.policy.0.push((*policy, *effective_on, *value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_of_a_day_is_the_latest_in_effect() {
        let day = |month| NaiveDate::from_ymd_opt(2021, month, 1).expect("a day");
        let policy = Policy([(3, 16), (5, 10), (5, 9)].map(|(month, value)| (PolicyName::CohortMax, day(month), value)).to_vec());
        assert_eq!(policy.on(PolicyName::CohortMax, day(1)), 18);
        assert_eq!(policy.on(PolicyName::CohortMax, day(4)), 16);
        assert_eq!(policy.on(PolicyName::CohortMax, day(6)), 9, "of two for one day, the later told");
        assert_eq!((policy.version(), policy.pinned(Some(2)).on(PolicyName::CohortMax, day(6))), (3, 10), "as it was in version 2");
        assert_eq!(policy.pinned(None), policy);
    }
}
