//! The resources of the contract, one file each: bodies, who may read, what
//! decisions rest on, and the rows of the table of contents.

pub mod candidates;
pub mod curricula;
pub mod grants;
pub mod needs_analyses;
pub mod organisations;
pub mod persons;
pub mod programmes;
pub mod sessions;
