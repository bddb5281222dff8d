//! What the service answered, and what a story expects of it. Whatever fails
//! prints the whole answer.

use std::fmt;
use std::ops::Index;

use reqwest::header::HeaderMap;
use reqwest::{Method, Response};
use serde_json::{Map, Value};
use uuid::Uuid;

/// An answer, read to its end.
#[derive(Clone)]
pub struct Answer {
    /// How it was asked for.
    pub method: Method,
    /// What was asked for.
    pub path: String,
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as it came.
    pub text: String,
    /// Its body where it is JSON, else null.
    pub body: Value,
}

/// A page of a list.
pub struct Page {
    /// What is on it.
    pub items: Vec<Value>,
    /// Where the next begins.
    pub next: Option<String>,
}

impl Answer {
    pub(super) async fn read(method: &Method, path: &str, response: Response) -> Option<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.ok()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Some(Self { method: method.clone(), path: path.to_owned(), status, headers, text, body })
    }

    /// Expects this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Expects that it was done.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.is(200)
    }

    /// Expects that something new was made.
    #[track_caller]
    pub fn created(self) -> Self {
        self.is(201)
    }

    /// Expects a refusal of this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let refused = self.is(status);
        assert_eq!(refused["code"], code, "{refused}");
        refused
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The id of the resource.
    #[track_caller]
    pub fn id(&self) -> &str {
        self["id"].as_str().unwrap_or_else(|| panic!("no id: {self}"))
    }

    /// The version its `ETag` names.
    #[track_caller]
    pub fn version(&self) -> u64 {
        let tag = self.header("etag").and_then(|tag| tag.trim_matches('"').parse().ok());
        tag.unwrap_or_else(|| panic!("no version: {self}"))
    }

    /// The ledger's position it reflects.
    #[track_caller]
    pub fn position(&self) -> u64 {
        let position = self.header("ledger-position").and_then(|position| position.parse().ok());
        position.unwrap_or_else(|| panic!("no position: {self}"))
    }

    /// Whether it was given before under the same key.
    pub fn replayed(&self) -> bool {
        self.header("idempotent-replayed") == Some("true")
    }

    /// The page of a list.
    #[track_caller]
    pub fn page(&self) -> Page {
        let items = self["items"].as_array().unwrap_or_else(|| panic!("no page: {self}")).clone();
        Page { items, next: self["next"].as_str().map(str::to_owned) }
    }

    /// A refusal's faults: where, and which.
    pub fn faults(&self) -> Vec<(&str, &str)> {
        let faults = self["errors"].as_array().into_iter().flatten();
        faults.map(|fault| (fault["pointer"].as_str().unwrap_or_default(), fault["code"].as_str().unwrap_or_default())).collect()
    }

    /// What the caller may do: each action with the code of what stands in its way first.
    pub fn actions(&self) -> Vec<(&str, Option<&str>)> {
        let actions = self["allowed_actions"].as_array().into_iter().flatten();
        actions.map(|action| (action["action"].as_str().unwrap_or_default(), action["blocked_by"][0]["code"].as_str())).collect()
    }

    /// The body without what differs from one telling to the next.
    pub fn redacted(&self) -> Value {
        redacted(&self.body)
    }
}

impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, field: &str) -> &Value {
        &self.body[field]
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{} {}\n{}", self.method, self.path, self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        if self.body.is_null() { writeln!(f, "\n{}", self.text) } else { writeln!(f, "\n{:#}", self.body) }
    }
}

/// A value with `(id)` for every id, and without what the caller may do next.
#[must_use]
pub fn redacted(value: &Value) -> Value {
    match value {
        Value::String(text) if text.parse::<Uuid>().is_ok() => "(id)".into(),
        Value::Array(items) => items.iter().map(redacted).collect(),
        Value::Object(fields) => {
            let told = fields.iter().filter(|(name, _)| *name != "allowed_actions");
            Value::Object(told.map(|(name, field)| (name.clone(), redacted(field))).collect::<Map<_, _>>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
