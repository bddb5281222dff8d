//! What is sent of persons, as the contract describes it.

use chrono::NaiveDate;
use lastresort_domain::person::{Employment, PersonCommand, PersonKind, Profile, Standing};
use lastresort_fact::{OrganisationId, PersonId, UnitId};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::command::Asking;

/// Names and contact.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileBody {
    /// Given name; a machine's name.
    #[schema(min_length = 1, max_length = 200)]
    given_name: String,
    /// Family name.
    #[schema(min_length = 1, max_length = 200)]
    family_name: Option<String>,
    /// E-mail address.
    #[schema(min_length = 3, max_length = 320)]
    email: Option<String>,
}

/// An id of another system.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExternalIdBody {
    /// Which system: `hr`.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9][a-z0-9-]*$")]
    pub(super) source: String,
    /// Its id for them.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) external_id: String,
}

/// A login: what a token says of its bearer.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    /// The token's `iss`.
    #[schema(min_length = 1, max_length = 500)]
    issuer: String,
    /// The token's `sub`.
    #[schema(min_length = 1, max_length = 500)]
    subject: String,
}

/// Somebody new.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RegisterBody {
    /// Their id where another ledger knows them already; made here where absent.
    id: Option<PersonId>,
    /// Human or machine.
    kind: PersonKind,
    /// Names and contact.
    profile: ProfileBody,
    /// Their employer, where it is not this organisation.
    employer: Option<OrganisationId>,
    /// Ids of other systems.
    #[serde(default)]
    #[schema(max_items = 20)]
    external_ids: Vec<ExternalIdBody>,
    /// The login they come in by.
    login: Option<LoginBody>,
}

/// An employment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EmploymentBody {
    /// In which unit.
    unit: UnitId,
    /// As what.
    #[schema(min_length = 1, max_length = 200)]
    job_title: String,
    /// The first day.
    effective_on: NaiveDate,
    /// Since when they have worked in care.
    care_experience_from: Option<NaiveDate>,
    /// Their qualification.
    #[schema(min_length = 1, max_length = 200)]
    qualification: Option<String>,
}

/// A person as an HR system has them.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HrPersonBody {
    /// Names and contact.
    profile: ProfileBody,
    /// The latest employment, where they have one.
    employment: Option<EmploymentBody>,
    /// The first day immediate life support no longer counts.
    life_support_expires_on: Option<NaiveDate>,
}

/// A move to another unit.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MoveBody {
    /// To which.
    pub(super) unit: UnitId,
    /// From which day.
    pub(super) effective_on: NaiveDate,
}

/// The end of an employment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndBody {
    /// From this day they are not employed.
    pub(super) effective_on: NaiveDate,
}

/// Why something is done. No personal data.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    /// The reason, without anything personal.
    #[schema(min_length = 1, max_length = 1_000)]
    pub reason: String,
}

/// Immediate life support training.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LifeSupportBody {
    /// The first day it no longer counts.
    pub(super) expires_on: NaiveDate,
}

/// The provider's word on its own person.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StandingBody {
    /// What it says.
    pub(super) standing: Standing,
    /// The position in the provider's ledger that says so: later than any told before.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub(super) provider_position: u64,
    /// Until when it may be relied on.
    pub(super) valid_until: NaiveDate,
}

impl ProfileBody {
    pub(super) fn profile(self) -> Profile {
        Profile { given_name: self.given_name, family_name: self.family_name, email: self.email }
    }
}

impl EmploymentBody {
    pub(super) fn employment(self) -> Employment {
        let Self { unit, job_title, effective_on, care_experience_from, qualification } = self;
        Employment { unit, job_title, effective_on, care_experience_from, qualification }
    }
}

impl ExternalIdBody {
    pub(super) fn command(self) -> PersonCommand {
        PersonCommand::AddExternalId { source: self.source, external_id: self.external_id }
    }
}

impl LoginBody {
    pub(super) fn command(self) -> PersonCommand {
        PersonCommand::AddLogin { issuer: self.issuer, subject: self.subject }
    }

    /// Issuer and subject.
    #[must_use]
    pub fn pair(self) -> (String, String) {
        (self.issuer, self.subject)
    }
}

impl RegisterBody {
    pub(super) fn asked(self) -> (Uuid, Asking<PersonCommand>) {
        let id = self.id.unwrap_or_else(|| PersonId(lastresort_ledger::ids::new()));
        let mut all = vec![PersonCommand::Register { id, kind: self.kind, profile: self.profile.profile(), employer: self.employer }];
        all.extend(self.external_ids.into_iter().map(ExternalIdBody::command));
        all.extend(self.login.map(LoginBody::command));
        (id.0, PersonCommand::All(all).into())
    }
}

impl HrPersonBody {
    /// What it asks of somebody known, or of somebody new under this id.
    pub(super) fn asked(self, new: Option<PersonId>, source: &str, external_id: &str) -> PersonCommand {
        let profile = self.profile.profile();
        let mut all = match new {
            Some(id) => {
                let register = PersonCommand::Register { id, kind: PersonKind::Human, profile, employer: None };
                vec![register, PersonCommand::AddExternalId { source: source.to_owned(), external_id: external_id.to_owned() }]
            }
            None => vec![PersonCommand::StateProfile(profile)],
        };
        all.extend(self.employment.map(|employment| PersonCommand::StartEmployment(employment.employment())));
        all.extend(self.life_support_expires_on.map(|expires_on| PersonCommand::RecordLifeSupport { expires_on }));
        PersonCommand::All(all)
    }
}
