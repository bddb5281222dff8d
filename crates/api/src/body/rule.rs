//! A broken rule of a schema in words. Only what the schema says is told; the
//! validator's own sentences hold the value, and are never used.
#![expect(clippy::wildcard_enum_match_arm, reason = "the kinds of errors are the validator's, and grow with it")]

use std::collections::BTreeSet;

use jsonschema::error::{TypeKind, ValidationErrorKind as Broken};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::TEXT_PATTERN;
use super::faults::{Faults, push_name};

/// How many of the values that would do are listed.
const OPTIONS_MAX: usize = 40;

/// Adds what an error says, by place.
pub(super) fn tell(error: &ValidationError<'_>, faults: &mut Faults) {
    let pointer = error.instance_path().as_str();
    let child = |name: &str| {
        let mut pointer = pointer.to_owned();
        push_name(&mut pointer, name);
        pointer
    };
    match error.kind() {
        Broken::Required { property } => faults.add(&child(property.as_str().unwrap_or_default()), "is required"),
        Broken::AdditionalProperties { unexpected } | Broken::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                faults.add(&child(name), "is not a field of this request");
            }
        }
        Broken::AnyOf { context } | Broken::OneOfNotValid { context } => nearest(pointer, context, faults),
        Broken::PropertyNames { .. } => faults.add(pointer, "must not hold fields of such names"),
        kind => faults.add(pointer, said(kind)),
    }
}

/// What a rule on one value asks for.
fn said(kind: &Broken) -> String {
    match kind {
        Broken::Type { kind } => either(types(kind)),
        Broken::Enum { options } => one_of(values(options)),
        Broken::Constant { expected_value } => one_of(vec![expected_value.to_string()]),
        Broken::Format { format } => form(format),
        Broken::Pattern { pattern } if pattern == TEXT_PATTERN => {
            "must not hold control characters other than line feed and tab".to_owned()
        }
        Broken::Pattern { pattern } => format!("must match {pattern}"),
        Broken::MaxLength { limit } => format!("must be at most {limit} {} long", characters(*limit)),
        Broken::MinLength { limit } => format!("must be at least {limit} {} long", characters(*limit)),
        Broken::MaxItems { limit } => format!("must hold at most {limit} items"),
        Broken::MinItems { limit } => format!("must hold at least {limit} items"),
        Broken::MaxProperties { limit } => format!("must hold at most {limit} fields"),
        Broken::MinProperties { limit } => format!("must hold at least {limit} fields"),
        Broken::Maximum { limit } => format!("must be at most {limit}"),
        Broken::Minimum { limit } => format!("must be at least {limit}"),
        Broken::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Broken::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Broken::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Broken::UniqueItems => "must not hold an item twice".to_owned(),
        Broken::FalseSchema => "must not be there".to_owned(),
        other => format!("breaks the rule {} of its schema", other.keyword()),
    }
}

fn form(format: &str) -> String {
    match format {
        "date-time" => "must be an instant with its offset, such as 2021-03-08T09:00:00Z".to_owned(),
        "date" => "must be a day of the calendar, such as 2021-03-08".to_owned(),
        "uuid" => "must be a UUID".to_owned(),
        "uri" => "must be a URI with its scheme".to_owned(),
        other => format!("must be of the format {other}"),
    }
}

/// Of several forms none fits: told is what the form that was likely meant
/// asks for, else what would tell the forms apart.
fn nearest(pointer: &str, forms: &[Vec<ValidationError<'static>>], faults: &mut Faults) {
    let rank = |form: &Vec<_>| form.iter().map(|error| distance(error, pointer)).max().unwrap_or_default();
    let best = forms.iter().map(rank).min().unwrap_or_default();
    let candidates: Vec<_> = forms.iter().filter(|form| rank(form) == best).collect();
    match (best, candidates.as_slice()) {
        (Distance::Other, _) => {
            let kinds = candidates.iter().flat_map(|form| form.iter()).filter_map(|error| match error.kind() {
                Broken::Type { kind } => Some(types(kind)),
                _ => None,
            });
            faults.add(pointer, either(kinds.flatten().collect()));
        }
        (Distance::Tag, [_, _, ..]) => {
            let tags = candidates.iter().flat_map(|form| form.iter()).filter(|error| distance(error, pointer) == Distance::Tag);
            let places: BTreeSet<_> = tags.clone().map(|error| error.instance_path().as_str()).collect();
            let options: BTreeSet<_> = tags.flat_map(|error| allowed(error.kind())).collect();
            for place in places {
                faults.add(place, one_of(options.iter().cloned().collect()));
            }
        }
        _ => {
            let nearest = candidates.into_iter().min_by_key(|form| form.len());
            nearest.into_iter().flatten().for_each(|error| tell(error, faults));
        }
    }
}

/// How far a form is from what was sent, by one of its errors.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Distance {
    /// It may be the one that was meant.
    #[default]
    Near,
    /// A field, or the value itself, names another form.
    Tag,
    /// The value is of another kind altogether.
    Other,
}

fn distance(error: &ValidationError<'_>, pointer: &str) -> Distance {
    let below = error.instance_path().as_str().strip_prefix(pointer).unwrap_or_default();
    match error.kind() {
        Broken::Type { .. } if below.is_empty() => Distance::Other,
        Broken::Enum { .. } | Broken::Constant { .. } if below.matches('/').count() <= 1 => Distance::Tag,
        _ => Distance::Near,
    }
}

fn allowed(kind: &Broken) -> Vec<String> {
    match kind {
        Broken::Enum { options } => values(options),
        Broken::Constant { expected_value } => vec![expected_value.to_string()],
        _ => Vec::new(),
    }
}

fn values(options: &Value) -> Vec<String> {
    options.as_array().into_iter().flatten().map(ToString::to_string).collect()
}

fn one_of(options: Vec<String>) -> String {
    let more = if options.len() > OPTIONS_MAX { " or another of the contract" } else { "" };
    let listed: Vec<_> = options.into_iter().take(OPTIONS_MAX).collect();
    match listed.as_slice() {
        [only] => format!("must be {only}"),
        several => format!("must be one of {}{more}", several.join(", ")),
    }
}

fn types(kind: &TypeKind) -> Vec<&'static str> {
    let name = |kind| match kind {
        JsonType::Array => "an array",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "a whole number",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "a string",
    };
    match kind {
        TypeKind::Single(one) => vec![name(*one)],
        TypeKind::Multiple(several) => several.iter().map(name).collect(),
    }
}

fn either(mut kinds: Vec<&'static str>) -> String {
    kinds.sort_unstable();
    kinds.dedup();
    format!("must be {}", kinds.join(" or "))
}

fn characters(count: u64) -> &'static str {
    if count == 1 { "character" } else { "characters" }
}
