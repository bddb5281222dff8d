//! Tokens as issuers make them, and as others would like to.

mod forged;
mod issuers;
mod signer;

use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::ResponseError as _;
use serde_json::{Value, json};
use signer::Signer;

use super::*;

pub(super) const ISSUER: &str = "https://issuer.example";
pub(super) const AUDIENCE: &str = "lastresort";
/// When these tests take place.
pub(super) const NOW: i64 = 1_700_000_000;

pub(super) fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "jane", "exp": NOW + 60 })
}

/// Good claims, with these put over them; `null` takes one away.
pub(super) fn claims_with(fields: &Value) -> Value {
    let mut claims = claims();
    let all = claims.as_object_mut().expect("an object");
    for (name, value) in fields.as_object().expect("an object") {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    claims
}

pub(super) fn settings(keys: KeySource) -> TokenSettings {
    TokenSettings { issuers: vec![IssuerSettings { issuer: ISSUER.into(), audience: AUDIENCE.into(), keys }] }
}

pub(super) fn verifier(keys: KeySource) -> Verifier {
    Verifier::paced(settings(keys), &reqwest::Client::new(), Pace::default(), || NOW).expect("keys")
}

pub(super) fn knowing(signers: &[&Signer]) -> Verifier {
    verifier(KeySource::Jwks(signer::set(signers)))
}

/// The code a token is refused with, and the challenge sent along.
pub(super) async fn refusal(verifier: &Verifier, token: &str) -> (&'static str, String) {
    let problem = verifier.verify(token).await.expect_err("refused");
    let answer = problem.error_response();
    let challenge = answer.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    (problem.code(), challenge.to_owned())
}

#[actix_web::test]
async fn the_three_algorithms_are_taken() {
    let signers = [Signer::ed25519("a"), Signer::p256("b"), Signer::rsa("c")];
    let verifier = knowing(&signers.each_ref());
    for signer in &signers {
        let bearer = verifier.verify(&signer.sign(&claims_with(&json!({ "scope": "read write" })))).await.expect("good");
        let scopes = Some(vec!["read".to_owned(), "write".to_owned()]);
        assert_eq!(bearer, Bearer { issuer: ISSUER.into(), subject: "jane".into(), scopes, expires_at: NOW + 60 });
    }
}

#[actix_web::test]
async fn a_single_pem_key_needs_no_kid() {
    for signer in [Signer::ed25519("a"), Signer::p256("b"), Signer::rsa("c")] {
        let verifier = verifier(KeySource::Pem(signer.pem()));
        assert!(verifier.verify(&signer.sign(&claims())).await.is_ok(), "{signer:?}");
        assert!(verifier.verify(&signer.sign_as(&json!({ "kid": null }), &claims())).await.is_ok(), "{signer:?}");
    }
    let bad = Verifier::try_new(
        settings(KeySource::Pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----".into())),
        &reqwest::Client::new(),
    );
    assert!(matches!(bad.err(), Some(KeyError::NotAKey)));
}

#[actix_web::test]
async fn times_are_kept_to_the_second() {
    let signer = Signer::ed25519("a");
    let verifier = knowing(&[&signer]);
    let with = |fields: Value| signer.sign(&claims_with(&fields));
    let (code, challenge) = refusal(&verifier, &with(json!({ "exp": NOW }))).await;
    assert_eq!(code, "token_expired");
    assert!(challenge.starts_with("Bearer error=\"invalid_token\""), "{challenge}");
    assert!(verifier.verify(&with(json!({ "exp": NOW + 1 }))).await.is_ok());
    assert!(verifier.verify(&with(json!({ "nbf": NOW + LEEWAY_SECONDS }))).await.is_ok());
    assert!(verifier.verify(&with(json!({ "exp": 1_700_000_001.5 }))).await.is_ok());
    for fields in [
        json!({ "nbf": NOW + LEEWAY_SECONDS + 1 }),
        json!({ "exp": null }),
        json!({ "exp": "9" }),
        json!({ "exp": 1e300 }),
        json!({ "exp": -1 }),
    ] {
        assert_eq!(refusal(&verifier, &with(fields.clone())).await.0, "unauthenticated", "{fields}");
    }
}

#[actix_web::test]
async fn a_token_for_somebody_else_is_refused() {
    let signer = Signer::ed25519("a");
    let verifier = knowing(&[&signer]);
    let fields = [
        json!({ "aud": "lastresort2" }),
        json!({ "aud": "LASTRESORT" }),
        json!({ "aud": ["other"] }),
        json!({ "aud": null }),
        json!({ "iss": "https://issuer.example/" }),
        json!({ "iss": null }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "scope": ["read"] }),
    ];
    for fields in fields {
        let (code, challenge) = refusal(&verifier, &signer.sign(&claims_with(&fields))).await;
        assert_eq!(code, "unauthenticated", "{fields}");
        assert!(challenge.contains("not valid for this service"), "nothing to learn from: {challenge}");
    }
    assert!(verifier.verify(&signer.sign(&claims_with(&json!({ "aud": ["other", AUDIENCE] })))).await.is_ok());
}

#[actix_web::test]
async fn what_is_remembered_ends_with_the_token() {
    static CLOCK: AtomicI64 = AtomicI64::new(NOW);
    let signer = Signer::ed25519("a");
    let keys = KeySource::Jwks(signer::set(&[&signer]));
    let verifier =
        Verifier::paced(settings(keys), &reqwest::Client::new(), Pace::default(), || CLOCK.load(Ordering::SeqCst)).expect("keys");
    let token = signer.sign(&claims());
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(verifier.0.cache.len(), 1);
    CLOCK.store(NOW + 59, Ordering::SeqCst);
    assert!(verifier.verify(&token).await.is_ok());
    CLOCK.store(NOW + 60, Ordering::SeqCst);
    assert_eq!(refusal(&verifier, &token).await.0, "token_expired");
    assert_eq!(refusal(&verifier, &format!("{token}A")).await.0, "unauthenticated");
    assert_eq!(verifier.0.cache.len(), 1, "nothing refused is remembered");
}

#[test]
fn a_header_holds_one_bearer_token() {
    let headers = |values: &[&str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().expect("a header"));
        }
        headers
    };
    assert_eq!(bearer_token(&headers(&["Bearer abc"])).expect("one"), "abc");
    assert_eq!(bearer_token(&headers(&["bearer  abc"])).expect("one"), "abc");
    for wrong in [&[][..], &["Basic abc"], &["abc"], &["Bearer a", "Bearer b"]] {
        let problem = bearer_token(&headers(wrong)).expect_err("none");
        assert_eq!(problem.error_response().headers().get(WWW_AUTHENTICATE).expect("a challenge"), "Bearer");
    }
}

#[test]
fn a_bearer_shows_no_subject() {
    let bearer = Bearer { issuer: ISSUER.into(), subject: "jane".into(), scopes: None, expires_at: 1 };
    assert!(!format!("{bearer:?}").contains("jane"));
}
