use std::collections::BTreeSet;
use std::num::NonZeroU32;

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{ACCEPT, ALLOW, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{self as actix, TestRequest};
use actix_web::{App, HttpMessage as _, HttpRequest, body, web};
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::limits::{RateLimiter, RateSettings};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(rename = "limit")]
    _limit: u32,
}

async fn plain_refusal() -> HttpResponse {
    HttpResponse::BadRequest().content_type("text/plain").body("said Jane Doe")
}

async fn not_ready() -> HttpResponse {
    HttpResponse::ServiceUnavailable().json(serde_json::json!({ "ready": false }))
}

async fn panics() -> HttpResponse {
    panic!("on purpose")
}

async fn id_of(request: HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(|id| id.0.to_string()).unwrap_or_default()
}

async fn rated(request: HttpRequest, limiter: web::Data<RateLimiter>) -> Result<HttpResponse, Problem> {
    let state = limiter.check("caller")?;
    request.extensions_mut().insert(state);
    Err(Problem::new("not_found"))
}

async fn closed<B>(request: ServiceRequest, next: Next<B>) -> Result<actix_web::dev::ServiceResponse<B>, actix_web::Error> {
    if request.path() == "/closed" {
        return Err(Problem::new("not_permitted").into());
    }
    next.call(request).await
}

fn limiter() -> RateLimiter {
    let one = NonZeroU32::MIN;
    RateLimiter::new(RateSettings { name: "caller", per_second: one, burst: one.saturating_add(9) })
}

fn contract() -> utoipa::openapi::OpenApi {
    let paths = serde_json::json!({ "/things/{id}": { "get": { "responses": {} }, "put": { "responses": {} } } });
    serde_json::from_value(serde_json::json!({ "openapi": "3.1.0", "info": { "title": "t", "version": "1" }, "paths": paths }))
        .expect("a contract")
}

/// What the app answers: status, header lookup and body.
struct Answer(HttpResponse, Vec<u8>);

impl Answer {
    fn header(&self, name: impl actix_web::http::header::AsHeaderName) -> Option<&str> {
        self.0.headers().get(name).and_then(|value| value.to_str().ok())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.1).expect("JSON")
    }

    /// That it is a whole problem of that code.
    fn is(&self, code: &str) -> Value {
        let problem = self.json();
        assert_eq!(self.header(CONTENT_TYPE), Some(MEDIA_TYPE));
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], self.0.status().as_u16());
        assert_eq!(problem["type"], format!("/problems/{code}"));
        assert!(problem["instance"].as_str().is_some_and(|id| id.starts_with("urn:uuid:")), "{problem}");
        problem
    }
}

async fn ask(request: TestRequest) -> Answer {
    let app = actix::init_service(
        App::new()
            .wrap(from_fn(closed))
            .wrap(from_fn(translate))
            .app_data(web::Data::new(Paths::of(&contract())))
            .configure(extractors)
            .configure(pages)
            .service(web::resource("/only").route(route(Method::GET).to(id_of)).default_service(only("GET")))
            .service(web::resource("/path/{number}").to(|_: web::Path<u32>| async { "" }))
            .service(web::resource("/query").to(|_: web::Query<Page>| async { "" }))
            .service(web::resource("/json").to(|_: web::Json<u32>| async { "" }))
            .service(web::resource("/plain").to(plain_refusal))
            .service(web::resource("/ready").to(not_ready))
            .app_data(web::Data::new(limiter()))
            .service(web::resource("/rated").to(rated))
            .service(web::resource("/panics").to(panics))
            .service(
                web::resource("/stale").to(|| async { Err::<String, _>(Problem::new("version_stale").version(7).moved_by("x", "mentor")) }),
            )
            .default_service(web::to(unknown_path)),
    )
    .await;
    let answer = match actix::try_call_service(&app, request.to_request()).await {
        Ok(answer) => answer.into_parts().1.map_into_boxed_body(),
        Err(error) => error.error_response(),
    };
    let (answer, bytes) = answer.into_parts();
    let bytes = body::to_bytes(bytes).await.unwrap_or_default().to_vec();
    Answer(answer.set_body(body::BoxBody::new(())), bytes)
}

fn get(uri: &str) -> TestRequest {
    TestRequest::get().uri(uri)
}

#[test]
fn the_catalogue_keeps_its_form() {
    let codes: BTreeSet<_> = CATALOGUE.iter().map(|entry| entry.code).collect();
    assert_eq!(codes.len(), CATALOGUE.len(), "a code stands twice");
    assert_eq!(CATALOGUE[0].code, "fault");
    for entry in CATALOGUE {
        assert!(entry.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", entry.code);
        assert!((400..600).contains(&entry.status), "{}", entry.code);
        assert_eq!(entry.retryable, matches!(entry.status, 408 | 429 | 503), "{}", entry.code);
        assert!(!entry.title.ends_with('.') && entry.meaning.ends_with('.'), "{}", entry.code);
        assert!(!format!("{}{}", entry.title, entry.meaning).contains(['<', '>', '&']), "{}: goes into pages as it is", entry.code);
    }
}

#[actix_web::test]
async fn unknown_paths_and_methods() {
    ask(get("/nowhere")).await.is("not_found");
    let wrong = ask(TestRequest::delete().uri("/only")).await;
    wrong.is("method_not_allowed");
    assert_eq!(wrong.header(ALLOW), Some("GET, HEAD"));
    let wrong = ask(TestRequest::post().uri("/things/1")).await;
    wrong.is("method_not_allowed");
    assert_eq!(wrong.header(ALLOW), Some("GET, PUT"));
}

#[actix_web::test]
async fn extractors_say_what_is_wrong_and_never_what_was_sent() {
    for (request, code) in [
        (get("/path/Jane"), "malformed"),
        (get("/query?limit=Jane"), "malformed"),
        (get("/query"), "malformed"),
        (get("/query?limit=1&limit=2"), "malformed"),
        (get("/query?Jane=1"), "unknown_parameter"),
        (TestRequest::post().uri("/json").set_payload("Jane"), "media_type_not_supported"),
        (TestRequest::post().uri("/json").insert_header((CONTENT_TYPE, "application/json")).set_payload("Jane"), "malformed"),
        (get("/plain"), "malformed"),
    ] {
        let answer = ask(request).await;
        answer.is(code);
        assert!(!String::from_utf8_lossy(&answer.1).contains("Jane"), "{}", answer.json());
    }
    assert_eq!(ask(get("/query?x=1")).await.json()["detail"], "The query parameters known here are `limit`.");
    assert_eq!(ask(get("/query")).await.json()["detail"], "The query parameter `limit` is missing.");
}

#[actix_web::test]
async fn what_breaks_inside_is_a_problem_too() {
    let fault = ask(get("/panics")).await.is("fault");
    assert!(!fault.to_string().contains("on purpose"));
    ask(get("/closed")).await.is("not_permitted");
    let ready = ask(get("/ready")).await;
    assert_eq!(
        (ready.0.status().as_u16(), ready.json()),
        (503, serde_json::json!({ "ready": false })),
        "an answer of its own form is left alone"
    );
    let rated = ask(get("/rated")).await;
    rated.is("not_found");
    assert_eq!(rated.header("ratelimit"), Some("\"caller\";r=9;t=1"));
    let stale = ask(get("/stale")).await.is("version_stale");
    assert_eq!((&stale["version"], &stale["moved_by_role"]), (&Value::from(7), &Value::from("mentor")));
}

#[actix_web::test]
async fn oversized_heads_are_refused() {
    ask(get(&format!("/only?{}", "x".repeat(9_000)))).await.is("uri_too_long");
    ask(get("/only").insert_header(("x-long", "x".repeat(40_000)))).await.is("headers_too_large");
    assert_eq!(ask(get("/only")).await.0.status(), StatusCode::OK);
}

#[actix_web::test]
async fn the_pages_tell_people_and_programs() {
    let list = ask(get("/problems")).await.json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(CATALOGUE.len()));
    assert_eq!(ask(get("/problems/version_stale")).await.json()["status"], 412);
    for uri in ["/problems", "/problems/version_stale"] {
        let page = ask(get(uri).insert_header((ACCEPT, "text/html,*/*;q=0.8"))).await;
        let text = String::from_utf8(page.1.clone()).expect("UTF-8");
        assert!(text.contains("version_stale") && text.ends_with("</html>"));
        assert!(page.header(CONTENT_SECURITY_POLICY).is_some_and(|policy| policy.starts_with("default-src 'none'")));
    }
    ask(get("/problems/none")).await.is("not_found");
    ask(TestRequest::post().uri("/problems")).await.is("method_not_allowed");
}

#[test]
fn headers_follow_from_the_code() {
    let header =
        |problem: Problem, name| problem.error_response().headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    assert_eq!(header(Problem::new("unauthenticated"), WWW_AUTHENTICATE).as_deref(), Some("Bearer"));
    assert_eq!(header(Problem::new("busy"), RETRY_AFTER).as_deref(), Some("1"));
    assert_eq!(header(Problem::new("unavailable").retry_after(9), RETRY_AFTER).as_deref(), Some("9"));
    let changed = Problem::new("unauthenticated").header(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"");
    assert_eq!(header(changed, WWW_AUTHENTICATE).as_deref(), Some("Bearer error=\"invalid_token\""));
}

#[test]
fn a_refusal_lists_everything_unless_the_caller_may_not_ask() {
    let unmet = |code: &str| Unmet::new(code, format!("Because of {code}."));
    let problem = Problem::from(Refusal(vec![unmet("self_assessment"), unmet("no_direct_observation")]));
    assert_eq!((problem.code(), problem.faults().len()), ("self_assessment", 2));
    let problem = Problem::from(Refusal(vec![unmet("self_assessment"), unmet("not_permitted")]));
    assert_eq!((problem.code(), problem.faults().len()), ("not_permitted", 1));
    assert_eq!(Problem::from(Refusal(vec![unmet("no_such_code")])).code(), "refused");
    assert_eq!(Problem::new("no_such_code").code(), "fault");
}

#[actix_web::test]
async fn over_a_real_connection_as_well() {
    let app = || {
        App::new()
            .wrap(from_fn(translate))
            .service(web::resource("/panics").to(panics))
            .service(web::resource("/only").route(route(Method::GET).to(id_of)).default_service(only("GET")))
            .default_service(web::to(unknown_path))
    };
    let server = actix_web::HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").expect("a port");
    let address = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    actix_web::rt::spawn(running);
    let client = reqwest::Client::new();
    for (path, code) in [("panics", "fault"), ("nowhere", "not_found"), ("panics", "fault")] {
        let answer = client.get(format!("http://{address}/{path}")).send().await.expect("an answer");
        assert_eq!(answer.headers()["content-type"], MEDIA_TYPE);
        assert_eq!(answer.json::<Value>().await.expect("JSON")["code"], code);
    }
    let answer = client.head(format!("http://{address}/only")).send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.headers()["content-length"].to_str().ok()), (200, Some("36")));
    assert_eq!(answer.bytes().await.expect("an answer").len(), 0);
    let answer = client.post(format!("http://{address}/only")).send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().ok()), (405, Some("GET, HEAD")));
    assert_eq!(client.get(format!("http://{address}/only")).send().await.expect("an answer").status(), 200);
    handle.stop(false).await;
}
