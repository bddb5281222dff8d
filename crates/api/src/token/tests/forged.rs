//! Tokens that are no issuer's, and keys that should not be believed.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::signer::{Signer, message};
use super::*;

/// That everything about a token is refused alike.
async fn is_refused(verifier: &Verifier, token: &str, what: &str) {
    assert_eq!(refusal(verifier, token).await.0, "unauthenticated", "{what}");
}

#[actix_web::test]
async fn a_token_does_not_choose_how_it_is_verified() {
    let (ed, rsa) = (Signer::ed25519("a"), Signer::rsa("c"));
    let verifier = knowing(&[&ed, &rsa]);
    let body = claims().to_string();
    for alg in ["none", "None", "NONE", ""] {
        let unsigned = message(&json!({ "alg": alg, "typ": "JWT", "kid": "a" }).to_string(), &body);
        is_refused(&verifier, &format!("{unsigned}."), alg).await;
        is_refused(&verifier, &unsigned, alg).await;
    }
    // The old trick: the public key, which everybody knows, as a shared secret.
    let public = [rsa.pem().into_bytes(), URL_SAFE_NO_PAD.decode(rsa.jwk()["n"].as_str().expect("n")).expect("bytes")];
    for (secret, kid) in public.iter().flat_map(|secret| [(secret, "a"), (secret, "c")]) {
        let message = message(&json!({ "alg": "HS256", "typ": "JWT", "kid": kid }).to_string(), &body);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        is_refused(&verifier, &format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag)), "HS256").await;
    }
    for alg in ["RS384", "PS256", "ES256", "RS256", "ES384"] {
        is_refused(&verifier, &ed.sign_as(&json!({ "alg": alg }), &claims()), alg).await;
    }
    is_refused(&verifier, &ed.sign_as(&json!({ "kid": "c" }), &claims()), "another's kid").await;
    is_refused(&verifier, &ed.sign_as(&json!({ "kid": null }), &claims()), "no kid, and two keys").await;
}

#[actix_web::test]
async fn headers_of_another_kind_are_refused() {
    let signer = Signer::ed25519("a");
    let verifier = knowing(&[&signer]);
    for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"] {
        assert!(verifier.verify(&signer.sign_as(&json!({ "typ": typ }), &claims())).await.is_ok(), "{typ}");
    }
    for typ in [json!("dpop+jwt"), json!("secevent+jwt"), json!(""), json!(7), Value::Null] {
        is_refused(&verifier, &signer.sign_as(&json!({ "typ": typ }), &claims()), "typ").await;
    }
    for crit in [json!(["b64"]), json!([]), json!(true)] {
        is_refused(&verifier, &signer.sign_as(&json!({ "crit": crit }), &claims()), "crit").await;
    }
    is_refused(&verifier, &signer.sign(&claims_with(&json!({ "x": "x".repeat(9_000) }))), "too long").await;
    let twice = message(r#"{"alg":"EdDSA","typ":"JWT","kid":"a"}"#, &format!(r#"{{"iss":"x",{}"#, &claims().to_string()[1..]));
    let signature = URL_SAFE_NO_PAD.encode(signer.signature(twice.as_bytes()));
    is_refused(&verifier, &format!("{twice}.{signature}"), "a claim twice").await;
}

#[actix_web::test]
async fn a_changed_token_is_refused() {
    for signer in [Signer::ed25519("a"), Signer::p256("a"), Signer::rsa("a")] {
        let verifier = knowing(&[&signer]);
        let other = match signer.jwk()["kty"].as_str() {
            Some("OKP") => Signer::ed25519("a"),
            Some("EC") => Signer::p256("a"),
            _ => Signer::rsa("a"),
        };
        is_refused(&verifier, &other.sign(&claims()), "another's key").await;
        let token = signer.sign(&claims());
        let (head, signature) = token.rsplit_once('.').expect("three parts");
        let (header, _) = head.split_once('.').expect("three parts");
        let richer = URL_SAFE_NO_PAD.encode(claims_with(&json!({ "sub": "root" })).to_string());
        for forged in [
            format!("{header}.{richer}.{signature}"),
            format!("{head}."),
            format!("{head}.{signature}="),
            format!("{token}.x"),
            format!(".{token}"),
        ] {
            is_refused(&verifier, &forged, &forged).await;
        }
        assert!(verifier.verify(&token).await.is_ok());
    }
}

#[actix_web::test]
async fn keys_that_are_weak_or_meant_for_something_else_are_passed_over() {
    let signer = Signer::ed25519("a");
    let with = |name: &str, value: Value| {
        let mut jwk = signer.jwk();
        jwk[name] = value;
        json!({ "keys": [jwk] }).to_string()
    };
    for set in [
        with("use", json!("enc")),
        with("alg", json!("ES256")),
        with("key_ops", json!(["sign"])),
        with("d", json!("AA")),
        with("crv", json!("X25519")),
    ] {
        is_refused(&verifier(KeySource::Jwks(set.clone())), &signer.sign(&claims()), &set).await;
    }
    assert!(verifier(KeySource::Jwks(with("key_ops", json!(["verify"])))).verify(&signer.sign(&claims())).await.is_ok());
    let rsa = |bytes: usize| {
        let n = URL_SAFE_NO_PAD.encode([&[0, 0], vec![0xff; bytes].as_slice()].concat());
        json!({ "keys": [{ "kty": "RSA", "kid": "r", "n": n, "e": "AQAB" }] }).to_string()
    };
    let known = |json: String| verifier(KeySource::Jwks(json)).0.issuers[0].current().map(|keys| keys.len());
    assert_eq!((known(rsa(128)), known(rsa(255)), known(rsa(256)), known(rsa(4096))), (Some(0), Some(0), Some(1), Some(0)));
    assert_eq!(known(json!({ "keys": [{ "kty": "oct", "k": "AAAA", "kid": "o" }, 5, {}] }).to_string()), Some(0));
    let many: Vec<_> = (0..65).map(|_| signer.jwk()).collect();
    let many = KeySource::Jwks(json!({ "keys": many }).to_string());
    assert!(matches!(Verifier::try_new(settings(many), &reqwest::Client::new()).err(), Some(KeyError::TooMany)));
    assert!(matches!(Verifier::try_new(settings(KeySource::Jwks("{}".into())), &reqwest::Client::new()).err(), Some(KeyError::NotASet)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_tokens_are_refused(token in prop_oneof![".{0,80}", "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}"]) {
        prop_assert!(jwt::Unverified::parse(&token).is_none());
    }

    #[test]
    fn random_pem_is_no_key(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----");
        prop_assert!(key::KeySet::from_pem(&pem).is_err());
    }
}
