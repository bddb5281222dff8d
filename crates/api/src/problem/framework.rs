//! What actix answers by itself, in the shape of everything else: its
//! extractors' errors, unknown paths and wrong methods.
//!
//! Left alone it would answer plain text that repeats what it was sent, and an
//! empty 404 where a path exists but not with that method.

use actix_web::dev::ResourceDef;
use actix_web::error::{JsonPayloadError, PathError, PayloadError, QueryPayloadError, UrlencodedError};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, ResponseError, Route, guard, web};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;

use super::Problem;

/// Gives the errors of actix's own extractors the one shape. For
/// `App::configure`.
pub fn extractors(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PathConfig::default().error_handler(|error, _| of_path(&error).into()))
        .app_data(web::QueryConfig::default().error_handler(|error, _| of_query(&error).into()))
        .app_data(web::FormConfig::default().error_handler(|error, _| of_form(&error).into()))
        .app_data(web::JsonConfig::default().error_handler(|error, _| of_json(&error).into()));
}

/// A route for this method; one for GET serves HEAD as well (RFC 9110, 9.3.2),
/// whose answer the server sends without its body.
#[must_use]
pub fn route(method: Method) -> Route {
    if method == Method::GET { web::route().guard(guard::Any(guard::Get()).or(guard::Head())) } else { web::method(method) }
}

/// The default service of a resource: its methods are these, comma-separated,
/// and HEAD where GET is one of them.
///
/// `web::resource("/x").route(route(Method::GET).to(read)).default_service(only("GET"))`
#[must_use]
pub fn only(allow: &str) -> Route {
    let allow = if allow.contains("GET") { format!("{allow}, HEAD") } else { allow.to_owned() };
    web::route().to(move || std::future::ready(Err::<HttpResponse, _>(Problem::method_not_allowed(&allow))))
}

/// The default service of the whole: 405 where [`Paths`] in the app's data know
/// the path with other methods, else 404.
///
/// # Errors
/// Always.
pub async fn unknown_path(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let allow = request.app_data::<web::Data<Paths>>().and_then(|paths| paths.methods(request.path()));
    Err(allow.map_or_else(|| Problem::new("not_found"), |allow| Problem::method_not_allowed(&allow)))
}

/// The paths of the contract with their methods: handlers that are registered
/// one by one know nothing of each other, so none of them can answer `Allow`.
pub struct Paths(Vec<(ResourceDef, Vec<&'static str>)>);

impl Paths {
    /// All paths of a contract.
    #[must_use]
    pub fn of(contract: &OpenApi) -> Self {
        Self(contract.paths.paths.iter().map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item))).collect())
    }

    /// The methods a path knows, comma-separated; `None` where it is unknown.
    fn methods(&self, path: &str) -> Option<String> {
        let matching = self.0.iter().filter(|(template, _)| template.is_match(path));
        let mut methods: Vec<_> = matching.flat_map(|(_, methods)| methods.iter().copied()).collect();
        methods.sort_unstable();
        methods.dedup();
        (!methods.is_empty()).then(|| methods.join(", "))
    }
}

fn methods(item: &PathItem) -> Vec<&'static str> {
    let known = [
        ("DELETE", &item.delete),
        ("GET", &item.get),
        ("HEAD", &item.head),
        ("OPTIONS", &item.options),
        ("PATCH", &item.patch),
        ("POST", &item.post),
        ("PUT", &item.put),
    ];
    known.into_iter().filter(|(_, operation)| operation.is_some()).map(|(method, _)| method).collect()
}

/// The problem nearest to a status that came without one.
pub(super) fn of_status(status: StatusCode) -> Problem {
    Problem::new(match status.as_u16() {
        401 => "unauthenticated",
        403 => "not_permitted",
        404 | 410 => "not_found",
        405 => "method_not_allowed",
        406 => "not_acceptable",
        408 => "request_timeout",
        409 => "refused",
        412 => "version_stale",
        413 => "too_large",
        414 => "uri_too_long",
        415 => "media_type_not_supported",
        422 => "invalid",
        428 => "version_required",
        429 => "rate_limited",
        431 => "headers_too_large",
        502..=504 => "unavailable",
        400..=499 => "malformed",
        _ => "fault",
    })
}

fn of_path(_: &PathError) -> Problem {
    Problem::new("malformed").detail("A part of the path is not of the form it must have.")
}

fn of_query(error: &QueryPayloadError) -> Problem {
    told_by_serde(&error.to_string())
}

fn of_form(error: &UrlencodedError) -> Problem {
    of_status(error.status_code())
}

fn of_json(error: &JsonPayloadError) -> Problem {
    if matches!(error, JsonPayloadError::ContentType) {
        return Problem::new("media_type_not_supported");
    }
    of_status(error.status_code())
}

/// Serde names fields of ours and repeats values of the caller's: the names are
/// kept, the values are not.
fn told_by_serde(message: &str) -> Problem {
    let ours = |marker: &str| message.split_once(marker).map(|(_, rest)| rest.to_owned());
    if message.contains("unknown field `") {
        let known = ours(", expected ").unwrap_or_default();
        return match known.strip_prefix("one of ").unwrap_or(&known) {
            "" | "there are no fields" => Problem::new("unknown_parameter").detail("No query parameter is known here."),
            names => Problem::new("unknown_parameter").detail(format!("The query parameters known here are {names}.")),
        };
    }
    for (marker, what) in [("missing field `", "is missing"), ("duplicate field `", "came twice")] {
        if let Some(name) = ours(marker).as_deref().and_then(|rest| rest.split('`').next()) {
            return Problem::new("malformed").detail(format!("The query parameter `{name}` {what}."));
        }
    }
    Problem::new("malformed").detail("A query parameter is not of the form it must have.")
}

impl From<PayloadError> for Problem {
    fn from(error: PayloadError) -> Self {
        if matches!(error, PayloadError::Overflow) {
            return Self::new("too_large");
        }
        Self::new("malformed").detail("The body did not arrive whole.")
    }
}
