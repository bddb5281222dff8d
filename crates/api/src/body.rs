//! A command's body, checked in full before a handler sees it.
//!
//! In this order: its kind, its size, its encoding, its syntax, its text and
//! numbers, the schema the contract prints for it, and its type. The schema is
//! the one utoipa makes, so that whatever the contract says is enforced. What
//! breaks it is told all at once, by pointer and rule; what was sent is never
//! repeated.

mod faults;
mod rule;
mod schema;
mod strict;
mod tidy;

use std::any::TypeId;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures::StreamExt as _;
use futures::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::limits::Limits;
use crate::problem::Problem;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// What text may hold, as a `pattern` for the contract: no control characters
/// but line feed and tab. [`Body`] enforces it everywhere.
pub const TEXT_PATTERN: &str = r"^[^\u0000-\u0008\u000B-\u001F\u007F-\u009F]*$";

/// A body that is what its type says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body<T> {
    /// What it says.
    pub value: T,
    /// The same in canonical form (RFC 8785), in whatever order and spelling it
    /// was sent: what is the same command has the same text.
    pub canonical: String,
}

/// The body of a command that has no fields: `{}`, or none at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A file of comma-separated values, in UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csv {
    /// Its text; of a byte order mark rid.
    pub text: String,
    /// What was sent, to the byte.
    pub raw: Bytes,
}

impl<T: DeserializeOwned + ToSchema + 'static> Body<T> {
    /// A body of these bytes.
    ///
    /// # Errors
    /// 400 where they are no JSON, 422 where it is not as the schema says.
    pub fn parse(raw: Bytes) -> Result<Self, Problem> {
        let raw = match raw {
            raw if !raw.is_empty() => raw,
            _ if TypeId::of::<T>() == TypeId::of::<Nothing>() => Bytes::from_static(b"{}"),
            _ => return Err(Problem::new("malformed").detail("A body is needed.")),
        };
        let mut value = strict::parse(&raw)?;
        let mut faults = tidy::tidy(&mut value);
        schema::validate::<T>(&value, &mut faults)?;
        faults.none()?;
        let canonical = serde_json_canonicalizer::to_string(&value).map_err(|error| Problem::fault(&error))?;
        Ok(Self { value: schema::typed(&value)?, canonical })
    }
}

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let headers = request.headers();
            let kind = media_type(headers, "application/json");
            if kind == Kind::Other {
                return Err(Problem::new("media_type_not_supported"));
            }
            let raw = read(headers, &mut payload, limits(&request).body_bytes_max).await?;
            if kind == Kind::Missing && !raw.is_empty() {
                return Err(Problem::new("media_type_not_supported"));
            }
            Self::parse(raw)
        })
    }
}

impl FromRequest for Csv {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if media_type(request.headers(), "text/csv") != Kind::Right {
                return Err(Problem::new("media_type_not_supported").detail("Send text/csv in UTF-8, not compressed."));
            }
            let raw = read(request.headers(), &mut payload, limits(&request).import_bytes_max).await?;
            let text = std::str::from_utf8(&raw).map_err(|error| not_utf8(&error))?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
            Ok(Self { text, raw })
        })
    }
}

/// The limits in force for a request.
fn limits(request: &HttpRequest) -> Limits {
    let shared = || request.app_data::<Data<Limits>>().map(|limits| ***limits);
    request.app_data::<Limits>().copied().or_else(shared).unwrap_or_default()
}

/// The whole body, unless it is too large or too slow.
async fn read(headers: &HeaderMap, payload: &mut Payload, bytes_max: usize) -> Result<Bytes, Problem> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|told| told > bytes_max as u64) {
        return Err(too_large(bytes_max));
    }
    let reading = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk?;
            if body.len() + chunk.len() > bytes_max {
                return Err(too_large(bytes_max));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| Err(Problem::new("request_timeout")))
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new("too_large").detail(format!("A body has at most {bytes_max} bytes here."))
}

fn not_utf8(error: &std::str::Utf8Error) -> Problem {
    Problem::new("malformed").detail(format!("The body is not UTF-8: byte {} cannot stand there.", error.valid_up_to()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Right,
    Missing,
    Other,
}

/// Whether a body is of the kind taken here, in UTF-8, not compressed.
fn media_type(headers: &HeaderMap, taken: &str) -> Kind {
    let plain = |encoding: &header::HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).all(plain) {
        return Kind::Other;
    }
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Kind::Missing };
    let Ok(value) = value.to_str() else { return Kind::Other };
    let mut parts = value.split(';').map(str::trim);
    let right = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(taken)) && parts.all(is_utf8);
    if right { Kind::Right } else { Kind::Other }
}

/// Whether a parameter of a media type says nothing else than UTF-8.
fn is_utf8(parameter: &str) -> bool {
    match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8"),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
