//! The binary `lastresort`: configuration, wiring, verbs.

mod bench;
pub mod config;
mod demo;
pub mod issuer;
pub mod running;
pub mod verbs;
