//! Tells the case to the service, as the people of the story would: over HTTP,
//! each under their own token, on a clock that the story moves. Every command
//! has the key of its place in the story, so that a story cut short is told
//! again from the start and nothing happens twice.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use indicatif::ProgressBar;
use lastresort_fact::Instant;
use lastresort_ledger::clock::Clock;
use reqwest::{Client, Method, Response};
use serde_json::Value;

use super::DemoError;
use crate::issuer::LocalIssuer;

/// For how long the tokens of the story are good.
pub(super) const DAY: Duration = Duration::from_hours(24);

/// Somebody who speaks in one organisation.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    /// Their token.
    pub(super) token: String,
    /// The path of the organisation they speak in.
    pub(super) base: String,
}

/// The telling.
pub(super) struct Story<'a> {
    client: Client,
    base_url: String,
    clock: Clock,
    issuer: &'a LocalIssuer,
    bar: ProgressBar,
    told: u64,
}

impl<'a> Story<'a> {
    pub(super) fn new(base_url: &str, clock: Clock, issuer: &'a LocalIssuer, bar: ProgressBar) -> Self {
        Self { client: Client::new(), base_url: base_url.to_owned(), clock, issuer, bar, told: 0 }
    }

    /// A voice in an organisation.
    pub(super) fn voice(&self, organisation: &str, subject: &str) -> Result<Voice, DemoError> {
        let token = self.issuer.token(subject, DAY).map_err(|error| DemoError(error.to_string()))?;
        Ok(Voice { token, base: format!("/v1/organisations/{organisation}") })
    }

    /// Moves the clock to an hour of a day; never back.
    pub(super) fn at(&self, day: &str, hour: u32) -> Result<(), DemoError> {
        let day: NaiveDate = day.parse().map_err(|error| DemoError(format!("{day}: {error}")))?;
        self.on(day, hour);
        Ok(())
    }

    /// The same for a day of the case.
    pub(super) fn on(&self, day: NaiveDate, hour: u32) {
        if let Some(at) = day.and_hms_opt(hour, 0, 0) {
            self.clock.advance(Instant::from(DateTime::<Utc>::from_naive_utc_and_offset(at, Utc)));
        }
    }

    /// What chapter is told.
    pub(super) fn chapter(&self, name: &'static str) {
        self.bar.set_message(name);
    }

    /// Says a command and returns the resource as it became.
    pub(super) async fn say(&mut self, voice: &Voice, path: &str, body: &Value) -> Result<Value, DemoError> {
        self.send(Method::POST, voice, path, body, None).await
    }

    /// States a resource under an id of another system.
    pub(super) async fn put(&mut self, voice: &Voice, path: &str, body: &Value) -> Result<Value, DemoError> {
        self.send(Method::PUT, voice, path, body, None).await
    }

    /// Changes or closes a resource, on the version it has now.
    pub(super) async fn change(&mut self, voice: &Voice, resource: &str, what: &str, body: &Value) -> Result<Value, DemoError> {
        let now = self.read(voice, resource).await?;
        let version = format!("\"{}\"", now["version"]);
        self.send(Method::POST, voice, &format!("{resource}/{what}"), body, Some(version)).await
    }

    /// Reads a resource.
    pub(super) async fn read(&self, voice: &Voice, path: &str) -> Result<Value, DemoError> {
        let url = format!("{}{}{path}", self.base_url, voice.base);
        let answer = self.client.get(&url).bearer_auth(&voice.token).send().await;
        read(path, answer).await
    }

    async fn send(&mut self, method: Method, voice: &Voice, path: &str, body: &Value, version: Option<String>) -> Result<Value, DemoError> {
        self.told += 1;
        self.bar.inc(1);
        let url = format!("{}{}{path}", self.base_url, voice.base);
        let mut request = self.client.request(method, &url).bearer_auth(&voice.token).json(body);
        request = request.header("Idempotency-Key", format!("demo-{}", self.told));
        if let Some(version) = version {
            request = request.header("If-Match", version);
        }
        read(path, request.send().await).await
    }

    /// How many commands were said.
    pub(super) const fn told(&self) -> u64 {
        self.told
    }
}

async fn read(path: &str, answer: reqwest::Result<Response>) -> Result<Value, DemoError> {
    let answer = answer.map_err(|error| DemoError(format!("{path}: {error}")))?;
    let status = answer.status();
    let body: Value = answer.json().await.map_err(|error| DemoError(format!("{path}: {error}")))?;
    if status.is_success() { Ok(body) } else { Err(DemoError(format!("{path} was answered with {status}: {body:#}"))) }
}

/// The id of a resource.
pub(super) fn id(resource: &Value) -> Result<String, DemoError> {
    resource["id"].as_str().map(str::to_owned).ok_or_else(|| DemoError("an answer has no id".to_owned()))
}
