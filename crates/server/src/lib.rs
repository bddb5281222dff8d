//! The binary `lastresort`: configuration, wiring, verbs.

pub mod config;
mod demo;
pub mod issuer;
pub mod running;
pub mod verbs;
