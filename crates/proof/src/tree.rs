//! The tree over a ledger's leaves: RFC 6962, section 2.1, with SHA-256. A leaf
//! is hashed behind a 0x00, two nodes behind a 0x01, so that neither passes for
//! the other.
//!
//! Nothing here reads leaves. Whoever keeps the tree gives a *source*, any
//! `Fn(Node) -> Option<Hash>`, and is asked for the few perfect subtrees that a
//! root or a proof is made of: about the logarithm of the tree's size.

pub mod consistency;
pub mod frontier;
pub mod inclusion;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// A SHA-256 hash of a leaf, a node or a whole tree. Its text is base64 with
/// padding, as in every C2SP format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; HASH_BYTES]);

/// The root of the tree without leaves: the hash of nothing (RFC 6962, section 2.1).
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
    0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// A text that is not 32 bytes in canonical base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 32 bytes in base64, with padding")]
pub struct NotAHash;

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let bytes = STANDARD.decode(text).map_err(|_| NotAHash)?;
        bytes.try_into().map(Self).map_err(|_| NotAHash)
    }
}

/// The hash of a leaf: SHA-256 of 0x00 and its bytes.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(leaf).finalize().into())
}

/// The hash of a node: SHA-256 of 0x01 and its children's hashes.
#[must_use]
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    Hash(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// The node over a perfect subtree: it has the leaves from `index` × 2^`level`
/// up to, and without, (`index` + 1) × 2^`level`, all of them. At level 0 it is
/// a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// How many levels it is above the leaves.
    pub level: u8,
    /// Which of its level, from 0.
    pub index: u64,
}

/// The source does not have a node that it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tree's node {} of level {} is not there", .0.index, .0.level)]
pub struct Missing(pub Node);

/// A run of leaves that is a subtree of some tree: its hash stands in a proof.
/// Made by [`inclusion::spans`], [`consistency::spans`] and [`Span::whole`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    from: u64,
    to: u64,
}

impl Span {
    /// All leaves of a tree of this size.
    #[must_use]
    pub const fn whole(size: u64) -> Self {
        Self { from: 0, to: size }
    }

    /// The leaves' indices.
    #[must_use]
    pub const fn leaves(self) -> Range<u64> {
        self.from..self.to
    }

    /// The perfect subtrees it is made of, from the largest, which is leftmost.
    pub fn nodes(self) -> impl Iterator<Item = Node> {
        let mut from = self.from;
        std::iter::from_fn(move || {
            let level = (self.to - from).checked_ilog2()?;
            let index = from >> level;
            from += 1 << level;
            Some(Node { level: u8::try_from(level).ok()?, index })
        })
    }

    /// Its hash, from the hashes of its perfect subtrees.
    ///
    /// # Errors
    /// Where the source lacks one of them.
    pub fn hash(self, source: impl Fn(Node) -> Option<Hash>) -> Result<Hash, Missing> {
        let nodes: Vec<Hash> = self.nodes().map(|node| source(node).ok_or(Missing(node))).collect::<Result<_, _>>()?;
        Ok(joined(&nodes))
    }

    /// Halves it where RFC 6962 does, at the largest power of two that is less
    /// than its length; `None` for less than two leaves.
    fn halves(self) -> Option<(Self, Self)> {
        let level = (self.to - self.from).checked_sub(1)?.checked_ilog2()?;
        let middle = self.from + (1 << level);
        Some((Self { from: self.from, to: middle }, Self { from: middle, to: self.to }))
    }
}

/// The root of a tree of this size.
///
/// # Errors
/// Where the source lacks a node.
pub fn root(size: u64, source: impl Fn(Node) -> Option<Hash>) -> Result<Hash, Missing> {
    Span::whole(size).hash(source)
}

/// One hash over perfect subtrees that stand side by side, the largest first.
fn joined(subtrees: &[Hash]) -> Hash {
    subtrees.iter().rev().copied().reduce(|right, left| node_hash(left, right)).unwrap_or(EMPTY_ROOT)
}

/// Why a proof cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMade {
    /// There is no such leaf, or the earlier tree would be the larger one.
    #[error("what is to be proved lies beyond the end of the tree")]
    Beyond,
    /// The source lacks a node.
    #[error(transparent)]
    Missing(#[from] Missing),
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refuted {
    /// There is no such leaf, or the earlier tree is the larger one.
    #[error("what is to be proved lies beyond the end of the tree")]
    Beyond,
    /// Too few hashes for a tree of this size, or too many.
    #[error("the proof has not as many hashes as the tree's size asks for")]
    Length,
    /// It ends in another root than the tree's.
    #[error("the proof does not lead to the tree's root")]
    Root,
    /// It begins in another root than the earlier tree's.
    #[error("the proof does not lead to the earlier tree's root")]
    EarlierRoot,
}

fn hashes(spans: &[Span], source: impl Fn(Node) -> Option<Hash>) -> Result<Vec<Hash>, NotMade> {
    spans.iter().map(|span| span.hash(&source).map_err(NotMade::from)).collect()
}
