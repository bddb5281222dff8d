//! A log in memory.

use std::collections::HashMap;

use lastresort_proof::tree::consistency::Tree;
use lastresort_proof::tree::frontier::Frontier;
use lastresort_proof::tree::{Hash, Node, leaf_hash};

/// A tree with every node kept.
#[derive(Default)]
pub(crate) struct Log {
    frontier: Frontier,
    nodes: HashMap<Node, Hash>,
}

/// The leaf of this index.
pub(crate) fn leaf(index: u64) -> Vec<u8> {
    format!("leaf {index}").into_bytes()
}

impl Log {
    pub(crate) fn of(size: u64) -> Self {
        let mut log = Self::default();
        log.grow_to(size);
        log
    }

    pub(crate) fn grow_to(&mut self, size: u64) {
        for index in self.frontier.size()..size {
            self.push(&leaf(index));
        }
    }

    pub(crate) fn push(&mut self, leaf: &[u8]) {
        let nodes = &mut self.nodes;
        let pushed = self.frontier.push(leaf_hash(leaf), |node, hash| {
            nodes.insert(node, hash);
        });
        pushed.expect("a log in memory is not full");
    }

    pub(crate) fn source(&self) -> impl Fn(Node) -> Option<Hash> {
        |node| self.nodes.get(&node).copied()
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree { size: self.frontier.size(), root: self.frontier.root() }
    }

    /// The tree as it was at an earlier size.
    pub(crate) fn tree_at(&self, size: u64) -> Tree {
        Tree { size, root: lastresort_proof::tree::root(size, self.source()).expect("every node is kept") }
    }
}
