//! A token taken apart, nothing of it believed yet: a compact JWS with a
//! header of the few kinds taken here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::refused;
use crate::problem::Problem;

/// What `typ` may be: JWT, or an access token (RFC 9068).
const TYPES: [&str; 3] = ["jwt", "at+jwt", "application/at+jwt"];
/// The last second of the year 9999.
const SECONDS_MAX: f64 = 253_402_300_799.0;

/// A token whose signature nobody has looked at.
pub(super) struct Unverified<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    /// What is signed: header and claims as sent.
    pub(super) message: &'a str,
    pub(super) signature: &'a str,
    claims: &'a str,
}

/// What a token claims.
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) audience: Vec<String>,
    pub(super) expires_at: i64,
    pub(super) not_before: Option<i64>,
    pub(super) scopes: Option<Vec<String>>,
}

impl<'a> Unverified<'a> {
    /// The parts of a token; `None` where it is none, or of a kind not taken.
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        if claims.contains('.') {
            return None;
        }
        let Header { alg, typ, kid, crit } = part(header)?;
        let algorithm = match alg.as_str() {
            "EdDSA" => Algorithm::EdDSA,
            "ES256" => Algorithm::ES256,
            "RS256" => Algorithm::RS256,
            _ => return None,
        };
        let typed = TYPES.iter().any(|known| typ.eq_ignore_ascii_case(known));
        (typed && !crit).then_some(Self { algorithm, kid, message, signature, claims })
    }

    pub(super) fn claims(&self) -> Result<Claims, Problem> {
        let Payload { iss, sub, aud, exp, nbf, scope } = part(self.claims).ok_or_else(|| refused("its claims are not as they must be"))?;
        if sub.is_empty() {
            return Err(refused("it names nobody"));
        }
        Ok(Claims {
            issuer: iss,
            subject: sub,
            audience: match aud {
                Audience::One(one) => vec![one],
                Audience::Many(many) => many,
            },
            expires_at: exp.0,
            not_before: nbf.map(|nbf| nbf.0),
            scopes: scope.map(|scope| scope.split_ascii_whitespace().map(str::to_owned).collect()),
        })
    }
}

fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    sub: String,
    aud: Audience,
    exp: NumericDate,
    #[serde(default)]
    nbf: Option<NumericDate>,
    #[serde(default)]
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Whole seconds since 1970; fractions, which RFC 7519 allows, are cut off.
struct NumericDate(i64);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        if !(0.0..=SECONDS_MAX).contains(&seconds) {
            return Err(D::Error::custom("not a date"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "in range, and meant to be cut off")]
        Ok(Self(seconds as i64))
    }
}
