//! Keys that keep keys: data keys are wrapped by an epoch key, epoch keys by
//! the root key; and the keyed hashes under which values are claimed.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::Mac;
use lastresort_fact::OrganisationId;

use crate::seal::{DataKey, derive, mac};

/// The bytes are not wrapped by this key for this purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key was not wrapped by this key for this purpose")]
pub struct NotUnwrapped;

/// Wraps a key; `purpose` binds it to what it is for (its id, its epoch).
///
/// # Panics
/// Never: a key is 32 bytes.
#[must_use]
pub fn wrap(by: &DataKey, purpose: &str, key: &DataKey, nonce: [u8; 24]) -> Vec<u8> {
    let cipher = XChaCha20Poly1305::new(&derive(by.bytes(), b"audit/v1/wrap").into());
    let mut wrapped = nonce.to_vec();
    let payload = Payload { msg: key.bytes(), aad: purpose.as_bytes() };
    wrapped.extend(cipher.encrypt(&XNonce::from(nonce), payload).expect("a key is 32 bytes"));
    wrapped
}

/// Unwraps a key.
///
/// # Errors
/// Where it was wrapped by another key or for another purpose.
pub fn unwrap(by: &DataKey, purpose: &str, wrapped: &[u8]) -> Result<DataKey, NotUnwrapped> {
    let (nonce, ciphertext) = wrapped.split_at_checked(24).ok_or(NotUnwrapped)?;
    let nonce: [u8; 24] = nonce.try_into().map_err(|_| NotUnwrapped)?;
    let cipher = XChaCha20Poly1305::new(&derive(by.bytes(), b"audit/v1/wrap").into());
    let payload = Payload { msg: ciphertext, aad: purpose.as_bytes() };
    let bytes = cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| NotUnwrapped)?;
    Ok(DataKey::new(bytes.try_into().map_err(|_| NotUnwrapped)?))
}

/// What a store keeps to know its root key again, and tells nobody what it is.
#[must_use]
pub fn key_check(root: &DataKey) -> String {
    hex::encode(derive(root.bytes(), b"audit/v1/check"))
}

/// The key under which one ledger's values are hashed.
#[must_use]
pub fn index_key(root: &DataKey, organisation: OrganisationId) -> DataKey {
    DataKey::new(derive(root.bytes(), format!("audit/v1/index/{organisation}").as_bytes()))
}

/// The keyed hash of parts, each with its length, so that none runs into the next.
#[must_use]
pub fn digest(key: &DataKey, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = mac(key.bytes());
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_key_comes_back_only_by_its_wrapper_and_purpose() {
        let (root, key) = (DataKey::new([1; 32]), DataKey::new([2; 32]));
        let wrapped = wrap(&root, "epoch/1", &key, [3; 24]);
        assert_eq!(unwrap(&root, "epoch/1", &wrapped), Ok(key.clone()));
        assert_eq!(unwrap(&root, "epoch/2", &wrapped), Err(NotUnwrapped));
        assert_eq!(unwrap(&key, "epoch/1", &wrapped), Err(NotUnwrapped));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let key = DataKey::new([1; 32]);
        assert_ne!(digest(&key, &[b"ab", b"c"]), digest(&key, &[b"a", b"bc"]));
    }
}
