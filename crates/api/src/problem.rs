//! Every error this service answers with, the framework's own included, as
//! RFC 9457 says: one shape, one committed catalogue, all faults at once.
//!
//! A *refusal* is the caller's news and says what to do about it; a *fault* is
//! ours and says nothing but that it is noted. Neither repeats a value it was
//! given, so no personal data leaves through an error.

mod catalogue;
mod framework;
mod pages;
mod translate;

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use lastresort_fact::{Refusal, Unmet};
use serde::ser::{Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};

pub use catalogue::{CATALOGUE, Entry, known};
pub use framework::{Paths, extractors, only, route, unknown_path};
pub use pages::pages;
pub use translate::{RequestId, translate};

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Seconds a caller is asked to wait where nothing better is known.
const RETRY_AFTER_SECONDS: u32 = 1;

/// An error as the caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    entry: &'static Entry,
    detail: String,
    instance: Option<String>,
    errors: Vec<Unmet>,
    extra: Option<Box<Extra>>,
}

/// What only a few problems carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Extra {
    version: Option<u64>,
    moved_by: Option<String>,
    moved_by_role: Option<String>,
    retry_after_seconds: Option<u32>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// The problem of that code. A code outside the catalogue is a fault of
    /// ours, and noted as one.
    #[must_use]
    pub fn new(code: &str) -> Self {
        let entry = known(code).unwrap_or_else(|| {
            tracing::error!(code, "a problem's code is missing in the catalogue");
            catalogue::fault()
        });
        Self { entry, detail: entry.meaning.to_owned(), instance: None, errors: Vec::new(), extra: None }
    }

    /// A fault of ours: `why` goes to the log, nothing of it to the caller.
    #[must_use]
    pub fn fault(why: &dyn fmt::Display) -> Self {
        tracing::error!(%why, "fault");
        Self::new("fault")
    }

    /// Of what stands in the way of somebody, what they are told: where they may
    /// not ask at all, nothing else.
    #[must_use]
    pub fn told_of(mut unmet: Vec<Unmet>) -> Vec<Unmet> {
        if unmet.iter().any(|one| one.code == "not_permitted") {
            unmet.retain(|one| one.code == "not_permitted");
        }
        unmet
    }

    /// A domain refusal, with every unmet condition. Its first code names the
    /// problem; where the caller may not ask at all, nothing else is told.
    #[must_use]
    pub fn from_refusal(refusal: Refusal) -> Self {
        let unmet = Self::told_of(refusal.0);
        let code = unmet.first().map_or("refused", |first| first.code.as_str());
        let code = if known(code).is_some() {
            code
        } else {
            tracing::error!(code, "a refusal's code is missing in the catalogue");
            "refused"
        };
        let detail = unmet.iter().map(|one| one.detail.as_str()).collect::<Vec<_>>().join(" ");
        Self::new(code).detail(detail).errors(unmet)
    }

    /// The wrong method on a path that exists; `allow` lists the right ones.
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        Self::new("method_not_allowed").header(header::ALLOW, allow)
    }

    /// A sentence on this occurrence. Never holds personal data.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Every fault found in the request.
    #[must_use]
    pub fn errors(mut self, errors: Vec<Unmet>) -> Self {
        self.errors = errors;
        self
    }

    /// Says of which field of the request the detail is, as a JSON Pointer.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        let unmet = Unmet::new(self.entry.code, self.detail.clone()).at(pointer);
        self.errors.push(unmet);
        self
    }

    /// Names this occurrence, as the log does.
    #[must_use]
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// The version a resource has now, for whoever held an older one.
    #[must_use]
    pub fn version(mut self, version: u64) -> Self {
        self.extra().version = Some(version);
        self
    }

    /// Who moved the resource last, by id and role; never by name.
    #[must_use]
    pub fn moved_by(mut self, id: impl Into<String>, role: impl Into<String>) -> Self {
        let extra = self.extra();
        extra.moved_by = Some(id.into());
        extra.moved_by_role = Some(role.into());
        self
    }

    /// When asking again may help.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.extra().retry_after_seconds = Some(seconds);
        self
    }

    /// A header of the answer, instead of the one it has by itself. One that
    /// cannot stand in a header is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.extra().headers.push((name, value));
        }
        self
    }

    /// The catalogue's entry.
    #[must_use]
    pub const fn entry(&self) -> &'static Entry {
        self.entry
    }

    /// The code, stable for ever.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.entry.code
    }

    /// The faults it lists.
    #[must_use]
    pub fn faults(&self) -> &[Unmet] {
        &self.errors
    }

    fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    fn document(&self) -> Document {
        let extra = self.extra.as_deref().cloned().unwrap_or_default();
        Document {
            kind: format!("/problems/{}", self.entry.code),
            title: self.entry.title.to_owned(),
            status: self.entry.status,
            detail: self.detail.clone(),
            instance: self.instance.clone(),
            code: self.entry.code.to_owned(),
            errors: self.errors.clone(),
            retryable: self.entry.retryable,
            version: extra.version,
            moved_by: extra.moved_by,
            moved_by_role: extra.moved_by_role,
        }
    }
}

/// An error, as RFC 9457 describes it.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
struct Document {
    /// Where the code is explained: a page of this service.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", example = "/problems/version_stale")]
    kind: String,
    /// What the code means, in a few words.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong this time.
    detail: String,
    /// The id of this occurrence, to quote when asking about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uri-reference")]
    instance: Option<String>,
    /// The code, stable for ever; expect ones you do not know.
    code: String,
    /// Every fault found, each with its place in the request; of very many the first hundred.
    errors: Vec<Unmet>,
    /// Whether the same request may succeed later, unchanged.
    retryable: bool,
    /// On 412: the version the resource has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    /// On 412: the id of whoever moved it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_by: Option<String>,
    /// On 412: in what role they did.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_by_role: Option<String>,
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.document().serialize(serializer)
    }
}

impl utoipa::ToSchema for Problem {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        <Document as utoipa::ToSchema>::schemas(schemas);
    }
}

impl utoipa::PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        <Document as utoipa::PartialSchema>::schema()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.entry.code, self.detail)
    }
}

impl std::error::Error for Problem {}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::from_refusal(refusal)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.entry.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut answer = HttpResponse::build(status);
        answer.content_type(MEDIA_TYPE);
        answer.insert_header((header::CACHE_CONTROL, "no-store"));
        answer.insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
        let extra = self.extra.as_deref();
        if status == StatusCode::UNAUTHORIZED {
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            let seconds = extra.and_then(|extra| extra.retry_after_seconds).unwrap_or(RETRY_AFTER_SECONDS);
            answer.insert_header((header::RETRY_AFTER, seconds));
        }
        for (name, value) in extra.map(|extra| extra.headers.as_slice()).unwrap_or_default() {
            answer.insert_header((name.clone(), value.clone()));
        }
        answer.body(serde_json::to_vec(&self.document()).unwrap_or_default())
    }
}

#[cfg(test)]
#[path = "problem/tests.rs"]
mod tests;
