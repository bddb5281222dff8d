//! What is proved, and how: pure functions over bytes. Canonical JSON, the
//! sealing of personal fields with commitments, the wrapping of keys, and the
//! bytes of a leaf; then the tree over the leaves, its files, its signed
//! checkpoints and the proof of one entry. What an inspector's tool links;
//! knows no database.

pub mod canonical;
pub mod checkpoint;
pub mod entry_proof;
pub mod leaf;
pub mod note;
pub mod seal;
pub mod tile;
pub mod tree;
pub mod wrap;
