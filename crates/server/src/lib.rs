//! The binary `lastresort`: configuration, wiring, verbs.

mod bench;
mod beside;
pub mod config;
mod demo;
pub mod issuer;
pub mod running;
pub mod verbs;
