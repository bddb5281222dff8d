//! Published vectors. Leaves, roots and proofs are those of Certificate
//! Transparency's own test data for RFC 6962 (transparency-dev/merkle,
//! `testonly/reference_test.go`), the numbers of tiles those of C2SP tlog-tiles.

use lastresort_proof::tile::Tile;
use lastresort_proof::tree::{EMPTY_ROOT, Hash, consistency, inclusion, leaf_hash};

use crate::scene::Log;

const LEAVES: [&str; 8] = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

/// Of the trees with 1, 2 … 8 of the leaves.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

const A: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const B: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const C: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const D: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const E: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const F: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).expect("hexadecimal")
}

fn hash(hex: &str) -> Hash {
    Hash(bytes(hex).try_into().expect("32 bytes"))
}

fn hashes(texts: &[&str]) -> Vec<Hash> {
    texts.iter().map(|text| hash(text)).collect()
}

fn log() -> Log {
    let mut log = Log::default();
    for leaf in LEAVES {
        log.push(&bytes(leaf));
    }
    log
}

#[test]
fn roots_are_the_published_ones() {
    assert_eq!(log().tree_at(0).root, EMPTY_ROOT);
    for (size, root) in (1..).zip(ROOTS) {
        assert_eq!(log().tree_at(size).root, hash(root), "{size}");
    }
}

#[test]
fn inclusion_proofs_are_the_published_ones() {
    let published: [(u64, u64, &[&str]); 7] = [
        (0, 1, &[]),
        (0, 2, &[A]),
        (1, 2, &[ROOTS[0]]),
        (2, 3, &[ROOTS[1]]),
        (1, 5, &[ROOTS[0], B, D]),
        (0, 8, &[A, B, C]),
        (5, 8, &[D, E, ROOTS[3]]),
    ];
    for ((index, size, proof), leaf) in published.into_iter().map(|case| (case, LEAVES[usize::try_from(case.0).expect("small")])) {
        assert_eq!(inclusion::prove(index, size, log().source()), Ok(hashes(proof)), "{index} in {size}");
        assert_eq!(inclusion::verify(leaf_hash(&bytes(leaf)), index, size, &hashes(proof), log().tree_at(size).root), Ok(()));
    }
}

#[test]
fn consistency_proofs_are_the_published_ones() {
    let published: [(u64, u64, &[&str]); 4] = [(1, 1, &[]), (1, 8, &[A, B, C]), (2, 5, &[B, D]), (6, 8, &[F, E, ROOTS[3]])];
    for (earlier, size, proof) in published {
        assert_eq!(consistency::prove(earlier, size, log().source()), Ok(hashes(proof)), "{earlier} in {size}");
        assert_eq!(consistency::verify(log().tree_at(earlier), log().tree_at(size), &hashes(proof)), Ok(()));
    }
}

/// A tree of 70,000: 273 full tiles and one of 112; 1 full and one of 17; one of 1.
#[test]
fn a_tree_has_the_tiles_of_the_documents_example() {
    let widths = |size, level| Tile::all(size).filter(|tile| tile.level() == level).map(Tile::width).collect::<Vec<_>>();
    assert_eq!(widths(70_000, 0), [[256; 273].as_slice(), &[112]].concat());
    assert_eq!(widths(70_000, 1), [256, 17]);
    assert_eq!(widths(70_000, 2), [1]);
    assert_eq!(Tile::all(70_000).count(), 274 + 2 + 1);
    assert_eq!((widths(256, 0), widths(256, 1), Tile::all(256).count()), (vec![256], vec![1], 2));
    assert_eq!(Tile::all(0).count(), 0);
}
