//! The file that proves one entry.

use lastresort_proof::checkpoint::{NotASignedCheckpoint, Untrusted};
use lastresort_proof::entry_proof::{EntryProof, NotAnEntryProof, NotProved};
use lastresort_proof::tree::Refuted;
use proptest::prelude::*;

use crate::keys::{flips, key, public, signed};
use crate::scene::{Log, leaf};

#[test]
fn an_entry_is_proved_with_a_pinned_key_and_nothing_else() {
    let log = Log::of(300);
    let proof = EntryProof::make(256, signed(&log, &[key(1)]), log.source()).expect("in the tree").with_extra(b"of the case".to_vec());
    let file = proof.to_string();
    assert!(file.starts_with("c2sp.org/tlog-proof@v1\nextra b2YgdGhlIGNhc2U=\nindex 256\n"), "{file}");
    assert!(file.contains("=\n\nlog.example/ledger\n300\n"), "{file}");

    let read = EntryProof::parse(file.as_bytes()).expect("written so");
    assert_eq!((read.index(), read.extra(), read.to_string()), (256, Some(&b"of the case"[..]), file));
    assert_eq!(read.verify(&leaf(256), &[public(1)]).expect("proved").checkpoint.tree(), log.tree());
    assert_eq!(read.verify(&leaf(255), &[public(1)]), Err(NotProved::Refuted(Refuted::Root)));
    assert_eq!(read.verify(&leaf(256), &[public(2)]), Err(NotProved::Untrusted(Untrusted::NoLog)));
    assert!(EntryProof::make(300, signed(&log, &[key(1)]), log.source()).is_err());
}

#[test]
fn a_proof_that_is_spelt_otherwise_is_refused() {
    let log = Log::of(2);
    let file = EntryProof::make(0, signed(&log, &[key(1)]), log.source()).expect("in the tree").to_string();
    let (head, checkpoint) = file.split_once("\n\n").expect("an empty line");
    let hash = head.lines().last().expect("one hash");
    for lines in [
        head.replace("@v1", "@v2"),
        head.replace("index 0", "index 00"),
        head.replace("index 0", "index"),
        head.replace("index 0\n", ""),
        head.replace("index 0", "index 0\nextra AA=="),
        head.replace("index 0", "extra A\nindex 0"),
        head.replace("index 0", "extra AA==\nextra AA==\nindex 0"),
        head.replace(hash, "hash"),
        head.replace('\n', "\r\n"),
        "c2sp.org/tlog-proof@v1".to_owned(),
    ] {
        assert_eq!(EntryProof::parse(format!("{lines}\n\n{checkpoint}").as_bytes()), Err(NotAnEntryProof::Lines), "{lines}");
    }
    let cut = format!("{head}\n\n{}", checkpoint.trim_end());
    assert_eq!(EntryProof::parse(cut.as_bytes()), Err(NotASignedCheckpoint::Note.into()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn an_entry_proof_refuses_every_flip(size in 1_u64..40, at: prop::sample::Index) {
        let log = Log::of(size);
        let index = at.index(usize::try_from(size).expect("small")) as u64;
        let proof = EntryProof::make(index, signed(&log, &[key(1)]), log.source()).expect("in the tree");
        let (entry, keys) = (leaf(index), [public(1)]);
        let file = proof.to_string().into_bytes();
        let read = EntryProof::parse(&file);
        prop_assert_eq!(read.as_ref(), Ok(&proof));
        let attested = proof.verify(&entry, &keys).expect("proved");
        prop_assert_eq!(attested.checkpoint.tree(), log.tree());
        for other in flips(&entry) {
            prop_assert!(proof.verify(&other, &keys).is_err());
        }
        for other in flips(&file) {
            let believed = EntryProof::parse(&other).is_ok_and(|proof| proof.verify(&entry, &keys).is_ok());
            prop_assert!(!believed, "{}", String::from_utf8_lossy(&other));
        }
    }
}
