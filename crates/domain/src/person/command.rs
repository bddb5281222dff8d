//! What may be asked of a person, and who may.

use chrono::NaiveDate;
use lastresort_fact::{OrganisationId, PersonId, UnitId};

use super::{PersonKind, Standing};
use crate::guard::actions;

/// What may be asked of a person.
#[derive(Clone, Debug)]
pub enum PersonCommand {
    /// Register them.
    Register {
        /// Their id; the same in every ledger.
        id: PersonId,
        /// Human or machine.
        kind: PersonKind,
        /// Their names and how to reach them.
        profile: Profile,
        /// Their employer, where it is not this organisation.
        employer: Option<OrganisationId>,
    },
    /// State their names and how to reach them, as they are now.
    StateProfile(Profile),
    /// Know them by an id of another system.
    AddExternalId {
        /// Which system: `hr`.
        source: String,
        /// Its id for them.
        external_id: String,
    },
    /// Let them in under a login.
    AddLogin {
        /// The token's issuer.
        issuer: String,
        /// The token's subject.
        subject: String,
    },
    /// Begin their employment: a starter, or a re-hire.
    StartEmployment(Employment),
    /// Move them to another unit.
    Move {
        /// To which.
        unit: UnitId,
        /// From which day.
        effective_on: NaiveDate,
    },
    /// End their employment.
    EndEmployment {
        /// The last day they are employed is the one before.
        effective_on: NaiveDate,
    },
    /// Undo a leaver sent by mistake.
    ReinstateEmployment {
        /// Why.
        reason: String,
    },
    /// Record immediate life support training.
    RecordLifeSupport {
        /// The first day it no longer counts.
        expires_on: NaiveDate,
    },
    /// State what the provider says of its own person.
    StateStanding {
        /// What it says.
        standing: Standing,
        /// The position in the provider's ledger that says so.
        provider_position: u64,
        /// Until when it may be relied on.
        valid_until: NaiveDate,
    },
    /// All of these, in order, or none.
    All(Vec<PersonCommand>),
}

/// Names and contact in the open, on their way into a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Given name; a machine's name.
    pub given_name: String,
    /// Family name; none for a machine.
    pub family_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

/// An employment in the open, on its way into a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Employment {
    /// In which unit.
    pub unit: UnitId,
    /// As what.
    pub job_title: String,
    /// From which day.
    pub effective_on: NaiveDate,
    /// Since when they have worked in care.
    pub care_experience_from: Option<NaiveDate>,
    /// Their qualification.
    pub qualification: Option<String>,
}

actions! {
    /// What may be done to a person.
    pub enum PersonAction {
        /// Register one.
        Register = "register" [Bootstrap, Operator, Manager, HrSystem, ProviderAdmin],
        /// State names and contact.
        StateProfile = "state_profile" [Manager, HrSystem, ProviderAdmin],
        /// Add an external id.
        AddExternalId = "add_external_id" [Manager, HrSystem, ProviderAdmin],
        /// Add a login.
        AddLogin = "add_login" [Bootstrap, Operator, Manager, ProviderAdmin],
        /// Begin employment.
        StartEmployment = "start_employment" [Manager, HrSystem],
        /// Move to another unit.
        Move = "move" [Manager, HrSystem],
        /// End employment.
        EndEmployment = "end_employment" [Manager, HrSystem],
        /// Undo a leaver sent by mistake.
        ReinstateEmployment = "reinstate_employment" [Manager, HrSystem],
        /// Record immediate life support.
        RecordLifeSupport = "record_life_support" [Manager, HrSystem],
        /// State the provider's word on its own person.
        StateStanding = "state_standing" [ProviderAdmin],
    }
}

impl PersonCommand {
    /// What it is; of several, what the first is.
    pub(super) fn action(&self) -> PersonAction {
        match self {
            Self::All(all) => all.first().map_or(PersonAction::StateProfile, Self::action),
            Self::Register { .. } => PersonAction::Register,
            Self::StateProfile(_) => PersonAction::StateProfile,
            Self::AddExternalId { .. } => PersonAction::AddExternalId,
            Self::AddLogin { .. } => PersonAction::AddLogin,
            Self::StartEmployment(_) => PersonAction::StartEmployment,
            Self::Move { .. } => PersonAction::Move,
            Self::EndEmployment { .. } => PersonAction::EndEmployment,
            Self::ReinstateEmployment { .. } => PersonAction::ReinstateEmployment,
            Self::RecordLifeSupport { .. } => PersonAction::RecordLifeSupport,
            Self::StateStanding { .. } => PersonAction::StateStanding,
        }
    }
}
