//! The tree as files: whoever has the tiles has the tree, and the writer writes
//! them as they are.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use lastresort_proof::tile::bundle::Bundle;
use lastresort_proof::tile::edge::Edge;
use lastresort_proof::tile::{self, LogFile, Tile};
use lastresort_proof::tree::{self, Hash, Missing, Node, NotMade, consistency, inclusion, leaf_hash};
use proptest::prelude::*;

use crate::scene::{Log, leaf};

type Files = BTreeMap<Tile, Vec<Hash>>;

fn leaves(from: u64, to: u64) -> Vec<Hash> {
    (from..to).map(|index| leaf_hash(&leaf(index))).collect()
}

fn written(size: u64) -> (Edge, Files) {
    let grown = Edge::default().grow(&leaves(0, size)).expect("not full");
    (grown.edge, grown.tiles)
}

#[test]
fn the_root_and_every_proof_come_from_the_tiles_they_are_said_to_need() {
    for size in [1, 2, 255, 256, 257, 600, 65_793] {
        let (_, files) = written(size);
        let log = Log::of(size);
        assert_eq!(files.keys().copied().collect::<Vec<_>>(), Tile::all(size).collect::<Vec<_>>());
        assert_eq!(tree::root(size, tile::nodes(size, |tile| files.get(&tile).cloned())), Ok(log.tree().root));
        for index in [0, size / 3, size - 1] {
            for spans in [inclusion::spans(index, size), consistency::spans(index, size)].map(|spans| spans.expect("in the tree")) {
                let read = RefCell::new(BTreeSet::new());
                let nodes = tile::nodes(size, |tile| {
                    read.borrow_mut().insert(tile);
                    files.get(&tile).cloned()
                });
                for span in &spans {
                    assert_eq!(span.hash(&nodes), span.hash(log.source()), "{span:?} of {size}");
                }
                assert_eq!(read.take(), tile::beneath(&spans, size));
            }
        }
    }
}

#[test]
fn a_tile_that_is_missing_or_of_another_width_is_said() {
    let (_, files) = written(300);
    let without = |tile: Tile| files.get(&tile).filter(|_| tile.level() > 0).cloned();
    let sibling = NotMade::Missing(Missing(Node { level: 0, index: 298 }));
    assert_eq!(inclusion::prove(299, 300, tile::nodes(300, without)), Err(sibling));
    assert!(inclusion::prove(299, 300, tile::nodes(300, |_| Some(vec![Hash([0; 32]); 200]))).is_err());
    assert!(Edge::at(300, without).is_err());
}

#[test]
fn a_file_gives_back_the_hashes_that_were_written() {
    for (tile, hashes) in written(300).1 {
        let bytes = tile.bytes(&hashes).expect("as wide as it is");
        assert_eq!(bytes.len(), usize::from(tile.width()) * 32);
        assert_eq!(tile.hashes(&bytes), Ok(hashes.clone()));
        assert!(tile.hashes(&bytes[1..]).is_err() && tile.hashes(&[bytes.as_slice(), &[0; 32]].concat()).is_err());
        assert!(tile.bytes(&hashes[1..]).is_err());
    }
}

#[test]
fn the_entries_of_a_bundle_hash_to_its_tile() {
    let (_, files) = written(300);
    for (index, range) in [(0, 0..256), (1, 256..300)] {
        let bundle = Bundle::at(index, 300).expect("two bundles");
        let entries: Vec<Vec<u8>> = range.map(leaf).collect();
        let bytes = bundle.bytes(&entries).expect("short");
        let hashes: Vec<Hash> = bundle.entries(&bytes).expect("written so").into_iter().map(leaf_hash).collect();
        assert_eq!(files.get(&Tile::at(0, index, 300).expect("as many tiles")), Some(&hashes));
    }
    assert_eq!(Bundle::at(2, 300), None);
}

proptest! {
    #[test]
    fn leaves_in_batches_write_what_they_write_at_once(batches in prop::collection::vec(0_u64..700, 1..6)) {
        let (mut edge, mut files) = (Edge::default(), Files::new());
        for batch in batches {
            let size = edge.frontier().size();
            let grown = edge.grow(&leaves(size, size + batch)).expect("not full");
            prop_assert_eq!(grown.tiles.keys().copied().collect::<Vec<_>>(), Tile::changed(size, size + batch).collect::<Vec<_>>());
            edge = grown.edge;
            files.extend(grown.tiles);
            let kept = Edge::at(size + batch, |tile| files.get(&tile).cloned());
            prop_assert_eq!(kept.as_ref(), Ok(&edge));
        }
        let size = edge.frontier().size();
        let (at_once, all) = written(size);
        prop_assert_eq!(edge.frontier().root(), Log::of(size).tree().root);
        prop_assert_eq!(&edge, &at_once);
        files.retain(|tile, _| all.contains_key(tile));
        prop_assert_eq!(files, all);
    }

    #[test]
    fn every_file_has_one_path(level: u8, index: u64, size: u64) {
        for file in [Tile::at(level, index, size).map(LogFile::Tile), Bundle::at(index, size).map(LogFile::Bundle)].into_iter().flatten() {
            prop_assert_eq!(file.to_string().parse(), Ok(file));
        }
    }

    #[test]
    fn whatever_names_a_file_is_its_path(path in "tile/(0|1|7|63|64|entries|x)/(x[0-9]{3}/){0,8}[0-9x]{3}(\\.p/[0-9]{1,3})?") {
        if let Ok(file) = path.parse::<LogFile>() {
            prop_assert_eq!(file.to_string(), path);
        }
    }
}
