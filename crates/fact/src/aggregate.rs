//! How an aggregate stands in cqrs-es: it decides and applies, purely; this
//! file turns that into `cqrs_es::Aggregate` once for all of them.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Actor, EventId, GrantId, Instant, PersonalField, Refusal, Role, Scope, Stamp, Visit};

/// A fact: what happened, and the stamp that says who, when and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact<E> {
    /// Who, when, why.
    pub stamp: Stamp,
    /// What. Serialised as `{"type": …, "value": {…}}`.
    pub event: E,
}

/// An event of one aggregate. Made by [`happenings!`](crate::happenings).
pub trait Happened: Clone + std::fmt::Debug + PartialEq + Serialize + DeserializeOwned + Visit + Send + Sync + 'static {
    /// The event's name, in the past tense.
    fn name(&self) -> &'static str;
    /// The version of its shape.
    fn version(&self) -> &'static str;
    /// Every name with its version: what the golden file must hold.
    const NAMES: &'static [(&'static str, &'static str)];
}

/// Who asks, when, and for what moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Whoever asks.
    pub by: Actor,
    /// In what role.
    pub role: Role,
    /// By which grant.
    pub grant: Option<GrantId>,
    /// What that grant reaches.
    pub scope: Scope,
    /// Now, by the domain's clock.
    pub at: Instant,
    /// When what is told was so; now, unless the request says otherwise.
    pub occurred_at: Instant,
    /// The fact that led to this.
    pub cause: Option<EventId>,
    /// The fact this corrects.
    pub supersedes: Option<EventId>,
}

/// An aggregate: what it remembers, what may be asked of it, what is refused.
pub trait Decides: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The stream's kind, as stored.
    const TYPE: &'static str;
    /// Its own personal fields are opened when it is loaded, because it compares
    /// what it is told with what it was told before.
    const OPENS: bool = false;
    /// What may be asked.
    type Command: Send;
    /// What can have happened.
    type Event: Happened;
    /// What a decision rests on beyond this aggregate.
    type Facts: Send + Sync;

    /// What happens, or every reason why it may not.
    ///
    /// # Errors
    /// The rules that forbid it.
    fn decide(&self, command: Self::Command, asked: &Asked, facts: &Self::Facts) -> Result<Vec<Self::Event>, Refusal>;
    /// Remembers what happened. Cannot fail.
    fn apply(&mut self, event: &Self::Event, stamp: &Stamp);
    /// The personal fields it remembers, where it opens them.
    fn personal(&mut self) -> Vec<&mut dyn PersonalField> {
        Vec::new()
    }
}

/// An aggregate as cqrs-es wants it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Root<T: Decides>(pub T);

impl<E: Happened> DomainEvent for Fact<E> {
    fn event_type(&self) -> String {
        self.event.name().to_owned()
    }

    fn event_version(&self) -> String {
        self.event.version().to_owned()
    }
}

impl<T: Decides> Aggregate for Root<T> {
    const TYPE: &'static str = T::TYPE;
    type Command = T::Command;
    type Event = Fact<T::Event>;
    type Error = Refusal;
    type Services = (Asked, T::Facts);

    async fn handle(&mut self, command: T::Command, services: &Self::Services, sink: &EventSink<Self>) -> Result<(), Refusal> {
        let (asked, facts) = services;
        for event in self.0.decide(command, asked, facts)? {
            sink.write(Fact { stamp: asked.stamp(), event }, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, fact: Fact<T::Event>) {
        self.0.apply(&fact.event, &fact.stamp);
    }
}

impl Asked {
    /// The stamp of what follows; the desk gives the id, the ledger the time of recording.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp {
            event_id: EventId::default(),
            by: self.by,
            role: self.role,
            grant: self.grant,
            occurred_at: self.occurred_at,
            recorded_at: self.at,
            cause: self.cause,
            supersedes: self.supersedes,
        }
    }
}

/// Declares what can have happened to an aggregate: past-tense names with
/// their fields. Serialised as `{"type": NAME, "value": {fields}}`.
#[macro_export]
macro_rules! happenings {
    ($(#[$meta:meta])* pub enum $enum:ident {
        $($(#[$variant_meta:meta])* $variant:ident $($version:literal)? { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? }),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(tag = "type", content = "value")]
        pub enum $enum { $($(#[$variant_meta])* $variant { $($(#[$field_meta])* $field: $type),* }),+ }

        impl $crate::Happened for $enum {
            const NAMES: &'static [(&'static str, &'static str)] =
                &[$((stringify!($variant), $crate::happenings!(@version $($version)?))),+];

            fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => stringify!($variant)),+ }
            }

            fn version(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $crate::happenings!(@version $($version)?)),+ }
            }
        }

        impl $crate::Visit for $enum {
            fn visit(&mut self, pointer: &str, f: &mut dyn FnMut(&str, &mut dyn $crate::PersonalField)) {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $($crate::Visit::visit($field, &format!("{pointer}/{}", stringify!($field)), f);)*
                    })+
                }
            }
        }
    };
    (@version) => { "1" };
    (@version $version:literal) => { $version };
}
