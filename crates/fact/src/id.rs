//! Ids are types, so that a candidate's can never stand where a person's is
//! meant. All are UUIDs; the server makes version 7, a client may bring its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { Uuid::parse_str(text).map(Self) }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self { Self(id) }
        }

        impl crate::Visit for $name {
            fn visit(&mut self, _: &str, _: &mut dyn FnMut(&str, &mut dyn crate::PersonalField)) {}
        }
    )+};
}

ids! {
    /// An organisation, and so a ledger.
    OrganisationId,
    /// A unit of a client: a house, a lodge, a ward.
    UnitId,
    /// A member of staff, or a machine; never a person supported. The same id
    /// names the same human being in every ledger.
    PersonId,
    /// The right of one person to act in one role.
    GrantId,
    /// A versioned body of strands, modules and competencies.
    CurriculumId,
    /// A module of a curriculum.
    ModuleId,
    /// Something a person can be judged able to do.
    CompetencyId,
    /// One observable part of a competency.
    CriterionId,
    /// A training needs analysis.
    NeedsAnalysisId,
    /// A staged programme.
    ProgrammeId,
    /// One occurrence of a stage; a repeat has an id of its own.
    StageId,
    /// One person's enrolment in one programme.
    CandidateId,
    /// A delivery: a course day, a co-delivered day, a workshop.
    SessionId,
    /// An observation of a candidate at work.
    ObservationId,
    /// A piece of evidence, held by reference and hash.
    EvidenceId,
    /// A decision on a competency.
    AssessmentId,
    /// A candidate's own request for more on a topic.
    RemedialRequestId,
    /// An assessor's demand.
    RequiredActionId,
    /// One recorded fact.
    EventId,
    /// A data key.
    KeyId,
}
