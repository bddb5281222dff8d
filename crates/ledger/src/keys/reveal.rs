//! What a reader may see of personal fields: the value, or what stands in its place.

use std::collections::{BTreeSet, HashMap};

use lastresort_fact::{Class, KeyId, OrganisationId, Sealed};
use lastresort_proof::seal::{self, Context};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::{Keyring, Known, placed};
use crate::append::StreamRef;
use crate::store::{Store, StoreError};

impl Keyring {
    /// Puts in place of each sealed field what a reader may see: the value,
    /// `{"withheld": class}` or `{"erased": class}`. `at` says where an event
    /// stands; fields of rows say it themselves.
    ///
    /// # Errors
    /// Where keys cannot be read or a field was sealed elsewhere.
    pub async fn reveal(&self, store: &dyn Store, organisation: OrganisationId, readings: &mut [Reading<'_>]) -> Result<(), StoreError> {
        let mut ids = BTreeSet::new();
        for reading in &*readings {
            collect(reading.value, reading.opens, &mut ids);
        }
        let known = self.fetch(store, organisation, &ids).await?;
        for reading in readings {
            let place = reading.at.as_ref().map(|(stream, sequence)| (stream, *sequence));
            reveal(reading.value, "/body", &Revealing { organisation, place, opens: reading.opens, known: &known })?;
        }
        Ok(())
    }
}

/// One value to be shown to somebody.
pub struct Reading<'a> {
    /// The row, or the event's body.
    pub value: &'a mut Value,
    /// The event's place; none for rows, whose fields say where they were written.
    pub at: Option<(StreamRef, u64)>,
    /// The classes the reader may see.
    pub opens: &'a dyn Fn(Class) -> bool,
}

struct Revealing<'a> {
    organisation: OrganisationId,
    place: Option<(&'a StreamRef, u64)>,
    opens: &'a dyn Fn(Class) -> bool,
    known: &'a HashMap<KeyId, Known>,
}

fn sealed_in(value: &Value) -> Option<Sealed> {
    let fields = value.as_object()?;
    (fields.contains_key("$k") && fields.contains_key("$c")).then(|| Sealed::deserialize(value).ok()).flatten()
}

fn collect(value: &Value, opens: &dyn Fn(Class) -> bool, ids: &mut BTreeSet<KeyId>) {
    match (sealed_in(value), value) {
        (Some(sealed), _) => {
            if opens(sealed.class) && sealed.ciphertext.is_some() {
                ids.insert(sealed.key);
            }
        }
        (None, Value::Array(items)) => items.iter().for_each(|item| collect(item, opens, ids)),
        (None, Value::Object(fields)) => fields.values().for_each(|field| collect(field, opens, ids)),
        (None, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {}
    }
}

fn reveal(value: &mut Value, pointer: &str, with: &Revealing<'_>) -> Result<(), StoreError> {
    if let Some(sealed) = sealed_in(value) {
        *value = shown(&sealed, pointer, with)?;
        return Ok(());
    }
    match value {
        Value::Array(items) => items.iter_mut().enumerate().try_for_each(|(index, item)| reveal(item, &format!("{pointer}/{index}"), with)),
        Value::Object(fields) => fields.iter_mut().try_for_each(|(name, field)| reveal(field, &format!("{pointer}/{name}"), with)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn shown(sealed: &Sealed, pointer: &str, with: &Revealing<'_>) -> Result<Value, StoreError> {
    let class = sealed.class.name();
    if !(with.opens)(sealed.class) {
        return Ok(json!({"withheld": class}));
    }
    let Some(Known { key: Some(key), .. }) = with.known.get(&sealed.key) else { return Ok(json!({"erased": class})) };
    let context = match (&sealed.origin, with.place) {
        (Some(origin), _) => placed(with.organisation, origin),
        (None, Some((stream, sequence))) => {
            Context { organisation: with.organisation, kind: &stream.kind, id: stream.id, sequence, pointer }
        }
        (None, None) => return Err(StoreError::Corrupt("a row holds a sealed field that does not say where it was written".to_owned())),
    };
    match seal::open(key, &context, sealed) {
        Ok(value) => Ok(value),
        Err(seal::NotOpened::Erased) => Ok(json!({"erased": class})),
        Err(error @ seal::NotOpened::Mismatch) => Err(StoreError::Corrupt(error.to_string())),
    }
}
