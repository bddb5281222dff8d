//! Fields that are personal: open only between the edge and the desk, sealed
//! everywhere else.
//!
//! Deny by default holds at compile time: every type that stands in an event
//! says through [`Visit`] where its personal fields are, and a type that does
//! not say so cannot stand in an event.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error as _};
use serde_json::Value;
use utoipa::openapi::{KnownFormat, ObjectBuilder, OneOfBuilder, RefOr, Schema, SchemaFormat, schema::Type};

use crate::{KeyId, PersonId};

/// What kind of personal data a field is; a grant opens some and not others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Who somebody is: names, external ids, logins.
    Identity,
    /// How to reach them.
    Contact,
    /// Fitness and injury.
    Health,
    /// Job, unit history, qualifications.
    Employment,
    /// Free text about somebody; every narrative has a key of its own.
    Narrative,
}

impl Class {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Contact => "contact",
            Self::Health => "health",
            Self::Employment => "employment",
            Self::Narrative => "narrative",
        }
    }
}

/// Where a sealed field was first written: its sealing is bound to this place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The stream's kind.
    #[serde(rename = "t")]
    pub kind: String,
    /// The stream's id.
    #[serde(rename = "i")]
    pub id: uuid::Uuid,
    /// The event's sequence in the stream.
    #[serde(rename = "s")]
    pub sequence: u64,
    /// The field's JSON Pointer, beginning `/body/`.
    #[serde(rename = "p")]
    pub pointer: String,
}

/// A personal field as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The data key that opens it.
    #[serde(rename = "$k")]
    pub key: KeyId,
    /// The algorithm.
    #[serde(rename = "$a")]
    pub algorithm: String,
    /// Nonce and ciphertext, base64; gone once erased.
    #[serde(rename = "$e", default, skip_serializing_if = "Option::is_none")]
    pub ciphertext: Option<String>,
    /// The commitment, hex.
    #[serde(rename = "$c")]
    pub commitment: String,
    /// The class, so that what is withheld or erased can be named.
    #[serde(rename = "$l")]
    pub class: Class,
    /// Where it was written; kept in rows, absent in events, which know.
    #[serde(rename = "$o", default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Box<Origin>>,
}

/// A personal value in the open, with whom it is about.
#[derive(Clone, PartialEq, Eq)]
pub struct Open<T> {
    /// Whom it is about: erasing them erases it.
    pub subject: PersonId,
    /// Its class.
    pub class: Class,
    /// The value itself.
    pub value: T,
}

/// A personal field of an event or a row.
#[derive(Clone, PartialEq, Eq)]
pub enum Personal<T> {
    /// In the open; cannot be serialised, and `Debug` redacts it.
    Open(Open<T>),
    /// Sealed.
    Sealed(Sealed),
}

impl<T> Personal<T> {
    /// A value in the open, about `subject`.
    pub const fn new(subject: PersonId, class: Class, value: T) -> Self {
        Self::Open(Open { subject, class, value })
    }

    /// The value, where it is open.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Open(open) => Some(&open.value),
            Self::Sealed(_) => None,
        }
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(open) => write!(f, "Personal({}, open)", open.class.name()),
            Self::Sealed(sealed) => write!(f, "Personal({}, sealed)", sealed.class.name()),
        }
    }
}

impl<T> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Open(_) => Err(S::Error::custom("a personal field was not sealed before it was written")),
            Self::Sealed(sealed) => sealed.serialize(serializer),
        }
    }
}

impl<'de, T> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Sealed::deserialize(deserializer).map(Self::Sealed)
    }
}

/// A personal text. Written by this name in events: the contract's generator
/// names a generic type by its alias only.
pub type PersonalText = Personal<String>;

/// A personal day.
pub type PersonalDay = Personal<chrono::NaiveDate>;

/// What a personal field may hold: how the contract shows it.
pub trait Kept {
    /// The name of the field's type in the contract.
    const NAME: &'static str;
    /// The open value's schema.
    fn schema() -> ObjectBuilder;
}

impl Kept for String {
    const NAME: &'static str = "PersonalText";
    fn schema() -> ObjectBuilder {
        ObjectBuilder::new().schema_type(Type::String)
    }
}

impl Kept for chrono::NaiveDate {
    const NAME: &'static str = "PersonalDay";
    fn schema() -> ObjectBuilder {
        <String as Kept>::schema().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
    }
}

impl<T: Kept> utoipa::ToSchema for Personal<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        std::borrow::Cow::Borrowed(T::NAME)
    }
}

/// As readers see it: the value, or what stands in its place.
impl<T: Kept> utoipa::PartialSchema for Personal<T> {
    fn schema() -> RefOr<Schema> {
        let instead = |word: &str, why: &str| {
            ObjectBuilder::new().property(word, ObjectBuilder::new().schema_type(Type::String).description(Some(why))).required(word)
        };
        OneOfBuilder::new()
            .item(T::schema())
            .item(instead("withheld", "The class of personal data the reader's grant does not open."))
            .item(instead("erased", "The class of personal data that was lawfully erased."))
            .description(Some("Personal data: the value, or why it is not shown."))
            .into()
    }
}

/// What a personal field holds at the moment.
#[derive(Debug)]
pub enum Held<'a> {
    /// An open value.
    Open(PersonId, Class, Value),
    /// A sealed one.
    Sealed(&'a Sealed),
}

/// A personal field whatever its type: what the desk seals and the edge opens.
pub trait PersonalField {
    /// What it holds.
    ///
    /// # Errors
    /// Where the open value is not JSON.
    fn held(&self) -> Result<Held<'_>, serde_json::Error>;
    /// Puts the sealed form in place of the open one.
    fn seal(&mut self, sealed: Sealed);
    /// Puts an opened value in place of the sealed form.
    ///
    /// # Errors
    /// Where the value is not of the field's type.
    fn open(&mut self, subject: PersonId, class: Class, value: Value) -> Result<(), serde_json::Error>;
    /// Notes where a sealed field was written.
    fn place(&mut self, origin: Origin);
}

impl<T: Serialize + DeserializeOwned> PersonalField for Personal<T> {
    fn held(&self) -> Result<Held<'_>, serde_json::Error> {
        Ok(match self {
            Self::Open(open) => Held::Open(open.subject, open.class, serde_json::to_value(&open.value)?),
            Self::Sealed(sealed) => Held::Sealed(sealed),
        })
    }

    fn seal(&mut self, sealed: Sealed) {
        *self = Self::Sealed(sealed);
    }

    fn open(&mut self, subject: PersonId, class: Class, value: Value) -> Result<(), serde_json::Error> {
        *self = Self::new(subject, class, serde_json::from_value(value)?);
        Ok(())
    }

    fn place(&mut self, origin: Origin) {
        if let Self::Sealed(sealed) = self {
            sealed.origin = Some(Box::new(origin));
        }
    }
}

/// Walks to every personal field, naming each by its JSON Pointer.
pub trait Visit {
    /// Calls `f` with each personal field at or below `pointer`.
    fn visit(&mut self, pointer: &str, f: &mut dyn FnMut(&str, &mut dyn PersonalField));
}

impl<T: Serialize + DeserializeOwned> Visit for Personal<T> {
    fn visit(&mut self, pointer: &str, f: &mut dyn FnMut(&str, &mut dyn PersonalField)) {
        f(pointer, self);
    }
}

impl<T: Visit> Visit for Option<T> {
    fn visit(&mut self, pointer: &str, f: &mut dyn FnMut(&str, &mut dyn PersonalField)) {
        if let Some(inner) = self {
            inner.visit(pointer, f);
        }
    }
}

impl<T: Visit> Visit for Vec<T> {
    fn visit(&mut self, pointer: &str, f: &mut dyn FnMut(&str, &mut dyn PersonalField)) {
        for (index, inner) in self.iter_mut().enumerate() {
            inner.visit(&format!("{pointer}/{index}"), f);
        }
    }
}

/// Types that hold nothing personal by themselves.
#[macro_export]
macro_rules! plain {
    ($($name:ty),+ $(,)?) => {$(
        impl $crate::Visit for $name {
            fn visit(&mut self, _: &str, _: &mut dyn FnMut(&str, &mut dyn $crate::PersonalField)) {}
        }
    )+};
}

plain!(bool, u8, u16, u32, u64, i32, i64, String, uuid::Uuid, chrono::NaiveDate, crate::Instant, crate::Role, crate::Scope, crate::Class);

/// A struct that stands inside an event: derives what it must, and walks its fields.
#[macro_export]
macro_rules! parts {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty),* $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type),* }

        impl $crate::Visit for $name {
            #[expect(unused_variables, reason = "a struct may have no fields")]
            fn visit(&mut self, pointer: &str, f: &mut dyn FnMut(&str, &mut dyn $crate::PersonalField)) {
                $($crate::Visit::visit(&mut self.$field, &format!("{pointer}/{}", stringify!($field)), f);)*
            }
        }
    )+};
}
