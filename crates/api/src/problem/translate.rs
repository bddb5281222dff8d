//! The last look at every answer: what is an error and not yet a problem
//! becomes one, and each gets the id under which the log has it.
//!
//! Wraps the whole app, inside nothing but CORS. What actix refuses before a
//! request exists (a request line that is no HTTP) never comes here.

use std::panic::AssertUnwindSafe;

use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, ResponseError as _};
use futures::FutureExt as _;
use tracing::Instrument as _;
use uuid::Uuid;

use super::Problem;
use super::framework::of_status;
use crate::limits::RateState;

/// How long an address may be.
const URI_BYTES_MAX: usize = 8 * 1024;
/// How large all header fields together may be.
const HEADERS_BYTES_MAX: usize = 32 * 1024;

/// The id of a request, in its extensions and in every line logged under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub Uuid);

impl RequestId {
    fn instance(self) -> String {
        self.0.urn().to_string()
    }
}

/// The middleware, for `wrap(from_fn(translate))`.
///
/// # Errors
/// With a problem, where an inner middleware failed or a handler panicked.
pub async fn translate<B: MessageBody + 'static>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let id = RequestId(lastresort_ledger::ids::new());
    request.extensions_mut().insert(id);
    let span = tracing::info_span!("request", id = %id.0, method = %request.method(), trace = trace_id(&request));
    if let Some(problem) = oversized(&request) {
        let answer = problem.instance(id.instance()).error_response();
        return Ok(request.into_response(answer).map_into_right_body());
    }
    let call = AssertUnwindSafe(next.call(request).instrument(span.clone())).catch_unwind().await;
    let _entered = span.enter();
    match call {
        Ok(Ok(response)) => Ok(rated(retold(response, id))),
        Ok(Err(error)) => Err(finished(&problem_of(&error), id).into()),
        Err(_) => Err(finished(&Problem::fault(&"a handler panicked"), id).into()),
    }
}

/// Says what the caller may still ask, where the rate was looked at.
fn rated<B>(mut response: ServiceResponse<B>) -> ServiceResponse<B> {
    let state = response.request().extensions().get::<RateState>().copied();
    if let Some(state) = state {
        state.tell(response.headers_mut());
    }
    response
}

fn oversized(request: &ServiceRequest) -> Option<Problem> {
    if request.uri().path_and_query().map_or(0, |uri| uri.as_str().len()) > URI_BYTES_MAX {
        return Some(Problem::new("uri_too_long"));
    }
    let bytes: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    (bytes > HEADERS_BYTES_MAX).then(|| Problem::new("headers_too_large"))
}

/// The trace a request belongs to, where it names a valid one (W3C trace context).
fn trace_id(request: &ServiceRequest) -> Option<&str> {
    let parent = request.headers().get("traceparent")?.to_str().ok()?;
    let mut parts = parent.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let valid = version.len() == 2 && version != "ff" && hex(version) && trace.len() == 32 && hex(trace);
    (valid && trace.bytes().any(|byte| byte != b'0')).then_some(trace)
}

fn problem_of(error: &Error) -> Problem {
    error.as_error::<Problem>().cloned().unwrap_or_else(|| of_status(error.as_response_error().status_code()))
}

/// Logs a problem and gives it the request's id.
fn finished(problem: &Problem, id: RequestId) -> Problem {
    let entry = problem.entry();
    if entry.status >= 500 {
        tracing::error!(code = entry.code, status = entry.status, "failed");
    } else {
        tracing::warn!(code = entry.code, status = entry.status, "refused");
    }
    problem.clone().instance(id.instance())
}

fn retold<B: MessageBody>(response: ServiceResponse<B>, id: RequestId) -> ServiceResponse<EitherBody<B>> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response.map_into_left_body();
    }
    let problem = match response.response().error() {
        Some(error) => problem_of(error),
        None if is_bare(&response) => of_status(status),
        None => return response.map_into_left_body(),
    };
    let mut answer = finished(&problem, id).error_response();
    for (name, value) in response.headers() {
        let of_the_body = [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING].contains(name);
        if !of_the_body && !answer.headers().contains_key(name) {
            answer.headers_mut().append(name.clone(), value.clone());
        }
    }
    response.into_response(answer).map_into_right_body()
}

/// Whether an error says nothing a program could read.
fn is_bare<B: MessageBody>(response: &ServiceResponse<B>) -> bool {
    let empty = matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0));
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    empty || kind.is_none_or(|kind| kind.starts_with("text/plain"))
}
