//! An issuer's public keys: only the three kinds taken here, each with the one
//! algorithm it is good for, so that a token never chooses how it is verified.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

use super::jwt::Unverified;
use super::pem;

/// How many keys an issuer may have.
const KEYS_MAX: usize = 64;
/// RSA keys outside these are refused: too weak, or too slow to be meant well.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a JWK set.
    #[error("not a JWK set")]
    NotASet,
    /// Not a public key in PEM of a kind taken here.
    #[error("not an Ed25519, P-256 or RSA (2048 bits or more) public key in PEM")]
    NotAKey,
    /// More keys than an issuer may have.
    #[error("more than 64 keys")]
    TooMany,
    /// More bytes than keys may have.
    #[error("more than 256 KiB of keys")]
    TooLarge,
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    File(#[from] std::io::Error),
    /// The issuer did not answer as it should.
    #[error("the issuer does not answer: {0}")]
    Issuer(#[from] reqwest::Error),
}

/// A public key.
pub(super) struct Key {
    kid: Option<String>,
    algorithm: Algorithm,
    /// The key itself, in short: the same key read again has the same.
    pub(super) thumbprint: [u8; 32],
    decoding: DecodingKey,
}

/// The bytes of a public key.
pub(super) enum Material {
    Ed25519(Vec<u8>),
    P256 { x: Vec<u8>, y: Vec<u8> },
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl Key {
    /// `None` where the key is too weak or misshapen.
    pub(super) fn try_new(kid: Option<String>, material: Material) -> Option<Self> {
        let (algorithm, bytes, decoding) = match material {
            Material::Ed25519(x) if x.len() == 32 => (Algorithm::EdDSA, x.clone(), DecodingKey::from_ed_der(&x)),
            Material::P256 { x, y } if x.len() == 32 && y.len() == 32 => {
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                (Algorithm::ES256, point.clone(), DecodingKey::from_ec_der(&point))
            }
            Material::Rsa { n, e } if RSA_BITS.contains(&bits(&n)) && bits(&e) > 1 => {
                let n = n[n.iter().position(|byte| *byte != 0)?..].to_vec();
                (Algorithm::RS256, [n.as_slice(), e.as_slice()].concat(), DecodingKey::from_rsa_raw_components(&n, &e))
            }
            Material::Ed25519(_) | Material::P256 { .. } | Material::Rsa { .. } => return None,
        };
        let thumbprint = Sha256::new().chain_update(format!("{algorithm:?}:")).chain_update(bytes).finalize().into();
        Some(Self { kid, algorithm, thumbprint, decoding })
    }

    /// Whether this key signed the token.
    pub(super) fn verifies(&self, token: &Unverified<'_>) -> bool {
        self.algorithm == token.algorithm
            && jsonwebtoken::crypto::verify(token.signature, token.message.as_bytes(), &self.decoding, self.algorithm).unwrap_or(false)
    }
}

fn bits(number: &[u8]) -> usize {
    let significant = number.iter().skip_while(|byte| **byte == 0);
    let first = significant.clone().next().copied().unwrap_or_default();
    (significant.count() * 8).saturating_sub(first.leading_zeros() as usize)
}

/// Which key a token names.
pub(super) enum Found {
    /// This one.
    Key(Arc<Key>),
    /// A key that is not for the token's algorithm, or one of several it does not name.
    Unfit,
    /// One that is not known, or not yet.
    Unknown,
}

/// An issuer's keys at one time.
#[derive(Default)]
pub(super) struct KeySet(Vec<Arc<Key>>);

impl KeySet {
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn holds(&self, thumbprint: &[u8; 32]) -> bool {
        self.0.iter().any(|key| key.thumbprint == *thumbprint)
    }

    /// By its `kid`, which may only be missing where there is one key. Where the
    /// issuer gave its only key none, it is taken for any.
    pub(super) fn find(&self, token: &Unverified<'_>) -> Found {
        let named: Vec<_> = match (&token.kid, self.0.as_slice()) {
            (_, []) => return Found::Unknown,
            (None, [only]) => vec![only],
            (None, _) => return Found::Unfit,
            (Some(_), [only]) if only.kid.is_none() => vec![only],
            (Some(kid), keys) => keys.iter().filter(|key| key.kid.as_ref() == Some(kid)).collect(),
        };
        if named.is_empty() {
            return Found::Unknown;
        }
        let fit = named.into_iter().find(|key| key.algorithm == token.algorithm);
        fit.map_or(Found::Unfit, |key| Found::Key(Arc::clone(key)))
    }

    /// From a file or setting that holds either form.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, KeyError> {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN") => Self::from_pem(text),
            _ => Self::from_jwks(bytes),
        }
    }

    /// One key in PEM, without a `kid`.
    pub(super) fn from_pem(text: &str) -> Result<Self, KeyError> {
        let key = pem::material(text).and_then(|material| Key::try_new(None, material)).ok_or(KeyError::NotAKey)?;
        Ok(Self(vec![Arc::new(key)]))
    }

    /// A JWK set. Keys for something else are passed over; sets hold them.
    pub(super) fn from_jwks(json: &[u8]) -> Result<Self, KeyError> {
        let Set { keys } = serde_json::from_slice(json).map_err(|_| KeyError::NotASet)?;
        if keys.len() > KEYS_MAX {
            return Err(KeyError::TooMany);
        }
        let given = keys.len();
        let usable = keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok()?.key().map(Arc::new));
        let set = Self(usable.collect());
        if set.0.len() < given {
            tracing::info!(given, usable = set.0.len(), "some keys of the set are not for tokens taken here");
        }
        Ok(set)
    }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

/// A key as RFC 7517 writes it.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    /// Of a private key, which has no place in a public set.
    d: Option<IgnoredAny>,
}

impl Jwk {
    fn key(self) -> Option<Key> {
        if self.d.is_some() {
            tracing::error!("a key set holds a private key: it is passed over, and should be given up");
            return None;
        }
        let signs = self.usage.is_none_or(|usage| usage == "sig");
        let verifies = self.key_ops.is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        let bytes = |part: Option<String>| URL_SAFE_NO_PAD.decode(part?).ok();
        let (algorithm, material) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => ("EdDSA", Material::Ed25519(bytes(self.x)?)),
            ("EC", Some("P-256")) => ("ES256", Material::P256 { x: bytes(self.x)?, y: bytes(self.y)? }),
            ("RSA", _) => ("RS256", Material::Rsa { n: bytes(self.n)?, e: bytes(self.e)? }),
            _ => return None,
        };
        let fits = self.alg.is_none_or(|alg| alg == algorithm);
        if signs && verifies && fits { Key::try_new(self.kid, material) } else { None }
    }
}
