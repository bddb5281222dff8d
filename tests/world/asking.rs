//! One request, said in words and sent when it is awaited.

use std::future::IntoFuture;

use futures::future::BoxFuture;
use reqwest::Method;
use serde_json::Value;

use super::{Answer, Voice, a_uuid};

/// A request about to be sent.
#[must_use]
pub struct Asking {
    voice: Voice,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Asking {
    pub(super) fn new(voice: &Voice, method: Method, path: &str) -> Self {
        let path = format!("{}{path}", voice.base);
        let headers = voice.token.iter().map(|token| ("authorization".to_owned(), format!("Bearer {token}"))).collect();
        let asking = Self { voice: voice.clone(), method, path, headers, body: None };
        if voice.machine && asking.method != Method::GET { asking.key(&a_uuid()) } else { asking }
    }

    /// With this body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With this body of that kind.
    pub fn body(self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: Some(body.into()), ..self.header("content-type", kind) }
    }

    /// With this header, in place of what stood there.
    pub fn header(self, name: &str, value: &str) -> Self {
        let mut asking = self.without(name);
        asking.headers.push((name.to_owned(), value.to_owned()));
        asking
    }

    /// Without that header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Under this idempotency key.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// On this version.
    pub fn if_match(self, version: u64) -> Self {
        self.header("if-match", &format!("\"{version}\""))
    }

    /// Sends it; nothing where the service does not answer.
    pub async fn attempt(self) -> Option<Answer> {
        let wire = self.voice.wire;
        let mut request = wire.http.request(self.method.clone(), format!("{}{}", wire.base_url, self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let answer = Answer::read(&self.method, &self.path, request.send().await.ok()?).await?;
        wire.contract.hold(&answer);
        Some(answer)
    }
}

impl IntoFuture for Asking {
    type Output = Answer;
    type IntoFuture = BoxFuture<'static, Answer>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let asked = format!("{} {}", self.method, self.path);
            self.attempt().await.unwrap_or_else(|| panic!("{asked}: the service does not answer"))
        })
    }
}
