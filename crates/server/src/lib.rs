//! The binary `lastresort`: configuration, wiring, verbs.

pub mod config;
pub mod issuer;
pub mod running;
pub mod verbs;
