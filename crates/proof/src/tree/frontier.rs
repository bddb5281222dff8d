//! The end of a tree that grows: what must be known of all leaves so far to add
//! the next one. For whoever goes through a ledger from its first leaf and keeps
//! nothing, and beneath [the writer of tiles](crate::tile::edge).

use super::{Hash, Missing, Node, Span, joined, node_hash};

/// The roots of the perfect subtrees that a tree is made of, the largest first:
/// one for each bit of its size that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Hash>,
}

/// A tree of this size has another number of perfect subtrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tree of {size} leaves is made of {} perfect subtrees", .size.count_ones())]
pub struct WrongFrontier {
    /// The tree's size.
    pub size: u64,
}

/// A tree has at most 2^64−1 leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tree has as many leaves as a tree can have")]
pub struct Full;

impl Frontier {
    /// A frontier as it was kept: the tree's size, and its perfect subtrees.
    ///
    /// # Errors
    /// Where they are not as many as the size asks for.
    pub fn try_new(size: u64, subtrees: Vec<Hash>) -> Result<Self, WrongFrontier> {
        let expected = usize::try_from(size.count_ones());
        if expected == Ok(subtrees.len()) { Ok(Self { size, subtrees }) } else { Err(WrongFrontier { size }) }
    }

    /// The frontier of a tree of this size.
    ///
    /// # Errors
    /// Where the source lacks a node.
    pub fn at(size: u64, source: impl Fn(Node) -> Option<Hash>) -> Result<Self, Missing> {
        let subtrees = Span::whole(size).nodes().map(|node| source(node).ok_or(Missing(node)));
        Ok(Self { size, subtrees: subtrees.collect::<Result<_, _>>()? })
    }

    /// How many leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, the largest first.
    #[must_use]
    pub fn subtrees(&self) -> &[Hash] {
        &self.subtrees
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        joined(&self.subtrees)
    }

    /// Adds the next leaf, and tells every node that is complete with it: the
    /// leaf, then those above it.
    ///
    /// # Errors
    /// Where the tree has 2^64−1 leaves; it is then as it was.
    pub fn push(&mut self, leaf: Hash, mut completed: impl FnMut(Node, Hash)) -> Result<(), Full> {
        let size = self.size.checked_add(1).ok_or(Full)?;
        let mut node = Node { level: 0, index: self.size };
        let mut hash = leaf;
        completed(node, hash);
        while node.index % 2 == 1
            && let Some(left) = self.subtrees.pop()
        {
            hash = node_hash(left, hash);
            node = Node { level: node.level + 1, index: node.index / 2 };
            completed(node, hash);
        }
        self.subtrees.push(hash);
        self.size = size;
        Ok(())
    }
}
