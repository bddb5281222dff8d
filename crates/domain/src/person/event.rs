//! What can have happened to a person.

use chrono::NaiveDate;
use lastresort_fact::{OrganisationId, PersonId, PersonalDay, PersonalText, UnitId, happenings, plain};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A human being, or a machine that acts under its own name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    /// A human being.
    #[default]
    Human,
    /// A machine: an HR system, an audit tool.
    Machine,
}

/// What a provider states of its own people to a client, as a dated copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// May act as mentor or assessor.
    Eligible,
    /// May not for now.
    Suspended,
    /// May not any more.
    Revoked,
}

plain!(PersonKind, Standing);

happenings! {
    /// What can have happened to a person.
    pub enum PersonEvent {
        /// They were registered.
        PersonRegistered {
            /// Their id.
            person: PersonId,
            /// Human or machine.
            kind: PersonKind,
            /// Their employer, where it is not this organisation.
            employer: Option<OrganisationId>,
        },
        /// Their names and contact were stated.
        ProfileStated {
            /// Given name; a machine's name.
            given_name: PersonalText,
            /// Family name.
            family_name: Option<PersonalText>,
            /// E-mail address.
            email: Option<PersonalText>,
        },
        /// They became known by an id of another system.
        ExternalIdAdded {
            /// Which system.
            source: String,
            /// Its id for them.
            external_id: PersonalText,
        },
        /// They were let in under a login.
        LoginAdded {
            /// The token's issuer.
            issuer: PersonalText,
            /// The token's subject.
            subject: PersonalText,
        },
        /// Their employment began.
        EmploymentStarted {
            /// In which unit.
            unit: UnitId,
            /// From which day.
            effective_on: NaiveDate,
            /// As what.
            job_title: PersonalText,
            /// Since when they have worked in care.
            care_experience_from: Option<PersonalDay>,
            /// Their qualification.
            qualification: Option<PersonalText>,
        },
        /// They moved to another unit.
        UnitChanged {
            /// To which.
            unit: UnitId,
            /// From which day.
            effective_on: NaiveDate,
        },
        /// Their employment ended.
        EmploymentEnded {
            /// From this day they are not employed.
            effective_on: NaiveDate,
        },
        /// A leaver sent by mistake was undone.
        EmploymentReinstated {
            /// Why.
            reason: PersonalText,
        },
        /// Immediate life support training was recorded.
        LifeSupportRecorded {
            /// The first day it no longer counts.
            expires_on: NaiveDate,
        },
        /// The provider's statement on its own person was copied.
        StandingStated {
            /// What it says.
            standing: Standing,
            /// The position in the provider's ledger that says so.
            provider_position: u64,
            /// Until when it may be relied on.
            valid_until: NaiveDate,
        },
    }
}
