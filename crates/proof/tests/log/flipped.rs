//! Every proof that is made is verified, and with any single bit of it, of its
//! leaf or its roots flipped it is refused.

use lastresort_proof::tree::consistency::{self, Tree};
use lastresort_proof::tree::{Hash, Refuted, inclusion, leaf_hash};
use proptest::prelude::*;

use crate::scene::{Log, leaf};

fn flipped_hash(hash: Hash) -> impl Iterator<Item = Hash> {
    (0..hash.0.len() * 8).map(move |bit| {
        let mut flipped = hash;
        flipped.0[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

/// Every variant of a proof with one bit flipped, one hash less, or one twice.
fn broken(proof: &[Hash]) -> impl Iterator<Item = Vec<Hash>> {
    let flipped =
        (0..proof.len()).flat_map(move |at| flipped_hash(proof[at]).map(move |hash| [&proof[..at], &[hash], &proof[at + 1..]].concat()));
    let shorter = (0..proof.len()).map(|at| [&proof[..at], &proof[at + 1..]].concat());
    let longer = (0..proof.len()).map(|at| [&proof[..=at], &proof[at..]].concat());
    flipped.chain(shorter).chain(longer).chain([[proof, &[Hash([0; 32])]].concat()])
}

fn included(log: &Log, index: u64) {
    let Tree { size, root } = log.tree();
    let hash = leaf_hash(&leaf(index));
    let proof = inclusion::prove(index, size, log.source()).expect("in the tree");
    assert_eq!(inclusion::verify(hash, index, size, &proof, root), Ok(()), "{index} in {size}");
    for other in flipped_hash(hash) {
        assert_eq!(inclusion::verify(other, index, size, &proof, root), Err(Refuted::Root));
    }
    for other in flipped_hash(root) {
        assert_eq!(inclusion::verify(hash, index, size, &proof, other), Err(Refuted::Root));
    }
    for other in broken(&proof) {
        assert!(inclusion::verify(hash, index, size, &other, root).is_err(), "{index} in {size}");
    }
    for other in (0..64).map(|bit| index ^ (1 << bit)) {
        assert!(inclusion::verify(hash, other, size, &proof, root).is_err(), "{other} for {index} in {size}");
    }
}

fn consistent(log: &Log, earlier: u64) {
    let (earlier, later) = (log.tree_at(earlier), log.tree());
    let proof = consistency::prove(earlier.size, later.size, log.source()).expect("not larger");
    assert_eq!(consistency::verify(earlier, later, &proof), Ok(()), "{} to {}", earlier.size, later.size);
    for other in flipped_hash(earlier.root) {
        assert!(consistency::verify(Tree { root: other, ..earlier }, later, &proof).is_err());
    }
    if earlier.size > 0 {
        for other in flipped_hash(later.root) {
            assert!(consistency::verify(earlier, Tree { root: other, ..later }, &proof).is_err());
        }
    }
    for other in broken(&proof) {
        assert!(consistency::verify(earlier, later, &other).is_err(), "{} to {}", earlier.size, later.size);
    }
    if earlier.size < later.size {
        assert_eq!(consistency::verify(later, earlier, &proof), Err(Refuted::Beyond));
    }
}

#[test]
fn small_trees_are_proved_whole_and_refuse_every_flip() {
    for size in 1..=9 {
        let log = Log::of(size);
        (0..size).for_each(|index| included(&log, index));
        (0..=size).for_each(|earlier| consistent(&log, earlier));
    }
}

#[test]
fn every_proof_of_every_small_tree_is_verified() {
    let log = Log::of(70);
    for size in 1..=70 {
        let later = log.tree_at(size);
        for index in 0..size {
            let proof = inclusion::prove(index, size, log.source()).expect("in the tree");
            assert_eq!(inclusion::verify(leaf_hash(&leaf(index)), index, size, &proof, later.root), Ok(()), "{index} in {size}");
        }
        for earlier in 0..=size {
            let proof = consistency::prove(earlier, size, log.source()).expect("not larger");
            assert_eq!(consistency::verify(log.tree_at(earlier), later, &proof), Ok(()), "{earlier} to {size}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn trees_of_any_size_refuse_every_flip(size in 1_u64..2_000, at: prop::sample::Index) {
        let log = Log::of(size);
        let at = at.index(usize::try_from(size).expect("small")) as u64;
        included(&log, at);
        consistent(&log, at);
    }
}
