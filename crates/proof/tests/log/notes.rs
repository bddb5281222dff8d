//! Keys, checkpoints and cosignatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lastresort_proof::checkpoint::{Checkpoint, NotACheckpoint, NotCosigned, NotSigned, SignedCheckpoint, Untrusted};
use lastresort_proof::note::cosignature::Cosignature;
use lastresort_proof::note::{LogKey, NotAKey, PublicKey, Signs};
use lastresort_proof::tree::consistency::Tree;
use signed_note::{Note, StandardVerifier, VerifierList};

use crate::keys::{ORIGIN, WITNESS, checkpoint, cosignature, flips, key, public, signed, witness_key};
use crate::scene::Log;

/// C2SP tlog-cosignature's example; whose keys these are the document does not say.
const PUBLISHED: &str = "example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";

#[test]
fn the_documents_checkpoint_is_read_and_not_believed() {
    let signed = SignedCheckpoint::parse(PUBLISHED.as_bytes()).expect("a checkpoint");
    assert_eq!((signed.unverified().origin(), signed.unverified().size()), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(String::from_utf8(signed.bytes()).as_deref(), Ok(PUBLISHED));
    assert_eq!(signed.verify(&[public(1)]), Err(Untrusted::NoLog));
}

#[test]
fn a_text_that_is_not_a_checkpoint_is_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    assert!(Checkpoint::parse(&format!("log\n0\n{root}\n")).is_ok());
    assert!(Checkpoint::parse(&format!("log\n0\n{root}\nmore\nand more\n")).is_ok_and(|read| read.extensions() == ["more", "and more"]));
    for text in [
        String::new(),
        "\n".to_owned(),
        format!("log\n0\n{root}"),
        format!("\n0\n{root}\n"),
        format!("log\n\n{root}\n"),
        format!("log\n00\n{root}\n"),
        format!("log\n+1\n{root}\n"),
        format!("log\n-1\n{root}\n"),
        format!("log\n 1\n{root}\n"),
        format!("log\n18446744073709551616\n{root}\n"),
        format!("log\n0\n{root}\n\n"),
        format!("log\n0\n{root}\n\nmore\n"),
        format!("log\r\n0\r\n{root}\r\n"),
        format!("log\n0\n{}\n", &root[..43]),
        format!("log\n0\n{}3=\n", &root[..42]),
        "log\n0\n\n".to_owned(),
    ] {
        assert_eq!(Checkpoint::parse(&text), Err(NotACheckpoint), "{text:?}");
    }
    let tree = Tree { size: 0, root: root.parse().expect("a hash") };
    for (origin, extensions) in [("", &[][..]), ("two\nlines", &[]), ("log", &[""]), ("log", &["two\nlines"])] {
        assert_eq!(Checkpoint::try_new(origin, tree, extensions), Err(NotACheckpoint));
    }
}

#[test]
fn a_key_is_changed_for_another_while_both_sign() {
    let log = Log::of(10);
    let during = signed(&log, &[key(1), key(2)]);
    let during = SignedCheckpoint::parse(&during.bytes()).expect("published so");
    let believed_by = |keys: &[PublicKey]| during.verify(keys).map(|attested| attested.log_keys);
    assert_eq!(believed_by(&[public(1)]), Ok(vec![public(1).id()]), "who knows only the old key");
    assert_eq!(believed_by(&[public(2)]), Ok(vec![public(2).id()]), "who knows only the new one");
    assert_eq!(believed_by(&[public(2), public(1)]), Ok(vec![public(1).id(), public(2).id()]));
    assert_eq!(believed_by(&[public(3)]), Err(Untrusted::NoLog));
    assert_eq!(believed_by(&[]), Err(Untrusted::NoLog));
}

#[test]
fn a_checkpoint_is_signed_by_its_logs_keys_alone() {
    let tree = Log::of(1).tree();
    assert_eq!(SignedCheckpoint::sign(&checkpoint(tree), &[]), Err(NotSigned::NoKey));
    let other = LogKey::try_new("log.example/other", &[1; 32]).expect("a name");
    assert_eq!(SignedCheckpoint::sign(&checkpoint(tree), &[key(1), other.clone()]), Err(NotSigned::OtherLog));
    for length in [1_000_000, 999_900] {
        let longest = "x".repeat(length);
        let long = Checkpoint::try_new(ORIGIN, tree, &[&longest]).expect("one line");
        assert_eq!(SignedCheckpoint::sign(&long, &[key(1)]), Err(NotSigned::TooMuch), "nobody could read it: {length}");
    }

    // A pinned key of another log, put under this log's checkpoint, is not believed.
    let mut note = Note::new(checkpoint(tree).text().as_bytes(), &[]).expect("a text");
    note.add_sigs(&[&other]).expect("a key");
    let signed = SignedCheckpoint::parse(&note.to_bytes()).expect("a checkpoint");
    assert_eq!(signed.verify(&[public(1), other.public().clone()]), Err(Untrusted::NoLog));
}

#[test]
fn a_witness_vouches_beside_the_log_and_never_alone() {
    let mut signed = signed(&Log::of(10), &[key(1)]);
    let line = cosignature(7, signed.unverified(), 1_679_315_147);
    signed.cosign(&line, &[witness_key(7)]).expect("the witness is known");
    let published = SignedCheckpoint::parse(&signed.bytes()).expect("a checkpoint");
    let said = Cosignature { witness: WITNESS.to_owned(), key_id: witness_key(7).id(), unix_seconds: 1_679_315_147 };
    assert_eq!(published.verify(&[public(1), witness_key(7)]).expect("signed").cosignatures, [said]);
    assert_eq!(published.verify(&[public(1)]).expect("signed").cosignatures, [], "who knows no witness");
    assert_eq!(published.verify(&[witness_key(7)]), Err(Untrusted::NoLog));
}

#[test]
fn a_later_cosignature_stands_in_place_of_the_earlier() {
    let mut signed = signed(&Log::of(10), &[key(1)]);
    for second in [100, 200] {
        let line = cosignature(7, signed.unverified(), second);
        signed.cosign(&line, &[witness_key(7)]).expect("the witness is known");
    }
    let keys = [public(1), witness_key(7)];
    let seconds: Vec<u64> = signed.verify(&keys).expect("signed").cosignatures.iter().map(|said| said.unix_seconds).collect();
    assert_eq!(seconds, [200]);
}

#[test]
fn what_no_known_witness_signed_is_not_added() {
    let mut signed = signed(&Log::of(10), &[key(1)]);
    let before = signed.bytes();
    let of_another_tree = cosignature(7, &checkpoint(Log::of(11).tree()), 100);
    let own = cosignature(7, signed.unverified(), 100);
    let known = [witness_key(7)];
    let forged = NotCosigned::Forged { name: WITNESS.to_owned(), id: witness_key(7).id() };
    assert_eq!(signed.cosign(&of_another_tree, &known), Err(forged));
    assert_eq!(signed.cosign(&cosignature(8, signed.unverified(), 100), &known), Err(NotCosigned::NoWitness));
    assert!(signed.cosign(&cosignature(7, signed.unverified(), 1 << 63), &known).is_err(), "a second beyond the last");
    assert_eq!(signed.cosign(&own, &[public(1)]), Err(NotCosigned::NoWitness), "a log's key is no witness's");
    for lines in [&b""[..], b"\n", b"hello\n", &own[..own.len() - 1], &[b"more\n\n", &own[..]].concat()] {
        assert_eq!(signed.cosign(lines, &known), Err(NotCosigned::NotLines), "{}", String::from_utf8_lossy(lines));
    }
    assert_eq!(signed.bytes(), before);
    signed.cosign(&own, &known).expect("its own");

    let others: Vec<_> = (10..110).map(|secret| (cosignature(secret, signed.unverified(), 100), witness_key(secret))).collect();
    let (lines, known): (Vec<_>, Vec<_>) = others.into_iter().unzip();
    let before = signed.bytes();
    assert_eq!(signed.cosign(&lines.concat(), &known), Err(NotCosigned::TooMuch));
    assert_eq!(signed.bytes(), before);
}

#[test]
fn a_key_has_one_text_for_each_kind() {
    let keys = [public(1), witness_key(1)];
    assert_eq!(keys.each_ref().map(PublicKey::signs), [Signs::Notes, Signs::Cosignatures]);
    for key in keys {
        assert_eq!(key.to_string().parse(), Ok(key));
    }
    let text = public(1).to_string();
    let (name, id_and_key) = text.split_once('+').expect("name+id+key");
    let (id, bytes) = id_and_key.split_once('+').expect("name+id+key");
    for (text, fault) in [
        (name.to_owned(), NotAKey::Format),
        (format!("{name}+{id}"), NotAKey::Format),
        (format!("{name}+{id}+"), NotAKey::Format),
        (format!("{name}+{id}+{bytes}="), NotAKey::Format),
        (format!("+{id}+{bytes}"), NotAKey::Name),
        (format!("a name+{id}+{bytes}"), NotAKey::Name),
        (format!("a\u{7}name+{id}+{bytes}"), NotAKey::Name),
        (format!("other+{id}+{bytes}"), NotAKey::Id),
        ("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".to_owned(), NotAKey::Id),
        (format!("{name}+00000000+{bytes}"), NotAKey::Id),
        (format!("{name}+{id}+Ag=="), NotAKey::Kind),
        (format!("{name}+{id}+AQ=="), NotAKey::Kind),
        (format!("{name}+{id}+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), NotAKey::Kind),
    ] {
        assert_eq!(text.parse::<PublicKey>(), Err(fault), "{text}");
    }
    assert_eq!(LogKey::try_new("a+b", &[1; 32]).expect_err("a plus"), NotAKey::Name);
    assert!(!format!("{:?}", key(1)).contains("0101"), "a secret is not shown");
}

/// Go's `sumdb/note` has this note in its documentation.
#[test]
fn a_log_key_signs_as_go_does() {
    let secret = STANDARD.decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz").expect("base64");
    let secret: &[u8; 32] = secret.last_chunk().expect("a byte of kind, then the key");
    let key = LogKey::try_new("PeterNeumann", secret).expect("a name");
    let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    assert_eq!(key.public().to_string(), vkey);
    assert_eq!(vkey.parse::<PublicKey>().as_ref(), Ok(key.public()));
    assert_eq!(key.public().signs(), Signs::Notes);

    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let line = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let mut note = Note::new(text.as_bytes(), &[]).expect("a text");
    note.add_sigs(&[&key]).expect("a key");
    assert_eq!(note.to_bytes(), format!("{text}\n{line}").into_bytes());
}

#[test]
fn their_readers_of_notes_and_checkpoints_take_ours() {
    let log = Log::of(300);
    let signed = signed(&log, &[key(1)]);
    let verifier = StandardVerifier::new(&public(1).to_string()).expect("a verifier key");
    let note = Note::from_bytes(&signed.bytes()).expect("a note");
    note.verify(&VerifierList::new(vec![Box::new(verifier)])).expect("signed");
    let theirs = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
    assert_eq!((theirs.origin(), theirs.size()), (signed.unverified().origin(), 300));
    assert_eq!(theirs.hash().0, log.tree().root.0);
    assert_eq!(SignedCheckpoint::parse(&note.to_bytes()), Ok(signed));
}

#[test]
fn a_checkpoint_refuses_every_flip() {
    let signed = signed(&Log::of(300), &[key(1)]);
    let keys = [public(1)];
    assert!(signed.verify(&keys).is_ok());
    for bytes in flips(&signed.bytes()) {
        let believed = SignedCheckpoint::parse(&bytes).is_ok_and(|signed| signed.verify(&keys).is_ok());
        assert!(!believed, "{}", String::from_utf8_lossy(&bytes));
    }
}

/// With several signatures a flipped one falls away or is refused; it never counts.
#[test]
fn a_flipped_signature_is_never_counted() {
    let mut signed = signed(&Log::of(300), &[key(1), key(2)]);
    let line = cosignature(3, signed.unverified(), 1_700_000_000);
    signed.cosign(&line, &[witness_key(3)]).expect("the witness is known");
    let keys = [public(1), public(2), witness_key(3)];
    let whole = signed.verify(&keys).expect("signed");
    assert_eq!((whole.log_keys.len(), whole.cosignatures.len()), (2, 1));
    for bytes in flips(&signed.bytes()) {
        if let Ok(other) = SignedCheckpoint::parse(&bytes)
            && let Ok(attested) = other.verify(&keys)
        {
            assert_eq!(attested.checkpoint, whole.checkpoint);
            assert_eq!(attested.log_keys.len() + attested.cosignatures.len(), 2, "{}", String::from_utf8_lossy(&bytes));
        }
    }
}

/// Somebody is trusted as a witness, under the log's own name, and signs in the
/// log's place with that key.
#[test]
fn a_witness_named_as_the_log_is_not_the_log() {
    let bytes = ed25519_dalek::SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes();
    let as_witness = PublicKey::try_new(ORIGIN, Signs::Cosignatures, &bytes).expect("a name and a key");
    let signed = signed(&Log::of(10), &[key(9)]);
    assert_ne!(as_witness.id(), public(9).id());
    assert_eq!(signed.verify(&[as_witness, public(1)]), Err(Untrusted::NoLog));
    assert!(signed.verify(&[public(9)]).is_ok());
}
