//! Canonical JSON (RFC 8785), narrowed to what every language reads alike:
//! whole numbers within ±2^53−1, no NUL in text.

use serde::Serialize;
use serde_json::Value;

/// The largest whole number every JSON reader keeps exactly.
pub const WHOLE_MAX: i64 = 9_007_199_254_740_991;

/// A value that has no canonical form here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// A fraction, an exponent, or a whole number beyond ±2^53−1.
    #[error("a number is not a whole number within ±2^53−1")]
    Number,
    /// Text with a NUL.
    #[error("a text holds a NUL")]
    Nul,
    /// Not JSON at all.
    #[error("the value is not JSON")]
    NotJson,
}

/// The canonical bytes of a value.
///
/// # Errors
/// Where it holds a number or text that not every reader keeps exactly.
pub fn bytes(value: &impl Serialize) -> Result<Vec<u8>, NotCanonical> {
    let value = serde_json::to_value(value).map_err(|_| NotCanonical::NotJson)?;
    check(&value)?;
    serde_json_canonicalizer::to_vec(&value).map_err(|_| NotCanonical::NotJson)
}

/// Says whether a value has a canonical form.
///
/// # Errors
/// The first thing that has none.
pub fn check(value: &Value) -> Result<(), NotCanonical> {
    match value {
        Value::Null | Value::Bool(_) => Ok(()),
        Value::Number(number) => match number.as_i64() {
            Some(whole) if (-WHOLE_MAX..=WHOLE_MAX).contains(&whole) => Ok(()),
            Some(_) | None => Err(NotCanonical::Number),
        },
        Value::String(text) => text_is_plain(text),
        Value::Array(items) => items.iter().try_for_each(check),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| text_is_plain(name).and_then(|()| check(value))),
    }
}

fn text_is_plain(text: &str) -> Result<(), NotCanonical> {
    if text.contains('\0') { Err(NotCanonical::Nul) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{NotCanonical, bytes};

    #[test]
    fn keys_are_sorted_by_utf_16_and_nothing_is_padded() {
        let value = json!({"b": [1, null], "a": "\u{20ac}\n", "\u{1f600}": 1, "\u{fb33}": 2});
        let text = String::from_utf8(bytes(&value).expect("canonical")).expect("UTF-8");
        assert_eq!(text, "{\"a\":\"\u{20ac}\\n\",\"b\":[1,null],\"\u{1f600}\":1,\"\u{fb33}\":2}");
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        assert_eq!(bytes(&json!(1.5)), Err(NotCanonical::Number));
        assert_eq!(bytes(&json!(9_007_199_254_740_992_i64)), Err(NotCanonical::Number));
        assert_eq!(bytes(&json!("a\0b")), Err(NotCanonical::Nul));
    }

    #[test]
    fn serde_json_keeps_neither_order_nor_spelling_of_numbers() {
        let value: serde_json::Value = serde_json::from_str(r#"{"b":1,"a":1.0}"#).expect("JSON");
        assert_eq!(value.to_string(), r#"{"a":1.0,"b":1}"#, "preserve_order must stay off");
        let large: serde_json::Value = serde_json::from_str("1e400").unwrap_or_default();
        assert!(large.is_null(), "arbitrary_precision must stay off");
    }
}
