//! One issuer and its keys, which change while the service runs.
//!
//! A token with an unknown `kid` makes the issuer be asked again, because keys
//! rotate; anybody can send such tokens, so that happens at most once in a
//! while and never twice at a time. Keys also age. An issuer that does not
//! answer changes nothing: what was known stays good.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::fetch;
use super::key::{KeyError, KeySet};
use super::{IssuerSettings, KeySource};

/// How often an issuer is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Not again before this, whatever comes.
    pub(super) again_after: Duration,
    /// Older keys are fetched again beside the work.
    pub(super) fresh_for: Duration,
    /// Where nobody even tried for so long, work waits for the new keys.
    pub(super) idle_after: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { again_after: Duration::from_secs(30), fresh_for: Duration::from_mins(10), idle_after: Duration::from_mins(20) }
    }
}

pub(super) struct Issuer {
    pub(super) name: String,
    pub(super) audience: String,
    source: KeySource,
    client: reqwest::Client,
    pace: Pace,
    keys: RwLock<Option<Arc<KeySet>>>,
    tried: RwLock<Option<Instant>>,
    /// Held by whoever asks the issuer.
    turn: Arc<Mutex<()>>,
}

impl Issuer {
    pub(super) fn try_new(settings: IssuerSettings, client: reqwest::Client, pace: Pace) -> Result<Self, KeyError> {
        let IssuerSettings { issuer: name, audience, keys: source } = settings;
        let keys = match &source {
            KeySource::Pem(pem) => Some(Arc::new(KeySet::from_pem(pem)?)),
            KeySource::Jwks(json) => Some(Arc::new(KeySet::from_jwks(json.as_bytes())?)),
            KeySource::File(_) | KeySource::Url(_) => None,
        };
        let (keys, tried, turn) = (RwLock::new(keys), RwLock::default(), Arc::default());
        Ok(Self { name, audience, source, client, pace, keys, tried, turn })
    }

    /// The keys as they are, without asking anybody.
    pub(super) fn current(&self) -> Option<Arc<KeySet>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is_loaded(&self) -> bool {
        self.current().is_some()
    }

    /// The keys, seeing to it that they stay fresh. Waits only where there are
    /// none yet, or where they were left alone for long.
    pub(super) async fn keys(self: &Arc<Self>) -> Option<Arc<KeySet>> {
        if self.is_fixed() {
            return self.current();
        }
        match self.tried_ago() {
            None => self.refresh().await,
            Some(ago) if ago >= self.pace.idle_after => self.refresh().await,
            Some(ago) if ago >= self.pace.fresh_for || (ago >= self.pace.again_after && !self.is_loaded()) => self.refresh_beside(),
            Some(_) => {}
        }
        self.current()
    }

    /// Asks the issuer, unless it was asked just now; who comes while it is
    /// being asked waits for that answer.
    pub(super) async fn refresh(self: &Arc<Self>) {
        if self.is_fixed() || (self.tried_just_now() && self.turn.try_lock().is_ok()) {
            return;
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        if self.tried_just_now() {
            return;
        }
        *self.tried.write().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let this = Arc::clone(self);
        // A task of its own: whoever asked may hang up, the others still wait.
        let asking = tokio::spawn(async move {
            this.load().await;
            drop(turn);
        });
        if asking.await.is_err() {
            tracing::error!(issuer = self.name, "reading the issuer's keys broke off");
        }
    }

    fn refresh_beside(self: &Arc<Self>) {
        if self.turn.try_lock().is_ok() {
            let this = Arc::clone(self);
            tokio::spawn(async move { this.refresh().await });
        }
    }

    async fn load(&self) {
        let read = match &self.source {
            KeySource::File(path) => fetch::file(path).await,
            KeySource::Url(url) => fetch::url(&self.client, url).await,
            KeySource::Pem(_) | KeySource::Jwks(_) => return,
        };
        match read {
            Ok(keys) => *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(keys)),
            Err(why) => tracing::warn!(issuer = self.name, %why, "the issuer's keys could not be read; those known stay good"),
        }
    }

    fn is_fixed(&self) -> bool {
        matches!(self.source, KeySource::Pem(_) | KeySource::Jwks(_))
    }

    fn tried_ago(&self) -> Option<Duration> {
        self.tried.read().unwrap_or_else(PoisonError::into_inner).map(|at| at.elapsed())
    }

    fn tried_just_now(&self) -> bool {
        self.tried_ago().is_some_and(|ago| ago < self.pace.again_after)
    }
}
