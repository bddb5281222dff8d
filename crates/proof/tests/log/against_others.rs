//! Against implementations of other descent: `ct-merkle`, written in Rust after
//! RFC 6962, and `tlog_tiles`, which ports
//! Go's `sumdb`.

use std::collections::BTreeSet;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use lastresort_proof::tile::{self, LogFile, Tile};
use lastresort_proof::tree::{Hash, Node, consistency, inclusion};
use proptest::prelude::*;
use sha2::Sha256;
use tlog_tiles::tlog::{HashReader as _, prove_record, stored_hash_index};

use crate::scene::{Log, leaf};

type Theirs = MemoryBackedTree<Sha256, Vec<u8>>;

fn bytes(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

fn number(small: u64) -> usize {
    usize::try_from(small).expect("small")
}

fn their_tree(size: u64) -> Theirs {
    let mut tree = Theirs::new();
    (0..size).for_each(|index| tree.push(leaf(index)));
    tree
}

/// Both have this tree: roots and proofs are the same to the byte, and theirs
/// verifies ours.
fn agree(ours: &Log, theirs: &Theirs, indices: impl Iterator<Item = u64>) {
    let tree = ours.tree();
    assert_eq!((tree.size, &tree.root.0[..]), (theirs.len(), &theirs.root().as_bytes()[..]));
    for index in indices {
        let proof = bytes(&inclusion::prove(index, tree.size, ours.source()).expect("in the tree"));
        assert_eq!(proof, theirs.prove_inclusion(number(index)).as_bytes(), "{index} in {}", tree.size);
        theirs.root().verify_inclusion(&leaf(index), index, &InclusionProof::from_bytes(proof)).expect("the leaf stands there");
        if index > 0 {
            let proof = bytes(&consistency::prove(index, tree.size, ours.source()).expect("not larger"));
            assert_eq!(proof, theirs.prove_consistency(number(tree.size - index)).as_bytes(), "{index} to {}", tree.size);
            let earlier = RootHash::new(ours.tree_at(index).root.0.into(), index);
            let proof = ConsistencyProof::try_from_bytes(proof).expect("whole hashes");
            theirs.root().verify_consistency(&earlier, &proof).expect("the earlier tree begins it");
        }
    }
}

#[test]
fn roots_and_all_proofs_are_the_same() {
    for size in (1..=20).chain([255, 256, 257]) {
        agree(&Log::of(size), &their_tree(size), 0..size);
    }
}

#[test]
fn around_the_third_level_of_tiles_they_are_the_same() {
    let (mut ours, mut theirs) = (Log::of(65_535), their_tree(65_535));
    for size in [65_535, 65_536, 65_537] {
        ours.grow_to(size);
        (theirs.len()..size).for_each(|index| theirs.push(leaf(index)));
        agree(&ours, &theirs, [0, 1, 255, 256, 257, 32_767, 32_768, 65_279, 65_280, 65_534, size - 1].into_iter());
    }
}

/// Our tiles, for their reader, which believes none that the root does not vouch for.
struct Tiles<'a>(&'a Log);

fn tile_of(log: &Log, tile: Tile) -> Vec<u8> {
    let level = tile.level() * tile::HEIGHT;
    let first = tile.index() * u64::from(tile::WIDTH);
    let hashes: Option<Vec<Hash>> = (first..first + u64::from(tile.width())).map(|index| log.source()(Node { level, index })).collect();
    tile.bytes(&hashes.expect("every node is kept")).expect("as wide as it is")
}

/// Their path names the height of its tiles, which C2SP fixed and left out.
fn ours(theirs: &tlog_tiles::Tile) -> Tile {
    let path = theirs.path().replacen("tile/8/", "tile/", 1);
    match path.parse() {
        Ok(LogFile::Tile(tile)) => tile,
        other => panic!("{path}: {other:?}"),
    }
}

impl tlog_tiles::TileReader for Tiles<'_> {
    fn height(&self) -> u8 {
        tile::HEIGHT
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::tlog::Error> {
        Ok(tiles.iter().map(|tile| tile_of(self.0, ours(tile))).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[test]
fn a_reader_of_tiles_believes_ours() {
    for size in [1, 2, 255, 256, 257, 1_000, 65_537] {
        let log = Log::of(size);
        let root = tlog_tiles::tlog::Hash(log.tree().root.0);
        let tiles = Tiles(&log);
        let reader = tlog_tiles::TileHashReader::new(size, root, &tiles);
        for index in [0, size / 2, size - 1] {
            let their_leaf = reader.read_hashes(&[stored_hash_index(0, index)]).expect("in the tree");
            assert_eq!(Some(Hash(their_leaf[0].0)), log.source()(Node { level: 0, index }));
            let theirs: Vec<Hash> = prove_record(size, index, &reader).expect("in the tree").iter().map(|hash| Hash(hash.0)).collect();
            assert_eq!(inclusion::prove(index, size, log.source()), Ok(theirs), "{index} in {size}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn trees_of_any_size_are_the_same(size in 1_u64..3_000, indices in prop::collection::vec(any::<prop::sample::Index>(), 20)) {
        let indices = indices.into_iter().map(|index| index.index(number(size)) as u64);
        agree(&Log::of(size), &their_tree(size), indices);
    }
}

proptest! {
    #[test]
    fn the_same_tiles_change(earlier in 0_u64..200_000, more in 0_u64..70_000) {
        let size = earlier + more;
        let theirs: BTreeSet<Tile> = tlog_tiles::Tile::new_tiles(tile::HEIGHT, earlier, size).iter().map(ours).collect();
        prop_assert_eq!(Tile::changed(earlier, size).collect::<BTreeSet<_>>(), theirs);
    }
}
