//! That a leaf stands in a tree: made as RFC 6962, section 2.1.1 says (a Merkle
//! audit path), verified as RFC 9162, section 2.1.3.2 does.

use super::{Hash, Node, NotMade, Refuted, Span, node_hash};

/// The runs of leaves whose hashes prove the leaf at `index` (from 0) in a tree
/// of `size` leaves, in the proof's order: from the leaf's sibling to the
/// root's child. For whoever must fetch what they rest on beforehand.
///
/// # Errors
/// [`NotMade::Beyond`] where there is no such leaf.
pub fn spans(index: u64, size: u64) -> Result<Vec<Span>, NotMade> {
    if index >= size {
        return Err(NotMade::Beyond);
    }
    let mut spans = Vec::new();
    let mut with_leaf = Span::whole(size);
    while let Some((left, right)) = with_leaf.halves() {
        let other;
        (with_leaf, other) = if index < left.to { (left, right) } else { (right, left) };
        spans.push(other);
    }
    spans.reverse();
    Ok(spans)
}

/// The proof that the leaf at `index` (from 0) stands in the tree of `size` leaves.
///
/// # Errors
/// Where there is no such leaf, or the source lacks a node.
pub fn prove(index: u64, size: u64, source: impl Fn(Node) -> Option<Hash>) -> Result<Vec<Hash>, NotMade> {
    super::hashes(&spans(index, size)?, source)
}

/// Verifies that the leaf with this hash stands at `index` (from 0) in the tree
/// of `size` leaves with this root.
///
/// # Errors
/// What is wrong with the proof.
pub fn verify(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> Result<(), Refuted> {
    let last = size.checked_sub(1).filter(|last| index <= *last).ok_or(Refuted::Beyond)?;
    let mut climb = Climb { at: index, last };
    let mut hash = leaf;
    for other in proof {
        hash = match climb.step()? {
            Side::Left => node_hash(*other, hash),
            Side::Right => node_hash(hash, *other),
        };
    }
    climb.finish()?;
    if hash == root { Ok(()) } else { Err(Refuted::Root) }
}

/// On which side of the path the proof's next hash stands.
pub(super) enum Side {
    Left,
    Right,
}

/// The way from a node up to the root, beside the way from the last node of its
/// level: `fn` and `sn` of RFC 9162, section 2.1.3.2.
pub(super) struct Climb {
    pub(super) at: u64,
    pub(super) last: u64,
}

impl Climb {
    /// Up to the next node that has a sibling, and on which side that is.
    pub(super) fn step(&mut self) -> Result<Side, Refuted> {
        if self.last == 0 {
            return Err(Refuted::Length);
        }
        let side = if self.at % 2 == 1 || self.at == self.last {
            // The last node of a level without a sibling rises as it is.
            self.skip(self.at.trailing_zeros());
            Side::Left
        } else {
            Side::Right
        };
        self.skip(1);
        Ok(side)
    }

    /// Rises without a sibling, at most to the top.
    pub(super) fn skip(&mut self, levels: u32) {
        self.at = self.at.checked_shr(levels).unwrap_or(0);
        self.last = self.last.checked_shr(levels).unwrap_or(0);
    }

    /// The proof is at its end: so must the way be.
    pub(super) fn finish(&self) -> Result<(), Refuted> {
        if self.last == 0 { Ok(()) } else { Err(Refuted::Length) }
    }
}
