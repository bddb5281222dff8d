//! Issuers that rotate their keys, answer badly, or not at all.

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use futures::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::signer::{Signer, set};
use super::*;

/// An issuer on this machine.
#[derive(Clone)]
struct Server {
    url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    keys: Mutex<String>,
    down: AtomicBool,
    asked: AtomicUsize,
}

impl Server {
    async fn start(keys: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/jwks", listener.local_addr().expect("an address"));
        let state = Arc::new(State { keys: Mutex::new(keys), ..State::default() });
        let server = Self { url, state: Arc::clone(&state) };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                state.asked.fetch_add(1, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 4096]).await;
                let (status, body) =
                    if state.down.load(Ordering::SeqCst) { ("500 x", String::new()) } else { ("200 OK", lock(&state.keys).clone()) };
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        server
    }

    fn publish(&self, keys: String) {
        *lock(&self.state.keys) = keys;
    }

    fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    fn verifier(&self, pace: Pace) -> Verifier {
        Verifier::paced(settings(KeySource::Url(self.url.clone())), &reqwest::Client::new(), pace, || NOW).expect("settings")
    }
}

fn lock(keys: &Mutex<String>) -> MutexGuard<'_, String> {
    keys.lock().expect("not poisoned")
}

/// Asks again whenever there is a reason to.
fn eager() -> Pace {
    Pace { again_after: Duration::ZERO, ..Pace::default() }
}

#[actix_web::test]
async fn an_unknown_key_is_asked_for_once_however_many_ask() {
    let (known, unknown) = (Signer::ed25519("a"), Signer::ed25519("b"));
    let server = Server::start(set(&[&known])).await;
    let verifier = server.verifier(Pace::default());
    let tokens: Vec<_> = (0..100).map(|n| unknown.sign(&claims_with(&json!({ "sub": n.to_string() })))).collect();
    let answers = join_all(tokens.iter().map(|token| verifier.verify(token))).await;
    assert!(answers.into_iter().all(|answer| answer.is_err_and(|problem| problem.code() == "unauthenticated")));
    assert_eq!(server.asked(), 1, "for the first keys, and not again so soon");
    assert!(verifier.verify(&known.sign(&claims())).await.is_ok());
    assert_eq!(server.asked(), 1);
}

#[actix_web::test]
async fn a_new_key_is_found_and_a_dropped_one_forgotten() {
    let (old, new) = (Signer::ed25519("a"), Signer::rsa("b"));
    let server = Server::start(set(&[&old])).await;
    let verifier = server.verifier(eager());
    let remembered = old.sign(&claims());
    assert!(verifier.verify(&remembered).await.is_ok());
    server.publish(set(&[&old, &new]));
    assert!(verifier.verify(&new.sign(&claims())).await.is_ok());
    assert_eq!(server.asked(), 2);
    assert!(verifier.verify(&remembered).await.is_ok());
    assert_eq!(server.asked(), 2, "a remembered token asks nobody");
    server.publish(set(&[&new]));
    verifier.0.issuers[0].refresh().await;
    assert_eq!(refusal(&verifier, &remembered).await.0, "unauthenticated", "its key is gone");
    // The same kid with another key is another key.
    let impostor = Signer::rsa("b");
    let remembered = new.sign(&claims());
    assert!(verifier.verify(&remembered).await.is_ok());
    server.publish(set(&[&impostor]));
    verifier.0.issuers[0].refresh().await;
    assert_eq!(refusal(&verifier, &remembered).await.0, "unauthenticated");
}

#[actix_web::test]
async fn an_issuer_that_fails_changes_nothing() {
    let signer = Signer::p256("a");
    let server = Server::start(set(&[&signer])).await;
    let verifier = server.verifier(eager());
    verifier.warm().await;
    assert!(verifier.is_ready());
    let bad = ["", "{", "{\"keys\": 5}", &"x".repeat(300 * 1024)];
    for bad in bad {
        server.publish(bad.to_owned());
        verifier.0.issuers[0].refresh().await;
        assert!(verifier.verify(&signer.sign(&claims())).await.is_ok());
    }
    server.state.down.store(true, Ordering::SeqCst);
    verifier.0.issuers[0].refresh().await;
    assert!(verifier.verify(&signer.sign(&claims())).await.is_ok());
    assert_eq!(server.asked(), 2 + bad.len());
    server.publish("{\"keys\": []}".into());
    server.state.down.store(false, Ordering::SeqCst);
    verifier.0.issuers[0].refresh().await;
    assert_eq!(refusal(&verifier, &signer.sign(&claims())).await.0, "unauthenticated", "it says that it has no keys");
}

#[actix_web::test]
async fn without_any_keys_it_is_no_fault_of_the_token() {
    let signer = Signer::ed25519("a");
    let server = Server::start(String::new()).await;
    let verifier = server.verifier(eager());
    assert_eq!(refusal(&verifier, &signer.sign(&claims())).await.0, "unavailable");
    assert_eq!(refusal(&verifier, &signer.sign(&claims_with(&json!({ "iss": "other" })))).await.0, "unauthenticated");
    assert!(!verifier.is_ready());
    server.publish(set(&[&signer]));
    assert!(verifier.verify(&signer.sign(&claims())).await.is_ok(), "it comes back by itself");
}

#[actix_web::test]
async fn keys_age_and_are_read_again_beside_the_work() {
    let (old, new) = (Signer::ed25519("a"), Signer::ed25519("b"));
    let server = Server::start(set(&[&old])).await;
    let verifier = server.verifier(Pace { again_after: Duration::ZERO, fresh_for: Duration::ZERO, ..Pace::default() });
    let token = old.sign(&claims());
    assert!(verifier.verify(&token).await.is_ok());
    server.publish(set(&[&new]));
    assert!(verifier.verify(&token).await.is_ok(), "does not wait");
    while verifier.verify(&token).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let idle = server.verifier(Pace { again_after: Duration::ZERO, fresh_for: Duration::ZERO, idle_after: Duration::ZERO });
    assert!(idle.verify(&new.sign(&claims())).await.is_ok());
    server.publish(set(&[&old]));
    assert!(idle.verify(&new.sign(&claims())).await.is_err(), "left alone for long, it waits for the keys of now");
}

#[actix_web::test]
async fn a_file_is_read_again_as_well() {
    let (old, new) = (Signer::ed25519("a"), Signer::ed25519("b"));
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("keys.json");
    let source = || KeySource::File(path.clone());
    assert_eq!(refusal(&verifier(source()), &old.sign(&claims())).await.0, "unavailable");
    std::fs::write(&path, set(&[&old])).expect("written");
    let verifier = Verifier::paced(settings(source()), &reqwest::Client::new(), eager(), || NOW).expect("settings");
    assert!(verifier.verify(&old.sign(&claims())).await.is_ok());
    std::fs::write(&path, set(&[&new])).expect("written");
    assert!(verifier.verify(&new.sign(&claims())).await.is_ok());
    assert!(verifier.verify(&old.sign(&claims())).await.is_err());
    std::fs::write(&path, old.pem()).expect("written");
    verifier.0.issuers[0].refresh().await;
    assert!(verifier.verify(&old.sign(&claims())).await.is_ok());
}
