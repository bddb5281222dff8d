//! Text and numbers, whatever field they are in: text becomes NFC, so that the
//! same name is the same bytes, and holds no control characters; a number is
//! one that every reader of JSON reads alike.

use serde_json::{Number, Value};
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::faults::{Faults, push_name};

/// The largest whole number a double holds with both its neighbours.
const NUMBER_MAX: i64 = (1 << 53) - 1;

/// Tidies a value in place, and says what cannot be.
pub(super) fn tidy(value: &mut Value) -> Faults {
    let mut faults = Faults::default();
    walk(value, &mut String::new(), &mut faults);
    faults
}

fn walk(value: &mut Value, pointer: &mut String, faults: &mut Faults) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => match whole(number) {
            Some(tidied) => *number = tidied,
            None => faults.add(pointer, format!("must lie between -{NUMBER_MAX} and {NUMBER_MAX}")),
        },
        Value::String(text) => {
            if text.chars().any(is_control) {
                faults.add(pointer, "must not hold control characters other than line feed and tab");
            } else if is_nfc_quick(text.chars()) != IsNormalized::Yes {
                *text = text.nfc().collect();
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                within(&index.to_string(), item, pointer, faults);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if name.chars().any(is_control) {
                    faults.add(pointer, "must not hold field names with control characters");
                }
                within(name, field, pointer, faults);
            }
        }
    }
}

fn within(name: &str, value: &mut Value, pointer: &mut String, faults: &mut Faults) {
    let length = pointer.len();
    push_name(pointer, name);
    walk(value, pointer, faults);
    pointer.truncate(length);
}

fn is_control(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\t')
}

/// A number within bounds; a whole one is written as one, so that `1.0` is 1.
fn whole(number: &Number) -> Option<Number> {
    if let Some(whole) = number.as_i64() {
        return (-NUMBER_MAX..=NUMBER_MAX).contains(&whole).then(|| whole.into());
    }
    let fraction = number.as_f64()?;
    #[expect(clippy::cast_precision_loss, reason = "the bound is one a double holds exactly")]
    if fraction.abs() > NUMBER_MAX as f64 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within bounds")]
    if fraction.fract() == 0.0 { Some((fraction as i64).into()) } else { Some(number.clone()) }
}
