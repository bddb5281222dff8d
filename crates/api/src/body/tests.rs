mod random;

use std::collections::HashMap;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::test::{self as actix, TestRequest};
use actix_web::{App, web};
use chrono::NaiveDate;
use lastresort_fact::{Instant, PersonId};
use serde_json::{Value, json};

use super::*;

/// A body with a field of each kind.
#[derive(Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[schema(min_length = 1, max_length = 10)]
    name: String,
    person: PersonId,
    #[schema(minimum = 1, maximum = 400)]
    count: u8,
    on: Option<NaiveDate>,
    at: Option<Instant>,
    #[schema(format = "uri")]
    link: Option<String>,
    colour: Option<Colour>,
    #[serde(default)]
    #[schema(max_items = 3)]
    parts: Vec<Part>,
    part: Option<Part>,
    kind: Option<Shape>,
    share: Option<f64>,
}

#[derive(Debug, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Colour {
    Red,
    LightBlue,
}

#[derive(Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Part {
    minutes: u32,
    colour: Option<Colour>,
    #[serde(default)]
    #[schema(no_recursion)]
    within: Vec<Part>,
}

#[derive(Debug, PartialEq, Deserialize, ToSchema)]
#[serde(tag = "shape", rename_all = "snake_case")]
enum Shape {
    Round { radius: u32 },
    Square { side: u32 },
}

const ID: &str = "0190b3a0-7b7a-7c3e-8f00-000000000001";

/// A good body, with these fields put over it; `null` takes one away.
fn asked(fields: &Value) -> Value {
    let mut body = json!({ "name": "n", "person": ID, "count": 1 });
    for (name, field) in fields.as_object().expect("an object") {
        body[name] = field.clone();
        if field == "(none)" {
            body.as_object_mut().expect("an object").remove(name);
        }
    }
    body
}

fn parse(body: &Value) -> Result<Asked, Problem> {
    Body::parse(body.to_string().into()).map(|body| body.value)
}

/// Where what is wrong, of a body that is put over a good one.
fn faults(fields: &Value) -> Vec<(String, String)> {
    let problem = parse(&asked(fields)).expect_err("refused");
    assert_eq!(problem.code(), "invalid");
    problem.faults().iter().map(|unmet| (unmet.pointer.clone().unwrap_or_default(), unmet.detail.clone())).collect()
}

/// The one thing wrong with one field.
fn wrong(field: &str, value: impl Into<Value>) -> String {
    let mut found = faults(&json!({ field: value.into() }));
    assert_eq!(found.len(), 1, "{found:?}");
    let (pointer, detail) = found.remove(0);
    assert_eq!(pointer, format!("/{field}"), "{detail}");
    detail
}

fn malformed(body: &'static [u8]) -> String {
    let problem = Body::<Asked>::parse(Bytes::from_static(body)).expect_err("refused");
    assert_eq!(problem.code(), "malformed");
    problem.to_string()
}

#[test]
fn a_good_body_comes_as_its_type_and_in_canonical_form() {
    let sent = asked(&json!({
        "on": "2021-02-28", "at": "2021-03-08T10:00:00+01:00", "link": "https://example.org/a", "colour": "light_blue", "count": 1.0,
        "parts": [{ "minutes": 5, "within": [{ "minutes": 1 }] }], "part": null, "kind": { "shape": "round", "radius": 2 }, "share": 0.5,
    }));
    let body = Body::<Asked>::parse(sent.to_string().into()).expect("good");
    assert_eq!(body.value.count, 1);
    assert_eq!(body.value.at.map(|at| at.to_string()).as_deref(), Some("2021-03-08T09:00:00.000000Z"));
    assert_eq!(body.value.kind, Some(Shape::Round { radius: 2 }));
}

#[test]
fn the_same_said_otherwise_is_the_same() {
    let canonical = |text: &'static str| Body::<Shape>::parse(Bytes::from_static(text.as_bytes())).expect("good").canonical;
    let one = canonical(r#"{"shape":"round","radius":2}"#);
    assert_eq!(one, r#"{"radius":2,"shape":"round"}"#);
    assert_eq!(canonical("{ \"radius\": 2.0,\n\t\"sha\\u0070e\": \"round\" }"), one);
    assert_ne!(canonical(r#"{"shape":"round","radius":3}"#), one);
}

#[test]
fn what_is_no_json_says_where_it_ends_to_be() {
    assert!(malformed(b"").contains("A body is needed"));
    assert!(malformed(b"{\n  \"name\": }").contains("line 2, column 11"));
    assert!(malformed(b"{\"name\": \"a\"").contains("ends too early"));
    assert!(malformed(b"{} {}").contains("no JSON"));
    assert!(malformed(b"{\"name\":\"a\",\"name\":\"b\"}").contains("names a field twice: line 1"));
    assert!(malformed(b"{\"part\":{\"minutes\":1,\"minutes\":2}}").contains("twice"));
    assert!(malformed(b"\xff{}").contains("byte 0"));
    assert!(malformed(b"{\"name\":\"\\ud800\"}").contains("no JSON"));
    assert!(malformed(b"{\"count\":NaN}").contains("no JSON"));
    assert!(malformed(b"{\"count\":1e999}").contains("no JSON"));
    assert!(malformed("[".repeat(100_000).leak().as_bytes()).contains("no JSON"));
}

#[test]
fn every_rule_of_the_schema_is_told_by_its_place() {
    assert_eq!(wrong("name", json!(7)), "must be a string");
    assert_eq!(wrong("name", json!("")), "must be at least 1 character long");
    assert_eq!(wrong("name", json!("elevenchars")), "must be at most 10 characters long");
    assert_eq!(wrong("name", json!("(none)")), "is required");
    assert_eq!(wrong("person", json!("Jane")), "must be a UUID");
    assert_eq!(wrong("count", json!(1.5)), "must be a whole number");
    assert_eq!(wrong("count", json!(0)), "must be at least 1");
    assert_eq!(wrong("count", json!(401)), "must be at most 400");
    assert_eq!(wrong("count", json!(300)), "is not a value this field can take");
    assert_eq!(wrong("on", json!("2021-02-30")), "must be a day of the calendar, such as 2021-03-08");
    assert_eq!(wrong("on", json!(5)), "must be a string or null");
    assert_eq!(wrong("at", json!("2021-03-08 10:00")), "must be an instant with its offset, such as 2021-03-08T09:00:00Z");
    assert_eq!(wrong("link", json!("example")), "must be a URI with its scheme");
    assert_eq!(wrong("colour", json!("green")), "must be one of \"red\", \"light_blue\"");
    assert_eq!(wrong("part", json!(5)), "must be an object or null");
    let four = json!({ "minutes": 1 });
    assert_eq!(wrong("parts", json!([four, four, four, four])), "must hold at most 3 items");
    assert_eq!(wrong("Jane", json!(1)), "is not a field of this request");
}

#[test]
fn forms_are_judged_by_the_one_that_was_meant() {
    assert_eq!(faults(&json!({ "part": { "minutes": "x" } })), [("/part/minutes".into(), "must be a whole number".into())]);
    assert_eq!(faults(&json!({ "part": { "colour": "red" } })), [("/part/minutes".into(), "is required".into())]);
    assert_eq!(faults(&json!({ "kind": { "shape": "round", "radius": -1 } })), [("/kind/radius".into(), "must be at least 0".into())]);
    let unknown = faults(&json!({ "kind": { "shape": "oval", "radius": 1 } }));
    assert_eq!(unknown, [("/kind/shape".into(), "must be one of \"round\", \"square\"".into())]);
    let deep = faults(&json!({ "parts": [{ "minutes": 1, "within": [{ "minutes": 1 }, { "minutes": null }] }] }));
    assert_eq!(deep, [("/parts/0/within/1/minutes".into(), "must be a whole number".into())]);
}

#[test]
fn everything_wrong_is_told_at_once_and_nothing_repeated() {
    let found = faults(&json!({
        "name": "(none)", "person": "Jane Doe", "count": "Jane Doe", "colour": "Jane Doe", "on": "Jane Doe",
        "parts": [{ "minutes": "Jane Doe", "x": "Jane Doe" }], "y": "Jane Doe",
    }));
    let places: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(places, ["/colour", "/count", "/name", "/on", "/parts/0/minutes", "/parts/0/x", "/person", "/y"]);
    assert!(!format!("{found:?}").contains("Jane"));
    let many: HashMap<_, _> = (0..1_000).map(|n| (format!("x{n}"), n)).collect();
    assert_eq!(faults(&json!(many)).len(), 100);
    let long = faults(&json!({ "x".repeat(10_000): 1, "a/b~c": 1 }));
    assert_eq!(long.iter().map(|(pointer, _)| pointer.as_str()).collect::<Vec<_>>(), ["", "/a~1b~0c"]);
}

#[test]
fn text_and_numbers_are_what_every_reader_reads_alike() {
    let control = "must not hold control characters other than line feed and tab";
    for text in ["a\0", "\u{7f}", "\r", "\u{85}"] {
        assert_eq!(wrong("name", json!(text)), control);
    }
    assert_eq!(parse(&asked(&json!({ "name": "a\n\tb" }))).expect("good").name, "a\n\tb");
    assert_eq!(parse(&asked(&json!({ "name": "Zoe\u{308}" }))).expect("good").name, "Zo\u{eb}");
    let decomposed = "e\u{301}".repeat(10);
    assert_eq!(parse(&asked(&json!({ "name": decomposed }))).expect("ten characters in NFC").name.chars().count(), 10);
    let bounds = "must lie between -9007199254740991 and 9007199254740991";
    for number in [json!(9_007_199_254_740_992_i64), json!(-9_007_199_254_740_992_i64), json!(u64::MAX), json!(1e300)] {
        assert_eq!(wrong("share", number.clone()), bounds);
        assert_eq!(wrong("count", number), bounds);
    }
    assert!(parse(&asked(&json!({ "share": 9_007_199_254_740_991_i64 }))).is_ok());
    assert_eq!(faults(&json!({ "a\0": 1 }))[0].1, "must not hold field names with control characters");
}

#[test]
fn the_pattern_for_the_contract_means_what_is_enforced() {
    let schema = jsonschema::validator_for(&json!({ "type": "string", "pattern": TEXT_PATTERN })).expect("a schema");
    for character in (0..0x300).filter_map(char::from_u32) {
        let plain = !character.is_control() || matches!(character, '\n' | '\t');
        assert_eq!(schema.is_valid(&json!(format!("a{character}b"))), plain, "{character:?}");
    }
}

#[test]
fn a_command_without_fields_needs_no_body() {
    for sent in ["", "{}", " {} "] {
        let body = Body::<Nothing>::parse(Bytes::from_static(sent.as_bytes())).expect("good");
        assert_eq!(body.value, Nothing {});
        assert_eq!(body.canonical, "{}");
    }
    for sent in ["{\"a\":1}", "[]", "null"] {
        assert_eq!(Body::<Nothing>::parse(Bytes::from_static(sent.as_bytes())).expect_err("refused").code(), "invalid");
    }
}

async fn send(request: TestRequest) -> u16 {
    let app = App::new()
        .app_data(Data::new(Limits { body_bytes_max: 200, import_bytes_max: 400 }))
        .service(web::resource("/asked").to(|body: Body<Asked>| async move { body.canonical }))
        .service(web::resource("/nothing").to(|body: Body<Nothing>| async move { body.canonical }))
        .service(web::resource("/csv").to(|csv: Csv| async move { csv.text }))
        .service(
            web::resource("/import")
                .app_data(Limits { body_bytes_max: 200, import_bytes_max: 400 }.for_imports())
                .to(|body: Body<Asked>| async move { body.canonical }),
        );
    actix::call_service(&actix::init_service(app).await, request.to_request()).await.status().as_u16()
}

#[actix_web::test]
async fn kind_and_size_are_judged_first() {
    let to = |uri: &str, kind: &str| TestRequest::post().uri(uri).insert_header((CONTENT_TYPE, kind));
    let good = asked(&json!({})).to_string();
    for kind in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""] {
        assert_eq!(send(to("/asked", kind).set_payload(good.clone())).await, 200, "{kind}");
    }
    // A patch that looks like JSON means something else than what it looks like.
    for kind in ["text/plain", "application/xml", "application/json; charset=latin1", "application/merge-patch+json", "application/jsonx"] {
        assert_eq!(send(to("/asked", kind).set_payload(good.clone())).await, 415, "{kind}");
    }
    assert_eq!(send(TestRequest::post().uri("/asked").set_payload(good.clone())).await, 415);
    assert_eq!(send(TestRequest::post().uri("/asked")).await, 400);
    assert_eq!(send(TestRequest::post().uri("/nothing")).await, 200);
    assert_eq!(send(to("/asked", "application/json").insert_header((CONTENT_ENCODING, "gzip")).set_payload(good.clone())).await, 415);
    assert_eq!(send(to("/asked", "application/json").insert_header((CONTENT_ENCODING, "identity")).set_payload(good.clone())).await, 200);
    let padded = format!("{good}{}", " ".repeat(200));
    assert_eq!(send(to("/asked", "application/json").set_payload(padded.clone())).await, 413);
    assert_eq!(send(to("/import", "application/json").set_payload(padded)).await, 200);
    assert_eq!(send(to("/asked", "application/json").insert_header((CONTENT_LENGTH, "201"))).await, 413, "told, so not read");
    assert_eq!(send(to("/csv", "text/csv").set_payload("a,b\n")).await, 200);
    assert_eq!(send(to("/csv", "text/csv; charset=utf-8; header=present").set_payload("\u{feff}a,b\n")).await, 200);
    assert_eq!(send(to("/csv", "text/csv").set_payload(vec![0xff])).await, 400);
    assert_eq!(send(to("/csv", "application/json").set_payload("{}")).await, 415);
    assert_eq!(send(to("/csv", "text/csv").set_payload("a".repeat(401))).await, 413);
}
