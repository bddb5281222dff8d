//! Who asks: bearer tokens, verified. A token says who somebody is and nothing
//! of what they may do; that is in the ledger.
//!
//! Issuers are named in the settings with their keys. A signature costs about
//! as much as the rest of a request, so a token that was good is remembered
//! until it expires, and forgotten at once when its issuer drops the key.

mod cache;
mod fetch;
mod issuer;
mod jwt;
mod key;
mod pem;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use sha2::{Digest as _, Sha256};

use crate::problem::Problem;
use cache::{Cache, Verified};
use issuer::{Issuer, Pace};
use jwt::{Claims, Unverified};
use key::Found;

pub use key::KeyError;

/// How long a token may be.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// By how much an issuer's clock may be ahead of ours.
const LEEWAY_SECONDS: i64 = 30;

/// Whose tokens are believed.
#[derive(Clone, Debug, Default)]
pub struct TokenSettings {
    /// The issuers; one may stand here several times, with several audiences.
    pub issuers: Vec<IssuerSettings>,
}

/// An issuer, and what it must say to be believed.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    /// Its `iss`, to the letter.
    pub issuer: String,
    /// The `aud` that means this service, to the letter.
    pub audience: String,
    /// Where its public keys are.
    pub keys: KeySource,
}

/// Where an issuer's public keys are.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A file with a JWK set or one PEM key, read again when a key is missing.
    File(PathBuf),
    /// An address with a JWK set, asked again when a key is missing.
    Url(String),
    /// One public key, as PEM.
    Pem(String),
    /// A JWK set, as JSON.
    Jwks(String),
}

/// Who a good token says somebody is.
#[derive(Clone, PartialEq, Eq)]
pub struct Bearer {
    /// Its `iss`.
    pub issuer: String,
    /// Its `sub`. Personal data.
    pub subject: String,
    /// What it narrows its bearer to (RFC 9068), where it does.
    pub scopes: Option<Vec<String>>,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, subject: _, scopes, expires_at } = self;
        let mut bearer = f.debug_struct("Bearer");
        bearer.field("issuer", issuer).field("scopes", scopes).field("expires_at", expires_at);
        bearer.finish_non_exhaustive()
    }
}

/// Verifies tokens. Cheap to clone; the clones are one.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    issuers: Vec<Arc<Issuer>>,
    cache: Cache,
    now: fn() -> i64,
}

impl Verifier {
    /// A verifier of those issuers' tokens.
    ///
    /// # Errors
    /// Where keys that stand in the settings cannot be used.
    pub fn try_new(settings: TokenSettings, client: &reqwest::Client) -> Result<Self, KeyError> {
        Self::paced(settings, client, Pace::default(), machine_seconds)
    }

    fn paced(settings: TokenSettings, client: &reqwest::Client, pace: Pace, now: fn() -> i64) -> Result<Self, KeyError> {
        let issuers = settings.issuers.into_iter().map(|issuer| Issuer::try_new(issuer, client.clone(), pace).map(Arc::new));
        Ok(Self(Arc::new(Inner { issuers: issuers.collect::<Result<_, _>>()?, cache: Cache::default(), now })))
    }

    /// Reads every issuer's keys now rather than with the first token.
    pub async fn warm(&self) {
        futures::future::join_all(self.0.issuers.iter().map(Issuer::keys)).await;
    }

    /// Whether the keys of every issuer are known.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.issuers.iter().all(|issuer| issuer.is_loaded())
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// 401 where the token is not good; 503 where its issuer's keys were never to be had.
    pub async fn verify(&self, token: &str) -> Result<Bearer, Problem> {
        let Inner { issuers, cache, now } = &*self.0;
        if token.len() > TOKEN_BYTES_MAX {
            return Err(refused("it is too long"));
        }
        let digest = Sha256::digest(token).into();
        if let Some(known) = cache.get(&digest) {
            let keys = issuers[known.issuer].keys().await;
            if keys.is_some_and(|keys| keys.holds(&known.thumbprint)) {
                return unexpired(known.bearer.clone(), now());
            }
        }
        let unverified = Unverified::parse(token).ok_or_else(|| refused("it is no signed JWT of a kind taken here"))?;
        let Claims { issuer, subject, audience, expires_at, not_before, scopes } = unverified.claims()?;
        let expected = |one: &Arc<Issuer>| one.name == issuer && audience.iter().any(|aud| *aud == one.audience);
        let at = issuers.iter().position(expected).ok_or_else(|| refused("issuer or audience is another"))?;
        let key = key_of(&issuers[at], &unverified).await?;
        if !key.verifies(&unverified) {
            return Err(refused("its signature is wrong"));
        }
        if not_before.is_some_and(|from| from > now() + LEEWAY_SECONDS) {
            return Err(refused("it is not valid yet"));
        }
        let bearer = unexpired(Bearer { issuer, subject, scopes, expires_at }, now())?;
        cache.put(digest, Verified { bearer: bearer.clone(), issuer: at, thumbprint: key.thumbprint }, now());
        Ok(bearer)
    }
}

/// The token of a request.
///
/// # Errors
/// 401 where there is none, or something else.
pub fn bearer_token(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut given = headers.get_all(AUTHORIZATION);
    let Some(first) = given.next() else { return Err(Problem::new("unauthenticated")) };
    let parts = first.to_str().ok().and_then(|value| value.split_once(' '));
    match parts {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && given.next().is_none() => Ok(token.trim()),
        _ => Err(Problem::new("unauthenticated")),
    }
}

/// The key that should have signed it, asking the issuer once more where it is missing.
async fn key_of(issuer: &Arc<Issuer>, token: &Unverified<'_>) -> Result<Arc<key::Key>, Problem> {
    let keys = issuer.keys().await;
    let mut found = keys.map(|keys| keys.find(token));
    if !matches!(found, Some(Found::Key(_) | Found::Unfit)) {
        issuer.refresh().await;
        found = issuer.current().map(|keys| keys.find(token));
    }
    match found {
        Some(Found::Key(key)) => Ok(key),
        Some(Found::Unfit | Found::Unknown) => Err(refused("no key of the issuer fits it")),
        None => Err(Problem::new("unavailable").detail("The keys of the token's issuer cannot be had at the moment.")),
    }
}

fn unexpired(bearer: Bearer, now: i64) -> Result<Bearer, Problem> {
    if now < bearer.expires_at { Ok(bearer) } else { Err(expired()) }
}

fn expired() -> Problem {
    let challenge = "Bearer error=\"invalid_token\", error_description=\"The token has expired.\"";
    Problem::new("token_expired").header(WWW_AUTHENTICATE, challenge)
}

/// The caller learns that it is not good; why, only the log learns.
fn refused(why: &'static str) -> Problem {
    tracing::warn!(why, "token refused");
    let challenge = "Bearer error=\"invalid_token\", error_description=\"The token is not valid for this service.\"";
    Problem::new("unauthenticated").detail("The token is not valid for this service.").header(WWW_AUTHENTICATE, challenge)
}

#[expect(clippy::disallowed_methods, reason = "tokens are judged by the machine's clock")]
fn machine_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
