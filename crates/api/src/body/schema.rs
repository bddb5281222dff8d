//! The schema the contract prints, enforced: what utoipa derives is compiled
//! once for each type and judges every body before its type is tried.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use jsonschema::{Draft, Validator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use serde_path_to_error::Segment;
use utoipa::ToSchema;

use super::faults::{Faults, push_name};
use super::rule;
use crate::problem::Problem;

const IN_CONTRACT: &str = "#/components/schemas/";
const HERE: &str = "#/$defs/";

static COMPILED: LazyLock<RwLock<HashMap<TypeId, Arc<Validator>>>> = LazyLock::new(RwLock::default);

/// Adds what breaks the schema of `T`; of a place that is known to be wrong nothing more.
pub(super) fn validate<T: ToSchema + 'static>(value: &Value, faults: &mut Faults) -> Result<(), Problem> {
    let validator = compiled::<T>()?;
    if validator.is_valid(value) {
        return Ok(());
    }
    let known = std::mem::take(faults);
    for error in validator.iter_errors(value) {
        if !known.knows(error.instance_path().as_str()) {
            rule::tell(&error, faults);
        }
        if faults.is_full() {
            break;
        }
    }
    faults.extend(known);
    Ok(())
}

/// The value as its type has it. The schema says less than the type now and
/// then: how large an integer may be, that a day exists.
pub(super) fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    if let Ok(typed) = T::deserialize(value) {
        return Ok(typed);
    }
    serde_path_to_error::deserialize(value).or_else(|error| {
        let mut pointer = String::new();
        for segment in error.path() {
            match segment {
                Segment::Seq { index } => push_name(&mut pointer, &index.to_string()),
                Segment::Map { key } => push_name(&mut pointer, key),
                Segment::Enum { .. } | Segment::Unknown => {}
            }
        }
        let mut faults = Faults::default();
        faults.add(&pointer, "is not a value this field can take");
        faults.none()?;
        Err(Problem::new("invalid"))
    })
}

fn compiled<T: ToSchema + 'static>() -> Result<Arc<Validator>, Problem> {
    let known = COMPILED.read().unwrap_or_else(PoisonError::into_inner).get(&TypeId::of::<T>()).cloned();
    if let Some(validator) = known {
        return Ok(validator);
    }
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    let validator = Arc::new(options.build(&document::<T>()).map_err(|why| Problem::fault(&why))?);
    COMPILED.write().unwrap_or_else(PoisonError::into_inner).insert(TypeId::of::<T>(), Arc::clone(&validator));
    Ok(validator)
}

/// The schema of `T` with all it refers to, as one document.
fn document<T: ToSchema>() -> Value {
    let mut referred = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut referred);
    let definitions: Map<_, _> = referred.into_iter().map(|(name, schema)| (name, json!(schema))).collect();
    let mut document = json!({ "$ref": format!("{HERE}{}", T::name()), "$defs": definitions });
    bring_here(&mut document);
    document
}

fn bring_here(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let (Value::String(target), "$ref") = (&mut *field, name.as_str()) {
                    *target = target.replacen(IN_CONTRACT, HERE, 1);
                }
                bring_here(field);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(bring_here),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
