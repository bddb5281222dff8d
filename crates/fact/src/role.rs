//! The roles a grant can give, and the two that no grant gives.

use serde::{Deserialize, Serialize};

/// In what capacity somebody acts. Open: clients must expect more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs curricula, programmes, stages and sessions for the provider.
    ProviderAdmin,
    /// Coaches assigned candidates; runs and countersigns own sessions.
    Mentor,
    /// Decides on competencies of assigned candidates.
    Assessor,
    /// Samples and verifies decisions.
    Verifier,
    /// Decides the appeals given to them.
    AppealReviewer,
    /// Somebody being developed as a trainer.
    Candidate,
    /// A member of staff, reading their own record.
    Staff,
    /// Runs a client's services; nominates and grants.
    Manager,
    /// Authorises needs analyses and policy for the client.
    GovernanceLead,
    /// Sends people in, reads status out.
    HrSystem,
    /// Sends incidents and care days in.
    IncidentSystem,
    /// Sends statements on pre-load in.
    LearningPlatform,
    /// Reads everything in scope; every read is logged.
    Inspector,
    /// The command line: first organisation, administrator and grant.
    Bootstrap,
    /// The configured operator, who opens ledgers.
    Operator,
}

impl Role {
    /// Every role a grant can give.
    pub const GRANTABLE: [Self; 13] = [
        Self::ProviderAdmin,
        Self::Mentor,
        Self::Assessor,
        Self::Verifier,
        Self::AppealReviewer,
        Self::Candidate,
        Self::Staff,
        Self::Manager,
        Self::GovernanceLead,
        Self::HrSystem,
        Self::IncidentSystem,
        Self::LearningPlatform,
        Self::Inspector,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProviderAdmin => "provider_admin",
            Self::Mentor => "mentor",
            Self::Assessor => "assessor",
            Self::Verifier => "verifier",
            Self::AppealReviewer => "appeal_reviewer",
            Self::Candidate => "candidate",
            Self::Staff => "staff",
            Self::Manager => "manager",
            Self::GovernanceLead => "governance_lead",
            Self::HrSystem => "hr_system",
            Self::IncidentSystem => "incident_system",
            Self::LearningPlatform => "learning_platform",
            Self::Inspector => "inspector",
            Self::Bootstrap => "bootstrap",
            Self::Operator => "operator",
        }
    }
}

/// What a grant reaches: the whole organisation, or one programme and all that belongs to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id", deny_unknown_fields)]
pub enum Scope {
    /// Everything in the organisation's ledger.
    #[default]
    Organisation,
    /// One programme, its candidates and its sessions.
    Programme(crate::ProgrammeId),
}

impl Scope {
    /// Whether a grant of this scope reaches something of `programme`; what
    /// belongs to no programme is reached by whole grants alone.
    #[must_use]
    pub fn reaches(self, programme: Option<crate::ProgrammeId>) -> bool {
        match self {
            Self::Organisation => true,
            Self::Programme(own) => programme == Some(own),
        }
    }
}
