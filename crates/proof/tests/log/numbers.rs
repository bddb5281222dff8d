//! Whatever the numbers are, there is an answer and never a panic.

use lastresort_proof::tile::bundle::Bundle;
use lastresort_proof::tile::edge::Edge;
use lastresort_proof::tile::{self, Tile};
use lastresort_proof::tree::consistency::{self, Tree};
use lastresort_proof::tree::frontier::{Frontier, Full};
use lastresort_proof::tree::{self, Hash, Node, inclusion};
use proptest::prelude::*;

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

/// Numbers where arithmetic breaks, and any other.
fn number() -> impl Strategy<Value = u64> {
    let edges = (0_u32..64).prop_flat_map(|bit| prop_oneof![Just(1 << bit), Just((1_u64 << bit) - 1), Just(u64::MAX - (1 << bit))]);
    prop_oneof![edges, any::<u64>(), 0_u64..1_000, Just(u64::MAX)]
}

fn tree() -> impl Strategy<Value = Tree> {
    (number(), hash()).prop_map(|(size, root)| Tree { size, root })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn numbers(index in number(), size in number(), level: u8, given in hash()) {
        let any_node = |_: Node| Some(given);
        let _ = (Tile::at(level, index, size), Bundle::at(index, size), Tile::all(size).next(), Tile::changed(index, size).nth(300));
        let of_tiles = tile::nodes(size, |tile| Some(vec![given; usize::from(tile.width())]));
        let _ = (of_tiles(Node { level, index }), tree::root(size, &of_tiles));
        let root = tree::root(size, any_node).expect("every node is there");
        if let Ok(proof) = inclusion::prove(index, size, any_node) {
            prop_assert!(index < size && proof.len() <= 64);
            let _ = inclusion::verify(given, index, size, &proof, root);
        }
        if let Ok(proof) = consistency::prove(index, size, any_node) {
            prop_assert!(index <= size && proof.len() <= 65);
            let _ = consistency::verify(Tree { size: index, root }, Tree { size, root }, &proof);
        }
        let _ = Edge::at(size, |tile| Some(vec![given; usize::from(tile.width())])).expect("every tile is there").grow(&[given; 3]);
    }

    #[test]
    fn proofs(leaf in hash(), index in number(), earlier in tree(), later in tree(), proof in prop::collection::vec(hash(), 0..70)) {
        prop_assert!(inclusion::verify(leaf, index, later.size, &proof, later.root).is_err());
        if earlier.size > 0 {
            prop_assert!(consistency::verify(earlier, later, &proof).is_err());
        }
    }
}

#[test]
fn a_full_tree_takes_no_leaf_and_stays_as_it_was() {
    let mut full = Frontier::try_new(u64::MAX, vec![Hash([1; 32]); 64]).expect("64 perfect subtrees");
    let before = full.clone();
    assert_eq!(full.push(Hash([2; 32]), |_, _| panic!("nothing is complete")), Err(Full));
    assert_eq!(full, before);
    assert!(Frontier::try_new(3, vec![Hash([1; 32])]).is_err());
}
