//! The writer of tiles. It keeps the edge of the tree: its frontier, and the
//! partial tile of each level. From these and new leaves come the next edge and
//! the tiles that changed; nothing left of the edge is read again.

use std::collections::BTreeMap;

use super::{HEIGHT, Place, Tile, WIDTH, nodes};
use crate::tree::frontier::{Frontier, Full};
use crate::tree::{Hash, Missing};

/// The edge of a tree; by default of the one without leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    frontier: Frontier,
    /// By level, the hashes of its partial tile: at least one, fewer than [`WIDTH`].
    partial: BTreeMap<u8, Vec<Hash>>,
}

/// What came of new leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grown {
    /// The edge with them.
    pub edge: Edge,
    /// The tiles that are new, or wider than they were, each with all its hashes.
    pub tiles: BTreeMap<Tile, Vec<Hash>>,
}

impl Edge {
    /// The edge of a tree of `size` leaves, from the tiles of [`Tile::partial`].
    ///
    /// # Errors
    /// Where one of them is not there, or has another number of hashes.
    pub fn at(size: u64, read: impl Fn(Tile) -> Option<Vec<Hash>>) -> Result<Self, Missing> {
        let tiles: BTreeMap<Tile, Vec<Hash>> = Tile::partial(size).filter_map(|tile| Some((tile, read(tile)?))).collect();
        let frontier = Frontier::at(size, nodes(size, |tile| tiles.get(&tile).cloned()))?;
        let partial = tiles.into_iter().map(|(tile, hashes)| (tile.level(), hashes)).collect();
        Ok(Self { frontier, partial })
    }

    /// The perfect subtrees of the tree, with its size and root.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The edge with new leaves, in their order, and the tiles that change.
    ///
    /// # Errors
    /// Where the tree cannot have so many.
    pub fn grow(&self, leaves: &[Hash]) -> Result<Grown, Full> {
        let mut edge = self.clone();
        let mut tiles = BTreeMap::new();
        for leaf in leaves {
            edge.frontier.push(*leaf, |node, hash| {
                if node.level % HEIGHT > 0 {
                    return;
                }
                let level = node.level / HEIGHT;
                let hashes = edge.partial.entry(level).or_default();
                hashes.push(hash);
                if hashes.len() == usize::from(WIDTH) {
                    let place = Place { index: node.index / u64::from(WIDTH), width: WIDTH };
                    tiles.extend(edge.partial.remove(&level).map(|hashes| (Tile { level, place }, hashes)));
                }
            })?;
        }
        let size = edge.frontier.size();
        let partial = Tile::partial(size).filter(|tile| !Tile::partial(self.frontier.size()).any(|earlier| earlier == *tile));
        tiles.extend(partial.filter_map(|tile| Some((tile, edge.partial.get(&tile.level())?.clone()))));
        Ok(Grown { edge, tiles })
    }
}
