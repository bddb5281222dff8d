//! Who says a thing happened, in what role, by which right, when and why.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{EventId, GrantId, Instant, PersonId, Role};

/// Whoever caused a fact: a person (or machine) by id, or the house itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A registered person or machine.
    Person(PersonId),
    /// The command line.
    Bootstrap,
    /// The configured operator.
    Operator,
}

impl Actor {
    /// The person, where the actor is one.
    #[must_use]
    pub const fn person(self) -> Option<PersonId> {
        match self {
            Self::Person(id) => Some(id),
            Self::Bootstrap | Self::Operator => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => id.fmt(f),
            Self::Bootstrap => f.write_str("bootstrap"),
            Self::Operator => f.write_str("operator"),
        }
    }
}

impl FromStr for Actor {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "bootstrap" => Ok(Self::Bootstrap),
            "operator" => Ok(Self::Operator),
            id => id.parse().map(Self::Person),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// What every fact carries beside its body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamp {
    /// This fact's own id.
    pub event_id: EventId,
    /// Whoever caused it.
    pub by: Actor,
    /// In what role.
    pub role: Role,
    /// By which grant; none for the command line and the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// When it was so.
    pub occurred_at: Instant,
    /// When the ledger took it; never runs backwards within one ledger.
    pub recorded_at: Instant,
    /// The fact that led to this one, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<EventId>,
    /// The fact this one restates, where it corrects one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<EventId>,
}
