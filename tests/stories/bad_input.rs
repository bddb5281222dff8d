//! What cannot be asked: every fault is named at its place, nothing is written.

use lastresort_fact::Role;
use lastresort_server::config::Flags;
use lastresort_tests::world::{Answer, On, Voice, World, a_uuid, tell_with};
use reqwest::Method;
use serde_json::{Value, json};

lastresort_tests::on_both_stores!(
    a_wrong_method_learns_the_right_ones,
    a_body_of_a_wrong_kind_or_size_is_not_read,
    what_is_no_json_is_malformed,
    every_fault_is_named_at_once,
    numbers_and_days_are_what_they_say,
    unknown_ids_and_others_ids_are_not_found,
    what_nobody_offers_is_not_found,
);

/// Somebody whose ledger must not move while they are refused.
struct Refused {
    manager: Voice,
    head: u64,
}

impl Refused {
    async fn new(world: &World) -> Self {
        let manager = world.client().await.administrator;
        let head = manager.head().await;
        Self { manager, head }
    }

    async fn register(&self, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
        let answer = self.manager.ask(Method::POST, "/persons").body(kind, body).await;
        assert_eq!(self.manager.head().await, self.head, "something was written: {answer}");
        answer
    }

    async fn json(&self, body: impl Into<Vec<u8>>) -> Answer {
        self.register("application/json", body).await
    }
}

fn places(refused: &Answer) -> Vec<&str> {
    refused.faults().into_iter().map(|(place, _)| place).collect()
}

async fn a_wrong_method_learns_the_right_ones(world: &World) {
    let it = Refused::new(world).await;
    let allowed = async |method: Method, path: &str| {
        let answer = it.manager.ask(method, path).await.refused(405, "method_not_allowed");
        let mut allow: Vec<_> = answer.header("allow").expect("what is allowed").split(", ").map(str::to_owned).collect();
        allow.sort();
        allow
    };
    assert_eq!(allowed(Method::DELETE, "/persons").await, ["GET", "HEAD", "POST"]);
    assert_eq!(allowed(Method::PATCH, "/persons/by-external/hr/E0001").await, ["GET", "HEAD", "PUT"]);
    assert_eq!(allowed(Method::PUT, "/events").await, ["GET", "HEAD"]);
    assert_eq!(allowed(Method::DELETE, "").await, ["GET", "HEAD", "PUT"]);
    let root = world.anybody().ask(Method::POST, "/openapi.json").await.refused(405, "method_not_allowed");
    assert_eq!(root.header("allow"), Some("GET, HEAD"));
    assert_eq!(it.manager.head().await, it.head);
}

async fn a_body_of_a_wrong_kind_or_size_is_not_read(world: &World) {
    let it = Refused::new(world).await;
    let body = r#"{"kind": "human", "profile": {"given_name": "Ailsa"}}"#;
    let kinds = [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin1",
        "application/merge-patch+json",
        "application/vnd.example+json",
        "nonsense",
    ];
    for kind in kinds {
        it.register(kind, body).await.refused(415, "media_type_not_supported");
    }
    let zipped = it.manager.ask(Method::POST, "/persons").body("application/json", body).header("content-encoding", "gzip");
    zipped.await.refused(415, "media_type_not_supported");
    it.manager.ask(Method::POST, "/persons").await.refused(400, "malformed");
    let large = format!(r#"{{"kind": "human", "profile": {{"given_name": "{}"}}}}"#, "a".repeat(1024 * 1024));
    it.json(large).await.refused(413, "too_large");
}

async fn what_is_no_json_is_malformed(world: &World) {
    let it = Refused::new(world).await;
    let bodies: [&[u8]; 8] = [
        b"",
        b"{",
        br#"{"kind": "human""#,
        br#"{"kind": "human", "kind": "machine", "profile": {"given_name": "Ailsa"}}"#,
        br#"{"kind": "human", "profile": {"given_name": "Ailsa"}} more"#,
        br"{'kind': 'human'}",
        b"{\"kind\": \"human\", \"profile\": {\"given_name\": \"Ail\xff\xfesa\"}}",
        br#"{"kind": "human", "profile": {"given_name": "\ud800"}}"#,
    ];
    for body in bodies {
        let refused = it.json(body).await.refused(400, "malformed");
        assert!(!refused.text.contains("Ail"), "a refusal repeats nothing: {refused}");
    }
    it.json("[".repeat(100_000)).await.refused(400, "malformed");
}

async fn every_fault_is_named_at_once(world: &World) {
    let it = Refused::new(world).await;
    let wrong = json!({
        "kind": "robot",
        "id": "E0001",
        "profile": {"given_name": "", "email": 7, "nickname": "Zwielicht"},
        "external_ids": [{"source": "HR!", "external_id": "x".repeat(201)}],
        "login": {"issuer": "i"},
    });
    let refused = it.json(wrong.to_string()).await.refused(422, "invalid");
    assert_eq!(
        places(&refused),
        [
            "/external_ids/0/external_id",
            "/external_ids/0/source",
            "/id",
            "/kind",
            "/login/subject",
            "/profile/email",
            "/profile/given_name",
            "/profile/nickname"
        ],
        "{refused}"
    );
    assert!(!refused.text.contains("Zwielicht"), "a refusal repeats nothing: {refused}");

    for text in ["a\u{0}b", "bell\u{7}", "\u{9f}"] {
        let refused = it.json(json!({"kind": "human", "profile": {"given_name": text}}).to_string()).await.refused(422, "invalid");
        assert_eq!(places(&refused), ["/profile/given_name"]);
    }
    it.json("[]").await.refused(422, "invalid");
    it.json("null").await.refused(422, "invalid");
}

async fn numbers_and_days_are_what_they_say(world: &World) {
    let client = world.client().await;
    let provider = a_uuid();
    let guest = client.of(&provider, Role::ProviderAdmin).await;
    client.grant(&guest, Role::ProviderAdmin).await;
    let body = json!({"kind": "human", "profile": {"given_name": "Rhona"}, "employer": provider});
    let person = format!("/persons/{}", guest.post("/persons", body).await.created().id());
    let head = client.administrator.head().await;
    for number in ["9007199254740992", "-9007199254740993", "1e300", "1.5", "0", "\"7\"", "99999999999999999999999"] {
        let body = format!(r#"{{"standing": "eligible", "provider_position": {number}, "valid_until": "2022-01-31"}}"#);
        let refused = guest.ask(Method::POST, &format!("{person}/standing")).body("application/json", body).await.refused(422, "invalid");
        assert_eq!(places(&refused), ["/provider_position"], "{refused}");
    }
    for day in ["2021-02-30", "2021-2-3", "08/03/2021", "tomorrow", "2021-03-08T00:00:00Z", ""] {
        let body = json!({"expires_on": day});
        let refused = client.administrator.post(&format!("{person}/life-support"), body).await.refused(422, "invalid");
        assert_eq!(places(&refused), ["/expires_on"], "{refused}");
    }
    assert_eq!(client.administrator.head().await, head);
}

async fn unknown_ids_and_others_ids_are_not_found(world: &World) {
    let it = Refused::new(world).await;
    let elsewhere = world.client().await;
    let theirs = elsewhere.nobody_yet(Role::Staff).await;
    let theirs_granted = elsewhere.grant(&theirs, Role::Staff).await;
    let rename = json!({"given_name": "Isla"});
    for id in [a_uuid(), theirs.id.clone(), "E0001".to_owned(), "00000000-0000-0000-0000-000000000000".to_owned(), "%00".to_owned()] {
        it.manager.get(&format!("/persons/{id}")).await.refused(404, "not_found");
        it.manager.post(&format!("/persons/{id}/profile"), rename.clone()).if_match(1).await.refused(404, "not_found");
    }
    it.manager.get(&format!("/grants/{}", theirs_granted.id())).await.refused(404, "not_found");
    let revoke = it.manager.post(&format!("/grants/{}/revocation", theirs_granted.id()), json!({"reason": "Mine."}));
    revoke.if_match(1).await.refused(404, "not_found");
    let granted = it.manager.post("/grants", json!({"person": theirs.id, "role": "staff"})).await.is(409);
    assert_eq!(granted.faults(), [("/person", "unknown_reference")]);
    let work = json!({"unit": elsewhere.unit("burn").await, "job_title": "Support worker", "effective_on": "2021-02-01"});
    let refused = it.manager.post(&format!("/persons/{}/employments", it.manager.id), work).await.is(409);
    assert_eq!(refused.faults(), [("/unit", "unknown_reference")]);

    it.manager.of(&elsewhere.id, "").get("/persons").await.refused(404, "not_found");
    it.manager.of(&a_uuid(), "").get("/persons").await.refused(404, "not_found");
    it.manager.of("braeside", "").get("/persons").await.refused(404, "not_found");
    assert_eq!(it.manager.head().await, it.head);
}

async fn what_nobody_offers_is_not_found(world: &World) {
    let it = Refused::new(world).await;
    for path in ["/nothing", "/persons/", "//persons", "/persons/by-external/hr", "/persons/..%2fgrants"] {
        it.manager.get(path).await.refused(404, "not_found");
    }
    world.anybody().get("/v2").await.refused(404, "not_found");
    it.manager.get(&format!("/persons?name={}", "a".repeat(9_000))).await.refused(414, "uri_too_long");
    let many = it.manager.get("/persons").header("x-filler", &"a".repeat(40_000)).await;
    assert!(matches!(many.status, 431 | 400), "{many}");
}

#[test]
fn who_asks_too_often_is_told_to_wait() {
    let slow = |flags: &mut Flags| (flags.rate_per_second, flags.rate_burst) = (Some(1), Some(3));
    tell_with(On::Sqlite, slow, async |world| {
        let me = world.login("iona");
        for _ in 0..3 {
            assert!(me.get("/v1/me").await.ok().header("ratelimit").is_some());
        }
        let refused = me.get("/v1/me").await.refused(429, "rate_limited");
        assert_eq!((refused.header("retry-after"), &refused["retryable"]), (Some("1"), &Value::Bool(true)), "{refused}");
        world.login("mairi").get("/v1/me").await.ok();
    });
}
