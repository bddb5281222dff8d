//! `/problems` and `/problems/{code}`: where a problem's `type` leads. People
//! get a page that loads nothing, programs the same as JSON.

use std::fmt::Write as _;
use std::sync::LazyLock;

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{CATALOGUE, Entry, Problem, known, only, route};

const STYLE: &str = "body{max-width:46rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif;color:#1b1b1b;background:#fff}\
code{background:#f0f0ee;padding:.1em .3em}dt{margin-top:1rem}dd{margin-left:0}a{color:#0b4f8a}\
@media(prefers-color-scheme:dark){body{color:#e8e8e6;background:#161616}code{background:#2a2a2a}a{color:#8cc1f0}}";

/// Only the page's own style may be used, and nothing may be loaded.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
});

/// Serves the catalogue. For `App::configure`.
pub fn pages(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/problems").route(route(Method::GET).to(index)).default_service(only("GET")))
        .service(web::resource("/problems/{code}").route(route(Method::GET).to(page)).default_service(only("GET")));
}

/// An entry, as programs read it.
#[derive(Serialize)]
struct Told {
    #[serde(rename = "type")]
    kind: String,
    code: &'static str,
    status: u16,
    title: &'static str,
    meaning: &'static str,
    retryable: bool,
}

impl From<&'static Entry> for Told {
    fn from(entry: &'static Entry) -> Self {
        let Entry { code, status, title, meaning, retryable } = *entry;
        Self { kind: format!("/problems/{code}"), code, status, title, meaning, retryable }
    }
}

async fn index(request: HttpRequest) -> HttpResponse {
    if !wants_html(&request) {
        let items: Vec<_> = CATALOGUE.iter().map(Told::from).collect();
        return answer().json(serde_json::json!({ "items": items }));
    }
    let mut list = String::from("<p>Every error this service answers with. A code means the same for ever; expect new ones.</p><dl>");
    for Entry { code, status, title, .. } in CATALOGUE {
        let _ = write!(list, "<dt><a href=\"/problems/{code}\"><code>{code}</code></a> {status}</dt><dd>{title}</dd>");
    }
    list.push_str("</dl>");
    html("Problems", &list)
}

async fn page(request: HttpRequest, code: web::Path<String>) -> Result<HttpResponse, Problem> {
    let entry = known(&code).ok_or_else(|| Problem::new("not_found"))?;
    if !wants_html(&request) {
        return Ok(answer().json(Told::from(entry)));
    }
    let Entry { code, status, title, meaning, retryable } = entry;
    let again = if *retryable { "The same request may succeed later, unchanged." } else { "Sent again unchanged, it fails again." };
    let text = format!(
        "<p><code>{code}</code>, HTTP status {status}</p><p>{meaning}</p><p>{again}</p><p><a href=\"/problems\">All problems</a></p>"
    );
    Ok(html(title, &text))
}

/// Browsers name it, programs do not.
fn wants_html(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn answer() -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::VARY, "accept"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    answer
}

fn html(title: &str, text: &str) -> HttpResponse {
    answer()
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .content_type("text/html; charset=utf-8")
        .body(format!(
            "<!doctype html><html lang=\"en-GB\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>{text}</body></html>"
        ))
}
