//! Whatever the bytes are, there is an answer and never a panic.

use lastresort_proof::checkpoint::{Checkpoint, SignedCheckpoint};
use lastresort_proof::entry_proof::EntryProof;
use lastresort_proof::note::PublicKey;
use lastresort_proof::tile::bundle::Bundle;
use lastresort_proof::tile::{LogFile, Tile};
use lastresort_proof::tree::Hash;
use proptest::prelude::*;

use crate::keys::{cosignature, key, public, signed, witness_key};
use crate::scene::Log;

/// A file that is right but for a stretch of it.
fn damaged(file: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let stretch = (any::<prop::sample::Index>(), 0_usize..8, prop::collection::vec(any::<u8>(), 0..8));
    stretch.prop_map(move |(at, dropped, put)| {
        let at = at.index(file.len());
        let end = (at + dropped).min(file.len());
        [&file[..at], &put, &file[end..]].concat()
    })
}

fn checkpoint_file() -> Vec<u8> {
    let mut signed = signed(&Log::of(9), &[key(1), key(2)]);
    let line = cosignature(3, signed.unverified(), 100);
    signed.cosign(&line, &[witness_key(3)]).expect("the witness is known");
    signed.bytes()
}

fn proof_file() -> Vec<u8> {
    let log = Log::of(9);
    EntryProof::make(4, signed(&log, &[key(1)]), log.source()).expect("in the tree").to_string().into_bytes()
}

/// Reads bytes as everything there is to read, and believes them if it can.
fn read_all(bytes: &[u8]) {
    let keys = [public(1), witness_key(3)];
    let text = String::from_utf8_lossy(bytes);
    let _ = (text.parse::<LogFile>(), text.parse::<PublicKey>(), text.parse::<Hash>(), Checkpoint::parse(&text));
    if let Ok(signed) = SignedCheckpoint::parse(bytes) {
        assert_eq!(signed.bytes(), bytes, "a checkpoint has one spelling");
        let _ = signed.verify(&keys);
    }
    if let Ok(proof) = EntryProof::parse(bytes) {
        assert_eq!(proof.to_string().as_bytes(), bytes, "a proof has one spelling");
        let _ = proof.verify(bytes, &keys);
    }
    let _ = signed(&Log::of(9), &[key(1)]).cosign(bytes, &keys);
    for size in [1, 2, 256] {
        let bundle = Bundle::at(0, size).expect("a tree with leaves");
        if let Ok(entries) = bundle.entries(bytes) {
            assert_eq!(bundle.bytes(&entries).as_deref(), Ok(bytes), "a bundle has one spelling");
        }
        let _ = Tile::at(0, 0, size).expect("a tree with leaves").hashes(bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    #[test]
    fn texts(text in "[ -~\n+=—]{0,200}") {
        read_all(text.as_bytes());
    }

    #[test]
    fn damaged_files(bytes in prop_oneof![damaged(checkpoint_file()), damaged(proof_file())]) {
        read_all(&bytes);
    }

    #[test]
    fn damaged_keys(bytes in damaged(public(1).to_string().into_bytes())) {
        read_all(&bytes);
    }
}
