//! The log's keys, and its witness.

use ed25519_dalek::{Signer as _, SigningKey};
use lastresort_proof::checkpoint::{Checkpoint, SignedCheckpoint};
use lastresort_proof::note::{LogKey, PublicKey, Signs};
use lastresort_proof::tree::consistency::Tree;

use crate::scene::Log;

pub(crate) const ORIGIN: &str = "log.example/ledger";
pub(crate) const WITNESS: &str = "witness.example/w1";

pub(crate) fn signed(log: &Log, keys: &[LogKey]) -> SignedCheckpoint {
    SignedCheckpoint::sign(&checkpoint(log.tree()), keys).expect("the keys are the log's")
}

pub(crate) fn checkpoint(tree: Tree) -> Checkpoint {
    Checkpoint::try_new(ORIGIN, tree, &[]).expect("one line")
}

pub(crate) fn key(secret: u8) -> LogKey {
    LogKey::try_new(ORIGIN, &[secret; 32]).expect("the origin is a name")
}

pub(crate) fn public(secret: u8) -> PublicKey {
    key(secret).public().clone()
}

pub(crate) fn witness_key(secret: u8) -> PublicKey {
    let bytes = SigningKey::from_bytes(&[secret; 32]).verifying_key().to_bytes();
    PublicKey::try_new(WITNESS, Signs::Cosignatures, &bytes).expect("a name and a key")
}

/// A witness's line under a checkpoint, made here from the document's words.
pub(crate) fn cosignature(secret: u8, checkpoint: &Checkpoint, unix_seconds: u64) -> Vec<u8> {
    let message = format!("cosignature/v1\ntime {unix_seconds}\n{}", checkpoint.text());
    let signature = SigningKey::from_bytes(&[secret; 32]).sign(message.as_bytes());
    let bytes = [&unix_seconds.to_be_bytes(), signature.to_bytes().as_slice()].concat();
    let line = signed_note::Signature::new(WITNESS.to_owned(), witness_key(secret).id(), bytes);
    line.expect("a name without spaces").to_bytes()
}

/// Every variant of some bytes with one bit flipped.
pub(crate) fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}
