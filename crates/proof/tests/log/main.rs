//! The tree, its files, its signed notes and proofs, from outside the crate:
//! against published vectors, against implementations of other descent, and
//! against every single flipped bit.

mod against_others;
mod entries;
mod files;
mod flipped;
mod garbage;
mod keys;
mod notes;
mod numbers;
mod scene;
mod vectors;
