//! That a tree begins with all of an earlier one, so that nothing was changed,
//! dropped or put between: made as RFC 6962, section 2.1.2 says, verified as
//! RFC 9162, section 2.1.4.2 does.
//!
//! Both speak of an earlier tree with at least one leaf. The empty tree begins
//! every tree, and its proof has no hashes (so C2SP tlog-witness).

use super::inclusion::{Climb, Side};
use super::{EMPTY_ROOT, Hash, Node, NotMade, Refuted, Span, node_hash};

/// The runs of leaves whose hashes prove that the tree of `size` leaves begins
/// with the one of `earlier` leaves, in the proof's order. For whoever must
/// fetch what they rest on beforehand.
///
/// # Errors
/// [`NotMade::Beyond`] where the earlier tree would be the larger one.
pub fn spans(earlier: u64, size: u64) -> Result<Vec<Span>, NotMade> {
    if earlier > size {
        return Err(NotMade::Beyond);
    }
    if earlier == 0 {
        return Ok(Vec::new());
    }
    let mut spans = Vec::new();
    let mut with_end = Span::whole(size);
    while with_end.to != earlier
        && let Some((left, right)) = with_end.halves()
    {
        let other;
        (with_end, other) = if earlier <= left.to { (left, right) } else { (right, left) };
        spans.push(other);
    }
    // Where the earlier tree is a whole subtree, its root is known already.
    if with_end.from != 0 {
        spans.push(with_end);
    }
    spans.reverse();
    Ok(spans)
}

/// The proof that the tree of `size` leaves begins with the one of `earlier` leaves.
///
/// # Errors
/// Where the earlier tree would be the larger one, or the source lacks a node.
pub fn prove(earlier: u64, size: u64, source: impl Fn(Node) -> Option<Hash>) -> Result<Vec<Hash>, NotMade> {
    super::hashes(&spans(earlier, size)?, source)
}

/// A tree as it is known from a checkpoint: how many leaves, and their root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tree {
    /// How many leaves.
    pub size: u64,
    /// The hash over them.
    pub root: Hash,
}

/// Verifies that `later` begins with all leaves of `earlier`.
///
/// # Errors
/// What is wrong with the proof.
pub fn verify(earlier: Tree, later: Tree, proof: &[Hash]) -> Result<(), Refuted> {
    if earlier.size > later.size {
        return Err(Refuted::Beyond);
    }
    if earlier.size == 0 || earlier.size == later.size {
        return without_hashes(earlier, later, proof);
    }
    let whole = earlier.size.is_power_of_two().then_some(earlier.root);
    let mut path = whole.into_iter().chain(proof.iter().copied());
    let first = path.next().ok_or(Refuted::Length)?;
    let mut climb = Climb { at: earlier.size - 1, last: later.size - 1 };
    climb.skip(climb.at.trailing_ones());
    let (mut earlier_root, mut root) = (first, first);
    for other in path {
        match climb.step()? {
            Side::Left => {
                earlier_root = node_hash(other, earlier_root);
                root = node_hash(other, root);
            }
            Side::Right => root = node_hash(root, other),
        }
    }
    climb.finish()?;
    if earlier_root != earlier.root {
        return Err(Refuted::EarlierRoot);
    }
    if root == later.root { Ok(()) } else { Err(Refuted::Root) }
}

/// The earlier tree is empty or the same one: there is nothing to hash.
fn without_hashes(earlier: Tree, later: Tree, proof: &[Hash]) -> Result<(), Refuted> {
    let earlier_root = if earlier.size == 0 { EMPTY_ROOT } else { later.root };
    if !proof.is_empty() {
        return Err(Refuted::Length);
    }
    if later.size == 0 && later.root != EMPTY_ROOT {
        return Err(Refuted::Root);
    }
    if earlier.root == earlier_root { Ok(()) } else { Err(Refuted::EarlierRoot) }
}
