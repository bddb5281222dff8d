//! Tokens that are not good: whatever is wrong with them, nothing is said of
//! what they asked for.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lastresort_fact::Role;
use lastresort_server::issuer::{ISSUER, LocalIssuer};
use lastresort_tests::world::World;
use serde_json::{Value, json};

lastresort_tests::on_both_stores!(a_token_that_is_not_good_opens_nothing, a_good_token_of_a_stranger_opens_nothing);

const AN_HOUR: Duration = Duration::from_hours(1);

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token's parts with another header.
fn with_header(token: &str, header: &Value) -> String {
    let (_, rest) = token.split_once('.').expect("a token has parts");
    format!("{}.{rest}", encoded(header))
}

async fn a_token_that_is_not_good_opens_nothing(world: &World) {
    let client = world.client().await;
    let manager = client.person(Role::Manager).await;
    let (good, subject) = (manager.token.clone().expect("a token"), manager.subject.clone());
    let issuer = |folder: &str, audience: &str| LocalIssuer::open(&world.place.path(folder), audience).expect("an issuer");
    let signed = |issuer: LocalIssuer, valid: Duration| issuer.token(&subject, valid).expect("a token");
    let (body, signature) = good.rsplit_once('.').expect("a token has parts");
    let header = encoded(&json!({"alg": "none", "typ": "JWT"}));
    let claims = encoded(&json!({"iss": ISSUER, "aud": "lastresort", "sub": subject, "exp": 9_999_999_999_u64}));
    let not_good = [
        ("forged", signed(issuer("other-keys", "lastresort"), AN_HOUR)),
        ("for somebody else", signed(issuer("keys", "payroll"), AN_HOUR)),
        ("alg none", format!("{header}.{claims}.")),
        ("alg none, without a dot", format!("{header}.{claims}")),
        ("alg none over a good signature", with_header(&good, &json!({"alg": "none"}))),
        ("an HMAC under the public key", with_header(&good, &json!({"alg": "HS256", "typ": "JWT"}))),
        ("another body", format!("{header}.{claims}.{signature}")),
        ("cut short", body.to_owned()),
        ("no token", "letmein".to_owned()),
        ("nothing", String::new()),
        ("very long", "x".repeat(20_000)),
    ];
    let head = client.administrator.head().await;
    let somebody = json!({"kind": "human", "profile": {"given_name": "Ailsa"}});
    for (what, token) in not_good {
        let refused = manager.bearing(&token).post("/persons", somebody.clone()).await;
        assert_eq!((refused.status, &refused["code"]), (401, &json!("unauthenticated")), "{what}: {refused}");
        assert!(refused.header("www-authenticate").is_some_and(|asks| asks.starts_with("Bearer")), "{what}: {refused}");
    }
    let expired = manager.bearing(&signed(issuer("keys", "lastresort"), Duration::ZERO));
    expired.post("/persons", somebody.clone()).await.refused(401, "token_expired");
    let basic = manager.post("/persons", somebody.clone()).header("authorization", "Basic aW9uYTppb25h");
    basic.await.refused(401, "unauthenticated");
    assert_eq!(client.administrator.head().await, head, "nothing was written");
    manager.post("/persons", somebody).await.created();
}

async fn a_good_token_of_a_stranger_opens_nothing(world: &World) {
    let client = world.client().await;
    let stranger = world.login("stranger").of(&client.id, "");
    for path in ["", "/persons", "/grants", "/events"] {
        stranger.get(path).await.refused(404, "not_found");
    }
    stranger.post("/persons", json!({"nonsense": true})).await.refused(404, "not_found");
}
