//! Keys and signatures of notes: C2SP signed-note. The format itself, its
//! signature lines and key ids are `signed_note`'s; here are the two kinds of
//! key this house trusts, both Ed25519: a log's, and a witness's
//! ([`cosignature`]).

pub mod cosignature;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use signed_note::{VerificationError, Verifier};

/// What a key signs, as the byte that its texts and its id carry (C2SP
/// signed-note, "Signature types").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signs {
    /// The text of a note, as a log signs its checkpoint: 0x01.
    Notes,
    /// A checkpoint that a witness found consistent, with the time: 0x04.
    Cosignatures,
}

impl Signs {
    const fn byte(self) -> u8 {
        match self {
            Self::Notes => 1,
            Self::Cosignatures => 4,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Notes),
            4 => Some(Self::Cosignatures),
            _ => None,
        }
    }
}

/// Why there is no such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// A name is not empty, and has neither spaces, nor control characters, nor a plus.
    #[error("a key's name is not empty and has no spaces and no plus")]
    Name,
    /// Not `name+id+key`, with the id in eight lower-case hexadecimal digits and
    /// the key in base64.
    #[error("a verifier key is written name+id+key")]
    Format,
    /// Neither Ed25519 nor an Ed25519 cosignature, or not a point that signs safely.
    #[error("the key is not one of Ed25519")]
    Kind,
    /// The id is not the one of this name and key.
    #[error("the key's id does not belong to its name and bytes")]
    Id,
}

/// A key that verifies, with its name. Its text is a C2SP vkey, `name+id+key`.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    id: u32,
    signs: Signs,
    key: VerifyingKey,
}

impl PublicKey {
    /// A key from its 32 bytes (RFC 8032).
    ///
    /// # Errors
    /// Where the name is none, or the bytes are not a key of Ed25519.
    pub fn try_new(name: &str, signs: Signs, bytes: &[u8; 32]) -> Result<Self, NotAKey> {
        let key = VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak()).ok_or(NotAKey::Kind)?;
        Self::named(name, signs, key)
    }

    fn named(name: &str, signs: Signs, key: VerifyingKey) -> Result<Self, NotAKey> {
        if !signed_note::is_key_name_valid(name) || name.chars().any(char::is_control) {
            return Err(NotAKey::Name);
        }
        let id = signed_note::key_id(name, &typed(signs, &key));
        Ok(Self { name: name.to_owned(), id, signs, key })
    }

    /// Its name; of a log's key, the origin of its checkpoints.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id: with the name it says which key made a signature. Not a hash to
    /// rely on.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// What it signs.
    #[must_use]
    pub const fn signs(&self) -> Signs {
        self.signs
    }
}

/// The key's bytes behind the byte of its kind.
fn typed(signs: Signs, key: &VerifyingKey) -> Vec<u8> {
    [&[signs.byte()], key.as_bytes().as_slice()].concat()
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(typed(self.signs, &self.key)))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(vkey: &str) -> Result<Self, NotAKey> {
        let (name, rest) = vkey.split_once('+').ok_or(NotAKey::Format)?;
        let (id, typed) = rest.split_once('+').ok_or(NotAKey::Format)?;
        let typed = STANDARD.decode(typed).map_err(|_| NotAKey::Format)?;
        let (kind, bytes) = typed.split_first().ok_or(NotAKey::Format)?;
        let signs = Signs::from_byte(*kind).ok_or(NotAKey::Kind)?;
        let key = Self::try_new(name, signs, bytes.try_into().map_err(|_| NotAKey::Kind)?)?;
        if id == format!("{:08x}", key.id) { Ok(key) } else { Err(NotAKey::Id) }
    }
}

impl Verifier for PublicKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        match self.signs {
            Signs::Notes => self.signed(text, signature),
            Signs::Cosignatures => cosignature::Cosigned::read(signature)
                .is_some_and(|cosigned| self.signed(&cosignature::message(cosigned.unix_seconds, text), cosigned.signature)),
        }
    }
}

impl PublicKey {
    fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

/// The keys somebody trusts for one thing, as `signed_note` asks for them. Keys
/// of another kind are not among them: an id has four bytes, and one may be made
/// to look like another's.
pub(crate) struct Trusted<'a>(Vec<&'a PublicKey>);

impl<'a> Trusted<'a> {
    pub(crate) fn of(keys: &'a [PublicKey], are: impl Fn(&PublicKey) -> bool) -> Self {
        Self(keys.iter().filter(|key| are(key)).collect())
    }
}

impl signed_note::Verifiers for Trusted<'_> {
    fn verifier(&self, name: &str, id: u32) -> Result<&dyn Verifier, VerificationError> {
        let found = self.0.iter().find(|key| key.name == name && key.id == id);
        found.map(|key| *key as &dyn Verifier).ok_or_else(|| VerificationError::UnknownKey { name: name.to_owned(), id })
    }
}

/// A log's key that signs, with its name. Never shown.
#[derive(Clone)]
pub struct LogKey {
    public: PublicKey,
    key: SigningKey,
}

impl LogKey {
    /// A key from its 32 secret bytes (RFC 8032), named as the log whose
    /// checkpoints it signs.
    ///
    /// # Errors
    /// Where the name is none.
    pub fn try_new(name: &str, secret: &[u8; 32]) -> Result<Self, NotAKey> {
        let key = SigningKey::from_bytes(secret);
        Ok(Self { public: PublicKey::named(name, Signs::Notes, key.verifying_key())?, key })
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogKey({}, …)", self.public)
    }
}

impl signed_note::Signer for LogKey {
    fn name(&self) -> &str {
        &self.public.name
    }

    fn key_id(&self) -> u32 {
        self.public.id
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
        Ok(self.key.try_sign(text)?.to_vec())
    }
}
