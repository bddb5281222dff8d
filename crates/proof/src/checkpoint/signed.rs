//! A checkpoint with its signatures, as it is published and kept.

use signed_note::{Note, NoteError, Signature, Signer};

use super::{Checkpoint, NotACheckpoint};
use crate::note::cosignature::Cosignature;
use crate::note::{LogKey, PublicKey, Signs, Trusted};

/// A checkpoint with signature lines, of which none is believed before
/// [`SignedCheckpoint::verify`].
#[derive(Debug, PartialEq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

/// Bytes that are not a signed checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotASignedCheckpoint {
    /// Not a note, or not with signatures, or more than 100 of them, or over a megabyte.
    #[error("a signed checkpoint is a text, an empty line and a line for each signature")]
    Note,
    /// A note of something else.
    #[error(transparent)]
    Checkpoint(#[from] NotACheckpoint),
}

/// Why a checkpoint was not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// There was no key.
    #[error("a checkpoint is signed with at least one key")]
    NoKey,
    /// A key is named for another log.
    #[error("a log's key has the name of the log")]
    OtherLog,
    /// With its signatures it is more than a note may be: a megabyte, or 100 of them.
    #[error("the checkpoint is too long, or has too many signatures")]
    TooMuch,
}

/// Why a checkpoint is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// A trusted key is named on a signature that it did not make.
    #[error("the signature of {name} does not belong to this checkpoint")]
    Forged {
        /// The key's name.
        name: String,
        /// The key's id.
        id: u32,
    },
    /// No key that is trusted for this log signed it; witnesses alone do not count.
    #[error("no trusted key of the log signed the checkpoint")]
    NoLog,
}

/// Why a witness's lines were not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCosigned {
    /// A known witness is named on a signature that it did not make.
    #[error("the signature of {name} does not belong to this checkpoint")]
    Forged {
        /// The key's name.
        name: String,
        /// The key's id.
        id: u32,
    },
    /// None of the witnesses that are known signed it.
    #[error("no known witness signed the checkpoint")]
    NoWitness,
    /// What was offered are not signature lines.
    #[error("what was offered are not lines of signatures")]
    NotLines,
    /// With them it would be more than a note may be: a megabyte, or 100 signatures.
    #[error("the checkpoint would have too many signatures")]
    TooMuch,
}

/// A checkpoint that is believed, and on whose word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested<'a> {
    /// The checkpoint.
    pub checkpoint: &'a Checkpoint,
    /// The ids of the log's trusted keys that signed it, in the order of the
    /// lines; two while a key is being changed for another.
    pub log_keys: Vec<u32>,
    /// The trusted witnesses that cosigned it. How many are enough, and how old
    /// they may be, is for the caller to say.
    pub cosignatures: Vec<Cosignature>,
}

impl SignedCheckpoint {
    /// Signs a checkpoint with each of its log's keys: two while one is being
    /// changed for another, so that those who know either can go on.
    ///
    /// # Errors
    /// Where there is no key, one is not this log's, or the whole is more than a
    /// note may be.
    pub fn sign(checkpoint: &Checkpoint, keys: &[LogKey]) -> Result<Self, NotSigned> {
        if keys.is_empty() {
            return Err(NotSigned::NoKey);
        }
        if keys.iter().any(|key| key.public().name() != checkpoint.origin()) {
            return Err(NotSigned::OtherLog);
        }
        let note = Note::new(checkpoint.text().as_bytes(), &[]).map_err(|_| NotSigned::TooMuch)?;
        let signers: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
        Self::signed(note, &signers).ok_or(NotSigned::TooMuch)
    }

    /// Reads a signed checkpoint; believes nothing yet.
    ///
    /// # Errors
    /// Where the bytes are not one.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotASignedCheckpoint> {
        let note = Note::from_bytes(bytes).map_err(|_| NotASignedCheckpoint::Note)?;
        let text = str::from_utf8(note.text()).map_err(|_| NotASignedCheckpoint::Note)?;
        Ok(Self { checkpoint: Checkpoint::parse(text)?, note })
    }

    /// The bytes as published: text, empty line, signature lines.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.note.to_bytes()
    }

    /// What it says, whoever may have said so.
    #[must_use]
    pub const fn unverified(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Believes it on the word of the log's own keys among these, those whose
    /// name is its origin. Signatures of other keys are passed over.
    ///
    /// # Errors
    /// Where no such key signed it, or a signature under the name and id of one
    /// of them, or of a witness among these keys, is not that key's.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<Attested<'_>, Untrusted> {
        let log = Trusted::of(keys, |key| key.signs() == Signs::Notes && key.name() == self.checkpoint.origin());
        let witnesses = Trusted::of(keys, |key| key.signs() == Signs::Cosignatures);
        let forged = |(name, id)| Untrusted::Forged { name, id };
        let by_log = signatures(&self.note, &log).map_err(forged)?;
        let by_witnesses = signatures(&self.note, &witnesses).map_err(forged)?;
        if by_log.is_empty() {
            return Err(Untrusted::NoLog);
        }
        Ok(Attested {
            checkpoint: &self.checkpoint,
            log_keys: by_log.iter().map(Signature::id).collect(),
            cosignatures: by_witnesses.iter().filter_map(Cosignature::of).collect(),
        })
    }

    /// Adds the signature lines that a witness answered with (C2SP tlog-witness),
    /// each that one of these witnesses made. A witness's later line stands in
    /// place of its earlier one.
    ///
    /// # Errors
    /// Where what was offered are not such lines, none is a known witness's, one
    /// is forged, or they are too many; the checkpoint is then as it was.
    pub fn cosign(&mut self, lines: &[u8], witnesses: &[PublicKey]) -> Result<(), NotCosigned> {
        let witnesses = Trusted::of(witnesses, |key| key.signs() == Signs::Cosignatures);
        let offered = Note::from_bytes(&[self.note.text(), b"\n", lines].concat()).map_err(|_| NotCosigned::NotLines)?;
        if offered.text() != self.note.text() {
            return Err(NotCosigned::NotLines);
        }
        let given = signatures(&offered, &witnesses).map_err(|(name, id)| NotCosigned::Forged { name, id })?;
        if given.is_empty() {
            return Err(NotCosigned::NoWitness);
        }
        let given: Vec<Given> = given.into_iter().map(Given).collect();
        let signers: Vec<&dyn Signer> = given.iter().map(|given| given as &dyn Signer).collect();
        let copy = Note::from_bytes(&self.bytes()).map_err(|_| NotCosigned::TooMuch)?;
        *self = Self::signed(copy, &signers).ok_or(NotCosigned::TooMuch)?;
        Ok(())
    }

    /// A note with these signatures, each in place of an earlier one of its key,
    /// if whoever is given it can read it.
    fn signed(mut note: Note, signers: &[&dyn Signer]) -> Option<Self> {
        note.add_sigs(signers).ok()?;
        Self::parse(&note.to_bytes()).ok()
    }
}

/// The signatures that these keys made; the name and id of a key that is named
/// on one it did not make.
fn signatures(note: &Note, keys: &Trusted<'_>) -> Result<Vec<Signature>, (String, u32)> {
    match note.verify(keys) {
        Ok((verified, _)) => Ok(verified),
        Err(NoteError::InvalidSignature { name, id }) => Err((name, id)),
        Err(_) => Ok(Vec::new()),
    }
}

/// A signature that exists already, for `signed_note` to put in its place.
struct Given(Signature);

impl Signer for Given {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn key_id(&self) -> u32 {
        self.0.id()
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
        Ok(self.0.signature().to_vec())
    }
}
