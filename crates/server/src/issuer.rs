//! The local issuer, for development and the demonstration: a key of its own
//! beside the epoch keys, and tokens for whomever one names.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

/// The `iss` of its tokens.
pub const ISSUER: &str = "urn:lastresort:local";

/// Signs tokens.
pub struct LocalIssuer {
    key: SigningKey,
    audience: String,
}

/// Why it cannot.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The key's file cannot be used.
    #[error("the local issuer's key: {0}")]
    File(#[from] std::io::Error),
    /// The key is none.
    #[error("the local issuer's key is not readable")]
    Key,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: u64,
    exp: u64,
}

impl LocalIssuer {
    /// The issuer whose key is in the folder; made where there is none.
    ///
    /// # Errors
    /// Where the key cannot be read or written.
    pub fn open(folder: &Path, audience: &str) -> Result<Self, IssuerError> {
        let path = folder.join("issuer.key");
        fs::create_dir_all(folder)?;
        if !path.exists() {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(|_| IssuerError::Key)?;
            let pem = SigningKey::from_bytes(&seed).to_pkcs8_pem(LineEnding::LF).map_err(|_| IssuerError::Key)?;
            match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(mut file) => file.write_all(pem.as_bytes()).and_then(|()| file.sync_all())?,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        let key = SigningKey::from_pkcs8_pem(&fs::read_to_string(&path)?).map_err(|_| IssuerError::Key)?;
        Ok(Self { key, audience: audience.to_owned() })
    }

    /// Its public key, as PEM.
    ///
    /// # Errors
    /// Never for a key that was read.
    pub fn public_pem(&self) -> Result<String, IssuerError> {
        self.key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|_| IssuerError::Key)
    }

    /// A token for a subject, from now on, by the machine's clock.
    ///
    /// # Errors
    /// Never for a key that was read.
    pub fn token(&self, subject: &str, valid: Duration) -> Result<String, IssuerError> {
        let iat = machine_seconds();
        let claims = Claims { iss: ISSUER, aud: &self.audience, sub: subject, iat, exp: iat + valid.as_secs() };
        let pem = self.key.to_pkcs8_pem(LineEnding::LF).map_err(|_| IssuerError::Key)?;
        let key = EncodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| IssuerError::Key)?;
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &key).map_err(|_| IssuerError::Key)
    }
}

#[expect(clippy::disallowed_methods, reason = "tokens are dated by the machine's clock")]
fn machine_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
