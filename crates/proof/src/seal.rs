//! Sealing: a personal value becomes ciphertext and a commitment, both bound
//! to the place it was written at. With the key destroyed, the commitment
//! still holds the leaf together and says nothing of the value.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use lastresort_fact::{Class, KeyId, OrganisationId, Sealed};
use serde_json::{Value, json};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::canonical;

/// The name of the algorithm as stored.
pub const ALGORITHM: &str = "xc20p";
const NONCE: usize = 24;

/// A data key: 32 random bytes, one purpose, never logged.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct DataKey([u8; 32]);

impl DataKey {
    /// A key from its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// The place a value is sealed to.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The ledger.
    pub organisation: OrganisationId,
    /// The stream's kind.
    pub kind: &'a str,
    /// The stream's id.
    pub id: uuid::Uuid,
    /// The event's sequence in the stream.
    pub sequence: u64,
    /// The field, beginning `/body/`.
    pub pointer: &'a str,
}

impl Context<'_> {
    /// JCS of `[org, type, id, seq, pointer]`.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        context_bytes(&json!([self.organisation, self.kind, self.id, self.sequence, self.pointer]))
    }
}

fn context_bytes(context: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(context).expect("texts and a whole number are always JSON")
}

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// The ciphertext is gone.
    #[error("the ciphertext was blanked")]
    Erased,
    /// The key, the place or the bytes are not the ones it was sealed with.
    #[error("the sealed value does not belong to this key and place")]
    Mismatch,
}

/// Seals a value with fresh randomness for its nonce.
///
/// # Errors
/// Where the value has no canonical form.
///
/// # Panics
/// Never: no value that has a canonical form in memory is 256 GiB long.
pub fn seal(
    key: &DataKey,
    key_id: KeyId,
    class: Class,
    context: &Context<'_>,
    value: &Value,
    nonce: [u8; NONCE],
) -> Result<Sealed, canonical::NotCanonical> {
    let plain = canonical::bytes(value)?;
    let context = context.bytes();
    let cipher = XChaCha20Poly1305::new(&derive(key.bytes(), b"audit/v1/enc").into());
    let ciphertext = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: &plain, aad: &context })
        .expect("XChaCha20-Poly1305 takes any text shorter than 256 GiB");
    let mut sealed = nonce.to_vec();
    sealed.extend(ciphertext);
    Ok(Sealed {
        key: key_id,
        algorithm: ALGORITHM.to_owned(),
        ciphertext: Some(STANDARD.encode(sealed)),
        commitment: hex::encode(commitment(key, &context, &plain)),
        class,
        origin: None,
    })
}

/// Opens a sealed value and checks its commitment.
///
/// # Errors
/// Where it was erased, or was not sealed with this key at this place.
pub fn open(key: &DataKey, context: &Context<'_>, sealed: &Sealed) -> Result<Value, NotOpened> {
    let text = sealed.ciphertext.as_ref().ok_or(NotOpened::Erased)?;
    let bytes = STANDARD.decode(text).map_err(|_| NotOpened::Mismatch)?;
    let (nonce, ciphertext) = bytes.split_at_checked(NONCE).ok_or(NotOpened::Mismatch)?;
    let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| NotOpened::Mismatch)?;
    let context = context.bytes();
    let cipher = XChaCha20Poly1305::new(&derive(key.bytes(), b"audit/v1/enc").into());
    let plain = cipher.decrypt(&XNonce::from(nonce), Payload { msg: ciphertext, aad: &context }).map_err(|_| NotOpened::Mismatch)?;
    if hex::encode(commitment(key, &context, &plain)) != sealed.commitment {
        return Err(NotOpened::Mismatch);
    }
    serde_json::from_slice(&plain).map_err(|_| NotOpened::Mismatch)
}

/// The commitment to canonical bytes at a place.
fn commitment(key: &DataKey, context: &[u8], plain: &[u8]) -> [u8; 32] {
    let mut info = b"open\0".to_vec();
    info.extend(context);
    let opening = derive(&derive(key.bytes(), b"audit/v1/com"), &info);
    let length = u32::try_from(context.len()).expect("a context is short");
    let mut mac = mac(&opening);
    mac.update(&length.to_be_bytes());
    mac.update(context);
    mac.update(plain);
    mac.finalize().into_bytes().into()
}

/// HKDF-Expand to 32 bytes: the key is random already, so nothing is extracted.
pub(crate) fn derive(key: &[u8; 32], info: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    Hkdf::<Sha256>::from_prk(key)
        .and_then(|hkdf| hkdf.expand(info, &mut out).map_err(|_| hkdf::InvalidPrkLength))
        .expect("32 bytes in, 32 out");
    out
}

pub(crate) fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> DataKey {
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::try_from(index).expect("under 32");
        }
        DataKey::new(bytes)
    }

    fn context(pointer: &str) -> Context<'_> {
        Context { organisation: OrganisationId::default(), kind: "person", id: uuid::Uuid::nil(), sequence: 1, pointer }
    }

    #[test]
    fn the_designs_vector_holds() {
        let context = context_bytes(&json!(["o1", "Incident", "0192f7c0-0000-7000-8000-000000000007", 1, "/body/dob"]));
        let mut info = b"open\0".to_vec();
        info.extend(&context);
        let opening = derive(&derive(key().bytes(), b"audit/v1/com"), &info);
        assert_eq!(hex::encode(opening), "ed387c52712ef5aaac6307dfda2c45ce147c86efe5873b92d9a3ca81805fc97f");
        let commitment = commitment(&key(), &context, br#""1931-04-05""#);
        assert_eq!(hex::encode(commitment), "7839453a5db5e88dbab4fa5428308c77176e31964d58e83f800d05e6527aec40");
    }

    #[test]
    fn what_is_sealed_opens_at_its_place_and_nowhere_else() {
        let value = json!({"given": "Moira", "family": "Kerr"});
        let sealed = seal(&key(), KeyId::default(), Class::Identity, &context("/body/name"), &value, [7; 24]).expect("sealed");
        assert_eq!(open(&key(), &context("/body/name"), &sealed), Ok(value));
        assert_eq!(open(&key(), &context("/body/other"), &sealed), Err(NotOpened::Mismatch));
        assert_eq!(open(&DataKey::new([9; 32]), &context("/body/name"), &sealed), Err(NotOpened::Mismatch));
        let erased = Sealed { ciphertext: None, ..sealed };
        assert_eq!(open(&key(), &context("/body/name"), &erased), Err(NotOpened::Erased));
    }
}
