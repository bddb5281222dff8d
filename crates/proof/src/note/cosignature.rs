//! A witness's signature under a log's checkpoint: C2SP tlog-cosignature, the
//! Ed25519 kind, `cosignature/v1`. It says that at a certain second this was the
//! largest tree the witness had seen of the log, and consistent with all before.

use signed_note::Signature;

/// No second from here on may be named (2^63−1 is the last).
const UNIX_SECONDS_END: u64 = 1 << 63;

/// A witness's verified word for a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// The name of the witness's key.
    pub witness: String,
    /// The id of the witness's key.
    pub key_id: u32,
    /// When it was given, in seconds since 1970, by the witness's clock.
    pub unix_seconds: u64,
}

impl Cosignature {
    /// What a signature line says, once it has been verified.
    pub(crate) fn of(signature: &Signature) -> Option<Self> {
        let unix_seconds = Cosigned::read(signature.signature())?.unix_seconds;
        Some(Self { witness: signature.name().to_owned(), key_id: signature.id(), unix_seconds })
    }
}

/// The bytes of a cosignature: the second in eight bytes, then the signature.
pub(super) struct Cosigned<'a> {
    pub(super) unix_seconds: u64,
    pub(super) signature: &'a [u8],
}

impl<'a> Cosigned<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (seconds, signature) = bytes.split_first_chunk::<8>()?;
        let unix_seconds = u64::from_be_bytes(*seconds);
        (unix_seconds < UNIX_SECONDS_END).then_some(Self { unix_seconds, signature })
    }
}

/// What a witness signs: two lines, and the checkpoint's text after them.
pub(super) fn message(unix_seconds: u64, text: &[u8]) -> Vec<u8> {
    [format!("cosignature/v1\ntime {unix_seconds}\n").as_bytes(), text].concat()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// The example of C2SP tlog-cosignature, behind its key's id.
    #[test]
    fn the_documents_cosignature_names_its_second() {
        let line = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==";
        let bytes = STANDARD.decode(line).expect("base64");
        let cosigned = Cosigned::read(&bytes[4..]).expect("a second and a signature");
        assert_eq!((cosigned.unix_seconds, cosigned.signature.len()), (1_679_315_147, 64));
        assert_eq!(message(cosigned.unix_seconds, b"log\n"), b"cosignature/v1\ntime 1679315147\nlog\n");
    }

    #[test]
    fn a_second_that_may_not_be_named_is_none() {
        assert!(Cosigned::read(&UNIX_SECONDS_END.to_be_bytes()).is_none());
        assert!(Cosigned::read(&(UNIX_SECONDS_END - 1).to_be_bytes()).is_some());
        assert!(Cosigned::read(&[0; 7]).is_none());
    }
}
