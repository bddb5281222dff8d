//! Why a command is refused: every unmet condition, each with a stable code.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One condition that is not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Unmet {
    /// The rule's code, stable for ever.
    pub code: String,
    /// One sentence for whoever asked. Never holds personal data.
    pub detail: String,
    /// Where in the request the fault lies, as a JSON Pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

impl Unmet {
    /// A condition with its code and sentence.
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into(), pointer: None }
    }

    /// The same, said of one field of the request.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        self.pointer = Some(pointer.to_owned());
        self
    }
}

/// A command refused, with every reason at once. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub Vec<Unmet>);

impl Refusal {
    /// Refused for one reason.
    pub fn one(code: &str, detail: impl Into<String>) -> Self {
        Self(vec![Unmet::new(code, detail)])
    }

    /// Nothing unmet, or the refusal that lists all of it.
    ///
    /// # Errors
    /// Where anything is unmet.
    pub fn unless_met(unmet: Vec<Unmet>) -> Result<(), Self> {
        if unmet.is_empty() { Ok(()) } else { Err(Self(unmet)) }
    }
}

impl From<Unmet> for Refusal {
    fn from(unmet: Unmet) -> Self {
        Self(vec![unmet])
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences: Vec<_> = self.0.iter().map(|unmet| unmet.detail.as_str()).collect();
        f.write_str(&sentences.join(" "))
    }
}

impl std::error::Error for Refusal {}
