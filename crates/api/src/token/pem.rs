//! A public key in PEM (`SubjectPublicKeyInfo`), down to its bytes: only as
//! much DER as the three kinds of key need.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::Material;

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
const P256: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// The one key in a PEM text.
pub(super) fn material(pem: &str) -> Option<Material> {
    let (_, after) = pem.split_once(BEGIN)?;
    let (text, rest) = after.split_once(END)?;
    if rest.contains("-----BEGIN") {
        return None;
    }
    let text: String = text.split_ascii_whitespace().collect();
    let der = STANDARD.decode(text).ok()?;
    let (info, []) = element(SEQUENCE, &der)? else { return None };
    let (algorithm, info) = element(SEQUENCE, info)?;
    let (bits, []) = element(BIT_STRING, info)? else { return None };
    let key = bits.strip_prefix(&[0])?;
    match algorithm {
        ED25519 => Some(Material::Ed25519(key.to_vec())),
        P256 => {
            let (x, y) = key.strip_prefix(&[4])?.split_at_checked(32)?;
            Some(Material::P256 { x: x.to_vec(), y: y.to_vec() })
        }
        RSA => {
            let (numbers, []) = element(SEQUENCE, key)? else { return None };
            let (n, numbers) = element(INTEGER, numbers)?;
            let (e, []) = element(INTEGER, numbers)? else { return None };
            Some(Material::Rsa { n: n.to_vec(), e: e.to_vec() })
        }
        _ => None,
    }
}

/// The content of the first element, which must be of that kind, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = der.strip_prefix(&[tag])?.split_first()?;
    if length < 0x80 {
        return rest.split_at_checked(usize::from(length));
    }
    let count = usize::from(length & 0x7f);
    if count > 2 {
        return None;
    }
    let (length, rest) = rest.split_at_checked(count)?;
    rest.split_at_checked(length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
}
