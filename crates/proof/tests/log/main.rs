//! The tree, its files and its proofs, from outside the crate:
//! against published vectors, against implementations of other descent, and
//! against every single flipped bit.

mod against_others;
mod files;
mod flipped;
mod numbers;
mod scene;
mod vectors;
