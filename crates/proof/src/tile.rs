//! The tree as files: C2SP tlog-tiles. A *tile* holds up to 256 hashes that
//! stand side by side, at every eighth level of the tree; a *bundle* holds the
//! entries (here: leaves) of a tile of level 0. Full ones never change. What is
//! right of the last full one is partial, and named with its width.

pub mod bundle;
pub mod edge;
mod path;

use std::collections::BTreeSet;

pub use path::{LogFile, NotALogFile};

use crate::tree::frontier::Frontier;
use crate::tree::{HASH_BYTES, Hash, Node, Span};

/// The hashes of a full tile, and the entries of a full bundle.
pub const WIDTH: u16 = 256;
/// The levels of the tree from one level of tiles to the next.
pub const HEIGHT: u8 = 8;
/// The highest level a path may name (C2SP tlog-tiles, "Merkle Tree").
pub const LEVEL_MAX: u8 = 63;

/// Which in its row, and how many it holds: 1 to [`WIDTH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Place {
    index: u64,
    width: u16,
}

/// A tile: its level (0 to [`LEVEL_MAX`]; 0 has the leaves' hashes), its index
/// in the level from 0, and how many hashes it holds, 1 to [`WIDTH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    level: u8,
    place: Place,
}

impl Tile {
    /// The tile with this level and index in a tree of `size` leaves, as wide as
    /// it is there; `None` where such a tree has none.
    #[must_use]
    pub fn at(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = row(level, size);
        let full = hashes / u64::from(WIDTH);
        let width = match index.cmp(&full) {
            std::cmp::Ordering::Less => WIDTH,
            std::cmp::Ordering::Equal => u16::try_from(hashes % u64::from(WIDTH)).ok()?,
            std::cmp::Ordering::Greater => 0,
        };
        (width > 0).then_some(Self { level, place: Place { index, width } })
    }

    /// All tiles of a tree of `size` leaves, level by level.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        Self::changed(0, size)
    }

    /// The tiles of a tree of `size` leaves that one of `earlier` leaves did not
    /// have, or had narrower; level by level.
    pub fn changed(earlier: u64, size: u64) -> impl Iterator<Item = Self> {
        let grown =
            (0..=LEVEL_MAX).take_while(move |level| row(*level, size) > 0).filter(move |level| row(*level, earlier) < row(*level, size));
        grown.flat_map(move |level| {
            let from = row(level, earlier) / u64::from(WIDTH);
            (from..).map_while(move |index| Self::at(level, index, size))
        })
    }

    /// The partial tiles of a tree of `size` leaves: at most one of each level.
    pub fn partial(size: u64) -> impl Iterator<Item = Self> {
        (0..=LEVEL_MAX).filter_map(move |level| Self::at(level, row(level, size) / u64::from(WIDTH), size))
    }

    /// Its level.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.level
    }

    /// Its index in its level.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.place.index
    }

    /// How many hashes it holds.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.place.width
    }

    /// The file's bytes, of all its hashes in order.
    ///
    /// # Errors
    /// Where they are not as many as it is wide.
    pub fn bytes(self, hashes: &[Hash]) -> Result<Vec<u8>, WrongWidth> {
        if hashes.len() == usize::from(self.width()) { Ok(hashes.iter().flat_map(|hash| hash.0).collect()) } else { Err(WrongWidth) }
    }

    /// The hashes in the file's bytes.
    ///
    /// # Errors
    /// Where they are not as many as it is wide, to the byte.
    pub fn hashes(self, bytes: &[u8]) -> Result<Vec<Hash>, WrongWidth> {
        let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
        let whole = rest.is_empty() && hashes.len() == usize::from(self.width());
        if whole { Ok(hashes.iter().copied().map(Hash).collect()) } else { Err(WrongWidth) }
    }
}

/// A tile's bytes or hashes are not as many as it is wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tile does not hold as many hashes as it is wide")]
pub struct WrongWidth;

/// How many hashes a level of tiles has in a tree of `size` leaves.
fn row(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0)
}

/// Where a node is to be found: the tile, and the run of hashes beneath the node.
struct Found {
    tile: Tile,
    first: usize,
    count: usize,
}

fn find(node: Node, size: u64) -> Option<Found> {
    let depth = u32::from(node.level % HEIGHT);
    let per_tile = u64::from(WIDTH) >> depth;
    let tile = Tile::at(node.level / HEIGHT, node.index / per_tile, size)?;
    let first = (node.index % per_tile) << depth;
    let count = 1 << depth;
    let held = first + count <= u64::from(tile.width());
    held.then_some(Found { tile, first: usize::try_from(first).ok()?, count: usize::try_from(count).ok()? })
}

/// A source of nodes that reads the tiles of a tree of `size` leaves: what
/// [`root`](crate::tree::root) and the proofs ask. `read` is asked for tiles as
/// that tree has them; one that answers with another number of hashes is taken
/// to have none.
pub fn nodes(size: u64, read: impl Fn(Tile) -> Option<Vec<Hash>>) -> impl Fn(Node) -> Option<Hash> {
    move |node| {
        let found = find(node, size)?;
        let hashes = read(found.tile).filter(|hashes| hashes.len() == usize::from(found.tile.width()))?;
        let beneath = hashes.get(found.first..found.first.checked_add(found.count)?)?;
        let mut subtree = Frontier::default();
        for hash in beneath {
            subtree.push(*hash, |_, _| {}).ok()?;
        }
        Some(subtree.root())
    }
}

/// The tiles of a tree of `size` leaves that hold what these spans rest on: what
/// is to be read before a proof can be made.
#[must_use]
pub fn beneath(spans: &[Span], size: u64) -> BTreeSet<Tile> {
    spans.iter().flat_map(|span| span.nodes()).filter_map(|node| Some(find(node, size)?.tile)).collect()
}
